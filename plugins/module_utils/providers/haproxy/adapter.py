# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's HAProxy steered by a decision: weights at run time, kept for reloads and restarts."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ...durable import write_atomically
from ...routing.model import RoutingTable, Site
from ...routing.records import DELETE, Card, Records, Step
from ..clients import client_address
from ..expectation import shares_served
from ..files import read_or_empty
from ..interface import Answer, BackendError, Steering
from . import state
from .card import CARD
from .settings import Settings
from .weights import weights

NOBODY = "nobody"
_PREFIX = "weight/"
_SECONDS = 4.0  # a client in haste is answered in less, other regions tried
_LARGEST = 1 << 20  # bytes of an answer


class HaproxyAdapter:
    """HAProxy on this host. `table` is the policy's, with no decision in it; `settings` are those of its rendering.

    `place` says where the host sees a path of the settings.
    """

    def __init__(
        self, table: RoutingTable, site: Site, settings: Settings, place: Callable[[str], Path] = Path
    ) -> None:
        self._table, self._site, self._settings = table, site, settings
        self._file = place(settings.state_file)
        self._admin, self._ask = place(settings.admin_socket), place(settings.ask_socket)

    @property
    def card(self) -> Card:
        """What HAProxy can do."""
        return CARD

    def desired(self, steering: Steering) -> Records:
        """A weight a region."""
        wanted = weights(self._table, dict(steering.admissions))
        items = {_PREFIX + name: _value(weight) for name, weight in wanted.items()}
        return Records(generation=steering.generation, items=tuple(sorted(items.items())))

    def read(self) -> Records:
        """The weights that run and are kept, of the policy's regions and of those that an earlier policy had."""
        running, kept, generation = self._look()
        items = {
            _PREFIX + name: _value(server.weight, name in kept and kept[name].weight == server.weight)
            for name, server in running.items()
            if name in kept or name in self._names()
        }
        return Records(generation=generation, items=tuple(sorted(items.items())))

    def operator_states(self) -> dict[str, str]:
        """Regions that somebody took out by the runtime interface: "drain" or "maint" by name."""
        running, _kept, _generation = self._look()
        return {name: server.operator for name, server in running.items() if server.operator}

    def claim(self, generation: int) -> None:
        """Keep the generation, and every weight that was kept."""
        running, kept, _old = self._look()
        self._keep(generation, running, {name: server.weight for name, server in kept.items()})

    def apply(self, step: Step) -> None:
        """Set one weight and keep it; a region that the policy no longer has goes back to its configured one."""
        name = step.key.removeprefix(_PREFIX)
        running, kept, generation = self._look()
        if name not in running:
            raise BackendError(f"HAProxy has no server {name}: bring the edge up to the inventory (90_global_lb.yml)")
        own = {region: server.weight for region, server in kept.items()}
        if step.action == DELETE:
            weight = running[name].configured
            own.pop(name, None)
        else:
            weight = own[name] = int(json.loads(step.after)["weight"])
        self._keep(generation, running, own)
        said = self._command(f"set server {state.BACKEND}/{name} weight {weight}").strip()
        if said:
            raise BackendError(f"HAProxy refused the weight {weight} of {name}: {said}")

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """Ask the edge for the health path on its own socket, as a client with an address of each geography."""
        found = []
        for geography in sorted(geographies):
            address = client_address(self._table, self._site, geography)
            if not address:
                continue
            names = [self._request(address) for _time in range(times)]
            counted = {name: names.count(name) for name in sorted(set(names))}
            found.append(Answer(geography=geography, served=tuple(counted.items())))
        return tuple(found)

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """Every region that the decision gives a share of the geography while exactly `up` are up."""
        return frozenset(shares_served(self._table, dict(steering.admissions), geography, up))

    def _names(self) -> frozenset[str]:
        return frozenset(region.name for region in self._table.regions)

    def _look(self) -> tuple[dict[str, state.Server], dict[str, state.Server], int]:
        try:
            text = read_or_empty(self._file)
            running = state.parse(self._command(f"show servers state {state.BACKEND}"))
        except (OSError, ValueError) as error:
            raise BackendError(f"HAProxy can't be read: {error}") from error
        try:
            return running, state.parse(text), state.generation(text)
        except ValueError as error:
            raise BackendError(f"{self._file} is no state file: {error}. Take it away; it is written anew") from error

    def _keep(self, generation: int, running: Mapping[str, state.Server], own: Mapping[str, int]) -> None:
        try:
            write_atomically(self._file, state.state_file(generation, running.values(), own), 0o644)
        except OSError as error:
            raise BackendError(f"{self._file} can't be written: {error}") from error

    def _command(self, text: str) -> str:
        return _exchange(self._admin, f"{text}\n".encode()).decode("utf-8", "replace")

    def _request(self, address: str) -> str:
        """The region that serves a client of an address now, "static", or NOBODY for an error of HAProxy itself."""
        host, path = f"api.{self._table.policy.domain}", self._table.policy.health.path
        proxied = f"PROXY TCP4 {address} 127.0.0.1 1024 443\r\n"
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nPrefer: wait=1\r\nConnection: close\r\n\r\n"
        try:
            said = _exchange(self._ask, f"{proxied}{request}".encode())
        except OSError as error:
            raise BackendError(f"HAProxy doesn't answer on {self._ask}: {error}") from error
        lines = said.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        return headers.get("x-region", NOBODY)


def _value(weight: int, kept: bool = True) -> str:
    return json.dumps({"kept": kept, "weight": weight}, sort_keys=True)


def _exchange(path: Path, question: bytes) -> bytes:
    """Everything a UNIX socket answers before it closes. Raises OSError, TimeoutError when it takes too long."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(str(path))
        connection.sendall(question)
        said = bytearray()
        while len(said) < _LARGEST and (piece := connection.recv(1 << 16)):
            said += piece
        return bytes(said)
