# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end in memory, for tests: what it holds is what it answers."""

from __future__ import annotations

import json
from collections.abc import Collection

from ...routing.diff import after_step
from ...routing.model import RoutingTable
from ...routing.records import Card, Records, Step
from ..expectation import shares_served
from ..interface import Answer, BackendError, Steering
from .card import CARD


class Memory:
    """What adapters share: `records`, the number of `writes`, `broken` keys that fail, `up` regions (None: all)."""

    def __init__(self) -> None:
        self.records = Records(generation=0)
        self.writes = 0
        self.broken: frozenset[str] = frozenset()
        self.up: frozenset[str] | None = None


class MemoryAdapter:
    """A back end that is nothing but its records."""

    def __init__(self, table: RoutingTable, memory: Memory | None = None) -> None:
        self._table = table
        self.memory = memory or Memory()

    @property
    def card(self) -> Card:
        """What it can do."""
        return CARD

    def desired(self, steering: Steering) -> Records:
        """An admission a region, and the time to live."""
        given = dict(steering.admissions)
        names = [region.name for region in self._table.regions]
        items = {f"admission/{name}": json.dumps(float(given.get(name, 1))) for name in names}
        items["ttl"] = json.dumps(steering.ttl_seconds)
        return Records(generation=steering.generation, items=tuple(sorted(items.items())))

    def read(self) -> Records:
        """What it holds."""
        return self.memory.records

    def claim(self, generation: int) -> None:
        """Remember the generation."""
        self.memory.writes += 1
        self.memory.records = Records(generation=generation, items=self.memory.records.items)

    def apply(self, step: Step) -> None:
        """Do one step, unless its key is broken."""
        if step.key in self.memory.broken:
            raise BackendError(f"{step.key} is broken")
        self.memory.writes += 1
        self.memory.records = after_step(self.memory.records, step)

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """Every region that has a share, each with its part of `times`, at least one."""
        found = []
        for geography in sorted(geographies):
            shares = shares_served(self._table, self._admissions(), geography, self._up())
            served = tuple((name, max(1, round(share * times))) for name, share in sorted(shares.items()))
            found.append(Answer(geography=geography, served=served))
        return tuple(found)

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """Every region that the decision gives a share while exactly `up` are up."""
        return frozenset(shares_served(self._table, dict(steering.admissions), geography, up))

    def _admissions(self) -> dict[str, float]:
        held = ((key.partition("/"), text) for key, text in self.memory.records.items)
        return {name: float(json.loads(text)) for (kind, _slash, name), text in held if kind == "admission"}

    def _up(self) -> frozenset[str]:
        return frozenset(region.name for region in self._table.regions) if self.memory.up is None else self.memory.up
