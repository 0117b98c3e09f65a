# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client against two small servers and a name server on the loopback addresses."""

from __future__ import annotations

import asyncio
import datetime
import io
import json
import ssl
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.dns_message import A, decode, encode
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill import load
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.dns import (
    DnsError,
    Resolver,
    usable,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.run import sources

ADDRESSES = ("127.0.0.1", "127.0.0.2")


def dns_answer(query: bytes, addresses: tuple[str, ...], ttl: int = 1) -> bytes:
    """Answer a question as a resolver would, names compressed."""
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, ttl, 4) + bytes(map(int, address.split(".")))
                       for address in addresses)
    return head + query[12:] + records


class NameServer(asyncio.DatagramProtocol):
    """Answers every question with both addresses, until it is silent."""

    silent = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.silent:
            self.transport.sendto(dns_answer(data, ADDRESSES), addr)


class Server:
    """One address of the service; ``behave`` decides what a request gets: a status, or None for never an answer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.behave: Callable[[], int | None] = lambda: 200
        self.seen: Counter[str] = Counter()
        self.writers: set[asyncio.StreamWriter] = set()

    async def start(self, port: int, tls: ssl.SSLContext | None) -> int:
        self.server = await asyncio.start_server(self.serve, self.address, port, ssl=tls)
        return int(self.server.sockets[0].getsockname()[1])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                await reader.readexactly(int(fields.get("content-length", 0)))
                plain = head.startswith("POST") and "idempotency-key" not in fields
                self.seen[("plain " if plain else "") + fields["x-request-id"]] += 1
                status = self.behave()
                if status is None:
                    await asyncio.sleep(60)
                writer.write(f"HTTP/1.1 {status} x\r\nX-Region: {self.address}\r\nContent-Length: 2\r\n\r\nok".encode())
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def kill(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()


async def drill(fault: Callable[[Server], Any] | None, context: ssl.SSLContext | None = None,
                **changes: Any) -> tuple[list[dict[str, Any]], list[Server]]:
    """Run 1.5 seconds of load; the fault hits the first address in the middle."""
    servers = [Server(address) for address in ADDRESSES]
    port = await servers[0].start(0, context)
    await servers[1].start(port, context)
    transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0))
    settings = load.Settings(**{"host": "api.example", "resolver": "127.0.0.1", "token": "t", "tls": False,
                                "port": port, "resolver_port": transport.get_extra_info("sockname")[1],
                                "rate": 100.0, "plain_rate": 20.0, "seconds": 1.5, "attempt_seconds": 0.4,
                                "deadline_seconds": 3.0, **changes})
    if fault is not None:
        asyncio.get_running_loop().call_later(0.7, fault, servers[0])
    output = io.StringIO()
    await load.run(settings, output)
    transport.close()
    for server in servers:
        server.kill()
    return [json.loads(line) for line in output.getvalue().splitlines()], servers


def failed(records: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [record for record in records if record["kind"] in kinds and record["status"] != 200]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of api.example that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example")])
    now = datetime.datetime.now(datetime.UTC)
    built = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
             .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
             .not_valid_after(now + datetime.timedelta(days=1))
             .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example")]), critical=False)
             .sign(key, hashes.SHA256()))
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(built.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_half_the_requests_are_posts_and_both_addresses_serve(certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    records, servers = asyncio.run(drill(None, tls, tls=True, cafile=str(certificate)))
    assert Counter(record["kind"] for record in records) == {"get": 75, "post": 75, "plain": 30}
    assert not failed(records, "get", "post", "plain")
    assert all(sum(server.seen.values()) > 50 for server in servers)
    assert {record["region"] for record in records} == set(ADDRESSES)
    assert all(len(server.writers) < 30 for server in servers), "connections are not kept"


@pytest.mark.parametrize("fault", ["killed", "hangs", "errors"])
def test_no_idempotent_request_fails_when_one_address_does(fault: str) -> None:
    def strike(server: Server) -> None:
        if fault == "killed":
            server.kill()
        else:
            server.behave = lambda: None if fault == "hangs" else 503

    records, _servers = asyncio.run(drill(strike))
    assert not failed(records, "get", "post")
    assert any(record["attempts"] > 1 or record["error"] for record in records), "the fault was never met"
    tried = {(record["first"], record["address"]) for record in records if record["attempts"] > 1}
    assert ADDRESSES in tried or fault == "killed", "an address that refuses is left before the next request"
    assert max(record["attempts"] for record in records if record["kind"] != "plain") <= 3


def test_a_request_tries_elsewhere_next_even_when_every_address_failed_lately() -> None:
    async def orders() -> list[list[str]]:
        client = load.Client(load.Settings(host="h", token="t", addresses=ADDRESSES, tls=False))
        client._avoid = dict.fromkeys(ADDRESSES, time.monotonic() + 60)
        return [await client._order(Counter({ADDRESSES[0]: 1})) for _turn in ADDRESSES]

    assert [order[0] for order in asyncio.run(orders())] == [ADDRESSES[1]] * 2


def test_only_requests_that_may_be_repeated_say_how_long_they_wait() -> None:
    settings = load.Settings(host="api.example", token="t", patience=10)
    waits = {kind: b"Prefer: wait=10\r\n" in load.message(settings, kind) for kind in ("get", "post", "plain")}
    assert waits == {"get": True, "post": True, "plain": False}


def test_a_plain_post_that_may_have_been_seen_is_not_sent_again() -> None:
    def strike(server: Server) -> None:
        server.behave = lambda: 503

    records, servers = asyncio.run(drill(strike))
    assert failed(records, "plain")
    seen = servers[0].seen + servers[1].seen
    assert max(count for key, count in seen.items() if key.startswith("plain ")) == 1


def test_a_request_that_is_never_answered_ends_at_its_deadline() -> None:
    async def both_hang() -> list[dict[str, Any]]:
        original = Server.__init__

        def deaf(self: Server, address: str) -> None:
            original(self, address)
            self.behave = lambda: None

        Server.__init__ = deaf  # type: ignore[method-assign]
        try:
            return (await drill(None, rate=10.0, plain_rate=0.0, seconds=0.5, deadline_seconds=1.0))[0]
        finally:
            Server.__init__ = original  # type: ignore[method-assign]

    records = asyncio.run(both_hang())
    assert len(records) == 5
    assert all(record["status"] == 0 and record["seconds"] >= 1.0 for record in records)
    assert max(record["attempts"] for record in records) <= 3, "a try of 0.4 s began after the deadline of 1 s"


def test_a_resolver_that_says_no_more_delays_nobody_who_knows_an_address() -> None:
    async def asked() -> tuple[tuple[str, ...], float]:
        transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
            NameServer, local_addr=("127.0.0.1", 0))
        resolver = Resolver("127.0.0.1", transport.get_extra_info("sockname")[1], "api.example")
        await resolver.addresses()
        server.silent = True
        await asyncio.sleep(1.1)  # the time to live is over
        begun = time.monotonic()
        found = await resolver.addresses()
        transport.close()
        return found, time.monotonic() - begun

    found, seconds = asyncio.run(asked())
    assert found == ADDRESSES and seconds < 0.5


def test_names_are_read_with_the_least_time_to_live_and_lies_are_refused() -> None:
    query = encode(7, "api.example", A)
    assert usable(decode(dns_answer(query, ADDRESSES, 9), 7)) == (ADDRESSES, 9)
    other = dns_answer(encode(8, "x", A), ADDRESSES)
    for message in (dns_answer(query, ADDRESSES)[:30], b"", other):
        with pytest.raises(ValueError):
            decode(message, 7)
    with pytest.raises(DnsError):
        usable(decode(dns_answer(query, ()), 7))


def test_what_is_sent_to_a_client_runs_by_itself(tmp_path: Path) -> None:
    for name, source in sources().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    probe = {"kind": "dns", "label": "edge-1 dns", "server": "127.0.0.1", "port": 1, "name": "api.example"}
    output = tmp_path / "watch.jsonl"
    settings = {"seconds": 0.1, "interval": 0.1, "output": str(output), "probes": [probe]}
    for program, given in (("watch", json.dumps(settings)), ("load", "")):
        done = subprocess.run(
            [sys.executable, "-S", "-m", f"module_utils.drill.{program}"], cwd=tmp_path, env={"PYTHONPATH": "."},
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "ImportError" not in done.stderr and "ModuleNotFoundError" not in done.stderr, done.stderr
        assert done.returncode == 0 or program == "load", done.stderr
    assert "no answer" in output.read_text()
