# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What edges, gateways and the static site offer on 443: protocols and ciphers one by one, and headers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy.blocks import CIPHERS

from .conftest import DOMAIN, Site, until

ENDS = {"edge-1": "201.10", "edge-2": "202.10", "us-west-2": "2.10", "static-1": "211.10"}
PROTOCOLS = ("tls1", "tls1_1", "tls1_2", "tls1_3")
HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains", "x-content-type-options": "nosniff",
    "x-frame-options": "DENY", "referrer-policy": "no-referrer", "content-security-policy": "frame-ancestors 'none'",
}  # fmt: skip
# Level 0 lets this machine's OpenSSL offer what nobody should.
ANY = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def handshake(place: str, *words: str) -> bool:
    """Whether a TLS handshake with these options comes about."""
    command = ["openssl", "s_client", "-connect", place, "-servername", f"api.{DOMAIN}", *words]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20)
    return "Cipher is (NONE)" not in done.stdout and ("New, TLS" in done.stdout or "New, SSL" in done.stdout)


def old_ciphers() -> list[str]:
    """Every cipher up to TLS 1.2 that this machine's OpenSSL can offer."""
    command = ["openssl", "ciphers", "-s", "-tls1_2", ANY]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")


def offered(place: str) -> tuple[set[str], set[str]]:
    """The protocols and the ciphers of TLS 1.2 that somebody answers to."""
    with ThreadPoolExecutor(4) as pool:
        asked = [(name, pool.submit(handshake, place, f"-{name}", "-cipher", ANY)) for name in PROTOCOLS]
        words = {name: ("-tls1_2", "-cipher", f"{name}:@SECLEVEL=0") for name in old_ciphers()}
        tried = [(name, pool.submit(handshake, place, *option)) for name, option in words.items()]
        return {name for name, done in asked if done.result()}, {name for name, done in tried if done.result()}


@pytest.fixture(name="careless", scope="module")
def fixture_careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback that takes anything, to see that the scan would find it."""
    folder: Path = tmp_path_factory.mktemp("careless")
    key, crt = str(folder / "key"), str(folder / "crt")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=careless", "-days", "1"]
    subprocess.run([*make, "-keyout", key, "-out", crt], check=True, capture_output=True)
    serve = ["openssl", "s_server", "-accept", "127.0.0.1:24443", "-key", key, "-cert", crt,
             "-cipher", ANY, "-quiet"]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        until(lambda: handshake("127.0.0.1:24443"), 10, "a careless server")
        yield "127.0.0.1:24443"
        server.kill()


def test_the_scan_finds_what_is_weak(careless: str) -> None:
    protocols, ciphers = offered(careless)
    assert protocols == set(PROTOCOLS) and "AES128-SHA" in ciphers


@pytest.mark.parametrize("name", ENDS)
def test_only_modern_protocols_and_ciphers_are_offered(site: Site, name: str) -> None:
    protocols, ciphers = offered(f"{site.instance.prefix}.{ENDS[name]}:443")
    assert protocols == {"tls1_2", "tls1_3"}
    assert ciphers and ciphers <= set(CIPHERS.split(":"))


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("path", ["/api/health", "/nothing/here"])
def test_every_answer_protects_who_reads_it(site: Site, name: str, path: str) -> None:
    place = f"api.{DOMAIN}:443:{site.instance.prefix}.{ENDS[name]}"
    ask = ["curl", "-s", "-i", "--cacert", str(site.state / "certificate/ca.crt"), "--resolve", place]
    said = subprocess.run([*ask, f"https://api.{DOMAIN}{path}"], capture_output=True, text=True, check=True).stdout
    lines = [line.partition(": ") for line in said.partition("\n\n")[0].splitlines()[1:]]
    headers = {key.lower(): value.strip() for key, _colon, value in lines}
    assert {key: headers.get(key) for key in HEADERS} == HEADERS
    assert "server" not in headers
