# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges of a small site, each an agent in a folder and at a loopback address of its own, with a back end in memory."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.control import Control
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.peer import PeerServer, server_context
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.service import Service
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.settings import Settings
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.memory.adapter import MemoryAdapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    Observations,
    Probe,
)

EDGES = {"edge-1": "127.0.0.1", "edge-2": "127.0.0.2"}
REGIONS = {"us-east-1": "america", "eu-west-1": "europe", "ap-south-1": "asia"}
POLICY: dict[str, Any] = {
    "version": 1,
    "domain": "example.com",
    "geographies": {
        "america": {"continents": ["NA"], "regions": ["us-east-1"]},
        "europe": {"continents": ["EU"], "regions": ["eu-west-1"]},
        "asia": {"default": True, "regions": ["ap-south-1"]},
    },
}


@pytest.fixture(name="pki", scope="session")
def fixture_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of both edges."""
    folder = tmp_path_factory.mktemp("edges")
    wanted = [Wanted(name, "ca", name, names=(name, address)) for name, address in EDGES.items()]
    ensure_pki(folder, ["ca"], wanted, [], dt.datetime.now(dt.UTC), check=False)
    return folder


@pytest.fixture(name="port")
def fixture_port() -> int:
    """A port that is free on every address."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        found: int = probe.getsockname()[1]
        return found


class Edge:
    """One edge. `sick` are the regions that it sees failing; `open` makes its loop, `serve` answers other edges."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings, self.sick = name, settings, set[str]()
        self.adapter = MemoryAdapter(compile_table(settings.policy, settings.regions, 0))
        self.service: Service | None = None
        self._server: PeerServer | None = None

    def open(self) -> Service:
        """The agent as a new process would begin it."""
        edge = self

        class Looking(Control):
            def look(self, *, everything: bool) -> Observations:
                now = self.memory.clock.now()
                return Observations(at=now, probes=tuple(
                    Probe(vantage=edge.name, kind=EDGE, region=region, at=now, ok=region not in edge.sick)
                    for region in REGIONS
                ))  # fmt: skip

        self.service = Service(self.settings, Looking(self.settings, (self.adapter,)))
        return self.service

    def serve(self) -> Service:
        """Open it and answer other edges."""
        service = self.open()
        settings = self.settings
        context = server_context(settings.ca, settings.certificate, settings.key)
        self._server = PeerServer((settings.address, settings.port), context, EDGES, service.routes())
        self._server.start()
        return service

    def end(self) -> None:
        """As if killed: nothing is written any more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self.service:
            self.service.control.close()
            self.service = None


@pytest.fixture(name="edges")
def fixture_edges(tmp_path: Path, pki: Path, port: int) -> Iterator[dict[str, Edge]]:
    """Both edges, not begun yet."""
    regions = [
        {"name": name, "geography": geography, "endpoint": "192.0.2.1", "capacity_rps": 400, "order": order}
        for order, (name, geography) in enumerate(REGIONS.items())
    ]
    made = {
        name: Edge(name, Settings.from_dict({
            "edge": name, "policy": POLICY, "site": {"regions": regions, "edges": [
                {"name": other, "address": address} for other, address in EDGES.items()
            ]}, "edges": EDGES, "first": "edge-1", "port": port, "metrics_port": 0, "tick_seconds": 0.05,
            "folder": str(tmp_path / name), "ca": str(pki / "ca.crt"), "certificate": str(pki / f"{name}.crt"),
            "key": str(pki / f"{name}.key"),
        }))
        for name in EDGES
    }  # fmt: skip
    yield made
    for edge in made.values():
        edge.end()


