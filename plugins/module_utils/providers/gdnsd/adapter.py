# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's gdnsd steered by a decision: forced states, and the generation as a record of the zone."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path

from ...dns_message import TXT, A
from ...durable import write_atomically
from ...routing.decision import effective_table
from ...routing.model import RoutingTable, Site
from ...routing.records import DELETE, Card, Records, Step
from ..clients import client_address
from ..expectation import STATIC
from ..files import read_or_empty
from ..interface import Answer, BackendError, Steering
from . import admin_state
from .card import CARD
from .query import ask
from .render import GENERATION, Settings

ADMITTED = 0.5
"""Least admission (ratio) that counts as admitted: a geography's whole traffic goes where most of it would."""

COMMAND = ("gdnsdctl", "-c", "/node/etc/gdnsd", "-t", "5")
_REGION, _PUBLISHED = "region/", "generation"
_RECORD = re.compile(r'TXT "?(\d+)')
_SECONDS = 10.0


class GdnsdAdapter:
    """gdnsd on this host. `table` is the policy's, with no decision in it; `settings` are those of its rendering.

    `place` says where the host sees a path of the settings, `command` begins a command of gdnsdctl.
    """

    def __init__(
        self,
        table: RoutingTable,
        site: Site,
        settings: Settings,
        command: tuple[str, ...] = COMMAND,
        place: Callable[[str], Path] = Path,
    ) -> None:
        self._table, self._site = table, site
        self._server, self._control = _server(settings), command
        self._states = place(f"{settings.state_dir}/admin_state")
        self._generation = place(settings.generation_file)

    @property
    def card(self) -> Card:
        """What gdnsd can do."""
        return CARD

    def desired(self, steering: Steering) -> Records:
        """Whether each region is admitted, the TTL of answers without it, and the generation that is published."""
        out = self._evicted(steering)
        items = {
            _REGION + region.name: _value(steering.ttl_seconds if region.name in out else None)
            for region in self._table.regions
        }
        items[_PUBLISHED] = str(steering.generation)
        return Records(generation=steering.generation, items=tuple(sorted(items.items())))

    def read(self) -> Records:
        """The forced states that are written, the generation that is written, and the one that is answered."""
        try:
            own = admin_state.evicted(read_or_empty(self._states))
            generation = _RECORD.search(read_or_empty(self._generation))
        except (OSError, ValueError) as error:
            raise BackendError(f"gdnsd's files can't be read: {error}") from error
        names = {region.name for region in self._table.regions} | own.keys()
        items = {_REGION + name: _value(own.get(name)) for name in names}
        items[_PUBLISHED] = "".join(self._query(GENERATION, TXT)[:1])
        return Records(generation=int(generation[1]) if generation else 0, items=tuple(sorted(items.items())))

    def claim(self, generation: int) -> None:
        """Write the generation; it is answered once the zone is loaded anew."""
        self._write(self._generation, generation_text(generation))

    def apply(self, step: Step) -> None:
        """Write or take away one forced state, or load the zone that holds the generation."""
        if step.key == _PUBLISHED:
            self._load_zone()
            return
        try:
            text = read_or_empty(self._states)
        except (OSError, ValueError) as error:
            raise BackendError(f"{self._states} can't be read: {error}") from error
        own, name = admin_state.evicted(text), step.key.removeprefix(_REGION)
        own.pop(name, None)
        value = {} if step.action == DELETE else json.loads(step.after)
        if not value.get("admitted", True):
            own[name] = int(value["ttl"])
        self._write(self._states, admin_state.with_evicted(text, own))

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """Ask for `direct` as a resolver of each geography's client: the answers that a decision moves."""
        found = []
        for geography in sorted(geographies):
            client = client_address(self._table, self._site, geography)
            if not client:
                continue
            said = [name for _time in range(times) for name in self._names(self._query("direct", A, client))]
            counted = tuple((name, said.count(name)) for name in sorted(set(said)))
            found.append(Answer(geography=geography, served=counted))
        return tuple(found)

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """The first region in the decision's order that is up, else the static site."""
        if "regions" not in self._table.policy.front_door.chain:
            return frozenset([STATIC])
        out = self._evicted(steering)
        admissions = {region.name: 0.0 if region.name in out else 1.0 for region in self._table.regions}
        table = effective_table(self._table.policy, self._table.regions, admissions, steering.generation)
        return frozenset([name for name in table.route(geography).regions if name in up][:1] or [STATIC])

    def _evicted(self, steering: Steering) -> frozenset[str]:
        admissions = dict(steering.admissions)
        return frozenset(
            region.name for region in self._table.regions if admissions.get(region.name, 1.0) < ADMITTED
        )

    def _names(self, addresses: Collection[str]) -> list[str]:
        known = {region.endpoint: region.name for region in self._table.regions}
        if self._site.static_site:
            known[self._site.static_site.address] = STATIC
        return [known.get(address, address) for address in addresses]

    def _query(self, name: str, kind: int, client: str = "") -> tuple[str, ...]:
        try:
            return ask(*self._server, f"{name}.{self._table.policy.domain}", kind, client)
        except OSError as error:
            raise BackendError(f"gdnsd doesn't answer for {name} on {self._server[0]}: {error}") from error

    def _load_zone(self) -> None:
        try:
            done = subprocess.run(
                [*self._control, "reload-zones"], capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise BackendError(f"gdnsd's zone can't be loaded: {error}") from error
        if done.returncode:
            raise BackendError(f"gdnsd's zone can't be loaded: {done.stderr.strip()[-300:]}")

    def _write(self, path: Path, text: str) -> None:
        try:
            write_atomically(path, text, 0o644)
        except OSError as error:
            raise BackendError(f"{path} can't be written: {error}") from error


def generation_text(generation: int) -> str:
    """The part of the zone that holds the generation."""
    return f'{GENERATION} 5 TXT "{generation}"\n'


def _server(settings: Settings) -> tuple[str, int]:
    """The address and port of the first listener, as this host reaches it."""
    address, _colon, port = settings.listen[0].partition(":") if "::" not in settings.listen[0] else ("::1", "", "")
    return ("127.0.0.1" if address == "0.0.0.0" else address), int(port or 53)


def _value(ttl: int | None) -> str:
    return json.dumps({"admitted": True} if ttl is None else {"admitted": False, "ttl": ttl}, sort_keys=True)
