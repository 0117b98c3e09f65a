# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate on every end of the front door: for every name, renewed and replaced without a lost request."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.probe import context_of
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.questions import ask

from .conftest import CLIENTS, DOMAIN, OWN, REGIONS, Site, watched

EDGES = {"edge-1": 201, "edge-2": 202}
ENDS = {**EDGES, "static-1": 211, **{region: number for number, region in enumerate(REGIONS, 1)}}


def serials(site: Site) -> dict[str, str]:
    """The serial number of what each end shows, verified by the saved roots."""
    found = {}
    for name, subnet in ENDS.items():
        end = site.end(subnet)
        context = context_of(end)
        assert context is not None
        raw = socket.create_connection((end.address, end.port), 5)
        with context.wrap_socket(raw, server_hostname=end.host) as connection:
            found[name] = str((connection.getpeercert() or {})["serialNumber"])
    return found


def in_force(site: Site) -> str:
    """The serial number of the saved certificate."""
    command = ["openssl", "x509", "-noout", "-serial", "-in", str(site.state / "certificate/fullchain.crt")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().removeprefix("serial=")


@pytest.mark.parametrize("geography", CLIENTS)
def test_any_name_below_the_domain_is_served_by_the_same_certificate(site: Site, geography: str) -> None:
    roots = (site.state / "certificate/ca.crt").read_text()
    answer = ask(site.instance, CLIENTS[geography], f"any-name.{DOMAIN}", "/api/health", roots)
    assert (answer.status, answer.region, answer.error) == (200, OWN[geography], "")
    stranger = ask(site.instance, CLIENTS[geography], f"any.name.{DOMAIN}", "/api/health", roots)
    assert stranger.status != 200, "a wildcard is for one label"


@pytest.mark.long
def test_a_renewed_certificate_is_shown_everywhere_and_no_request_fails(site: Site) -> None:
    before = serials(site)
    assert before == dict.fromkeys(ENDS, in_force(site))
    with watched(*map(site.end, EDGES.values())) as seen:
        site.play("playbooks/renew_certificates.yml", timeout=1200)
    after = serials(site)
    assert after == dict.fromkeys(ENDS, in_force(site)) and set(after.values()).isdisjoint(before.values())
    assert seen.asked > 100 and not seen.bad, seen


@pytest.fixture(name="given")
def fixture_given(site: Site, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of a certificate of another authority; afterwards the ACME server's is in force again."""
    names = f"subjectAltName=DNS:api.{DOMAIN},DNS:*.{DOMAIN}"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90"]
    root, root_key = str(tmp_path / "ca.crt"), str(tmp_path / "ca.key")
    chain, key = str(tmp_path / "tls.crt"), str(tmp_path / "tls.key")
    signed = ["-subj", "/CN=given", "-addext", names, "-CA", root, "-CAkey", root_key]
    for words in (["-subj", "/CN=root", "-keyout", root_key, "-out", root], [*signed, "-keyout", key, "-out", chain]):
        subprocess.run([*new, *words], check=True, capture_output=True)
    yield {"certificates_source": "files", "certificates_given_certificate": chain, "certificates_given_key": key,
           "certificates_given_ca": root}
    site.play("playbooks/renew_certificates.yml", timeout=1200)


@pytest.mark.long
def test_a_given_certificate_takes_its_place_and_no_request_fails(
    site: Site, given: dict[str, str], tmp_path: Path
) -> None:
    before = in_force(site)
    roots = tmp_path / "both.crt"
    roots.write_text((site.state / "certificate/ca.crt").read_text() + Path(given["certificates_given_ca"]).read_text())
    with watched(*(replace(site.end(subnet), ca_file=str(roots)) for subnet in EDGES.values())) as seen:
        site.play("playbooks/renew_certificates.yml", "-e", json.dumps(given), timeout=1200)
    assert serials(site) == dict.fromkeys(ENDS, in_force(site)) and in_force(site) != before
    assert seen.asked > 100 and not seen.bad, seen
