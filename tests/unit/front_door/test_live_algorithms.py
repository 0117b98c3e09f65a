# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running edges of the algorithms that share requests out, before the same regions, of which one is slow."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import RoutingTable, Site

from .conftest import REGIONS, MakeTable
from .test_live_geography import EDGE, REGION, Lab, certificate, tree

SLOW = "eu-west-1"
CLIENTS, REQUESTS = 8, 240
WEIGHTS = {"us-east-1": 3.0, "us-west-2": 1.0, "eu-west-1": 1.0, "ap-southeast-1": 0.0}
ALGORITHMS: dict[str, dict[str, float]] = {"round_robin": {}, "least_connections": {}, "weighted": WEIGHTS}
# A region whose answers to /work take a second.
LATE = """
import asyncio, contextlib, ssl, sys
address, folder = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/tls.crt", folder + "/tls.key")
async def answer(reader, writer):
    with contextlib.suppress(OSError, EOFError):
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(head.startswith(b"GET /work "))
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    writer.close()
async def serve():
    await (await asyncio.start_server(answer, address, 443, ssl=context)).serve_forever()
asyncio.run(serve())
"""
# So many clients at once, each with a connection of its own, share so many requests: how often each region served.
ASK = """
import asyncio, collections, json, ssl, sys
port, clients, requests, (path, trusted) = *map(int, sys.argv[1:4]), sys.argv[4:]
left = iter(range(requests))
context, served = ssl.create_default_context(cafile=trusted), collections.Counter()
async def client(number):
    source = ("10.9.7.5", "10.9.3.5")[number % 2], 0
    reader, writer = await asyncio.open_connection(
        "10.1.201.10", port, ssl=context, server_hostname="api.llm-verifier.com", local_addr=source)
    for _request in left:
        writer.write(f"GET {path} HTTP/1.1\\r\\nHost: api.llm-verifier.com\\r\\n\\r\\n".encode())
        head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode().lower()
        lines = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        await reader.readexactly(int(lines["content-length"]))
        served[lines.get("x-region", head)] += 1
    writer.close()
async def all_clients():
    await asyncio.gather(*map(client, range(clients)))
asyncio.run(all_clients())
print(json.dumps(served))
"""


@dataclass(frozen=True)
class Edges:
    """An edge for each algorithm, with ports of its own."""

    lab: Lab
    ports: dict[str, int]

    def shares(self, algorithm: str, path: str = "/") -> dict[str, float]:
        """The ratio of requests that each region serves."""
        numbers = map(str, (self.ports[algorithm], CLIENTS, REQUESTS))
        served = self.lab.script(ASK, *numbers, path, str(self.lab.folder / "tls.crt"))
        assert sum(served.values()) == REQUESTS
        return {name: served.pop(name, 0) / REQUESTS for name in REGIONS} | served

    def take_out(self, algorithm: str, region: str) -> None:
        """Take a region out by the edge's runtime interface."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.lab.folder / f"{algorithm}.sock"))
            connection.sendall(f"set server regions/{region} state maint\n".encode())
            assert connection.recv(1 << 16).strip() == b""


def configure(folder: Path, table: RoutingTable, site: Site, algorithm: str, port: int) -> None:
    """Write an edge's files."""
    settings = haproxy.Settings(
        https_port=port, http_port=port + 1, metrics_port=port + 2, certificate="/mnt/tls.crt", ca_file="/mnt/tls.crt",
        admin_socket=f"/mnt/{algorithm}.sock", ask_socket="", state_file="", user="",
    )
    files = {Path(path).name: text for path, text in haproxy.edge(table, site, settings).items()}
    files[f"{algorithm}.cfg"] = files.pop("haproxy.cfg")
    for name, text in files.items():
        (folder / name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))


def start_regions(lab: Lab, table: RoutingTable) -> None:
    """Start all regions, of which one may be late."""
    binds = "".join(f"  bind {region.endpoint}:443 ssl crt /mnt/tls.crt\n" for region in table.regions
                    if region.name != SLOW)
    (lab.folder / "regions.cfg").write_text(REGION.replace("frontend region\n", f"frontend region\n{binds}"))
    lab.start("haproxy", "-db", "-f", "/mnt/regions.cfg")
    lab.start_script(LATE, table.region(SLOW).endpoint, str(lab.folder))
    for region in table.regions:
        lab.until(20, ["curl", "-sik", f"https://{region.endpoint}/"], "200")


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory, make_table: MakeTable, site: Site) -> Iterator[Edges]:
    """All edges, answering."""
    folder, root = tmp_path_factory.mktemp("algorithms"), tree()
    certificate(folder)
    made = Edges(Lab(folder, root), {})
    try:
        start_regions(made.lab, make_table())
        for place, (algorithm, weights) in enumerate(ALGORITHMS.items()):
            made.ports[algorithm] = port = 8443 + 10 * place
            configure(folder, make_table(weights, algorithm=algorithm), site, algorithm, port)
            made.lab.start("haproxy", "-db", "-f", f"/mnt/{algorithm}.cfg")
        for port in made.ports.values():
            made.lab.until(20, ["curl", "-s", f"http://{EDGE}:{port + 1}/api/health"], "ok")
        yield made
    finally:
        for process in reversed(made.lab.processes):
            process.terminate()
            process.wait(10)


def test_round_robin_gives_every_region_the_same(edges: Edges) -> None:
    assert edges.shares("round_robin") == pytest.approx(dict.fromkeys(REGIONS, 0.25), abs=0.02)


def test_least_connections_spares_the_slow_region(edges: Edges) -> None:
    shares = edges.shares("least_connections", "/work")
    assert shares[SLOW] < 0.15, shares
    assert all(share > 0.2 for name, share in shares.items() if name != SLOW), shares


def test_weights_are_shares_and_weight_0_serves_last(edges: Edges) -> None:
    wanted = {name: weight / sum(WEIGHTS.values()) for name, weight in WEIGHTS.items()}
    shares = edges.shares("weighted")
    assert shares == pytest.approx(wanted, abs=0.02) and shares["ap-southeast-1"] == 0
    edges.take_out("weighted", "us-east-1")
    assert edges.shares("weighted") == pytest.approx(
        {"us-east-1": 0, "us-west-2": 0.5, "eu-west-1": 0.5, "ap-southeast-1": 0}, abs=0.02)
    edges.take_out("weighted", "us-west-2")
    edges.take_out("weighted", "eu-west-1")
    assert edges.shares("weighted") == {**dict.fromkeys(REGIONS, 0), "ap-southeast-1": 1}
