# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small world for the engine: regions and edges with links that can be cut, looked at every two seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decide import decide
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import (
    Decision,
    effective_table,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    PEER,
    PROMETHEUS,
    Observations,
    Probe,
    Traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import State

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1")
EDGES = ("edge-1", "edge-2")
BEGIN = 1_000_000_000.0
TICK = 2.0


def default_policy(**sections: dict[str, Any]) -> Policy:
    """The policy that the local inventory ships with, some keys of its sections changed."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)["routing_policy"]
    for name, keys in sections.items():
        data[name] = {**data[name], **keys} if isinstance(keys, dict) else keys
    return Policy.from_dict(data)


def link(one: str, other: str) -> frozenset[str]:
    """A link by its ends."""
    return frozenset((one, other))


@dataclass
class World:
    """Everything that can be wrong with regions, and the engine that looks at them."""

    policy: Policy = field(default_factory=default_policy)
    names: tuple[str, ...] = NAMES
    edges: tuple[str, ...] = EDGES
    state: State = field(default_factory=State)
    now: float = BEGIN
    dead: set[str] = field(default_factory=set)
    cut: set[frozenset[str]] = field(default_factory=set)
    errors: dict[str, float] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    requests: dict[str, float] = field(default_factory=dict)
    capacity: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    prometheus: bool = True
    decisions: list[Decision] = field(default_factory=list)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The fleet in the inventory's order."""
        return tuple(
            Region(
                name=name,
                order=order,
                primary=order == 0,
                weight=self.weights.get(name, 1),
                capacity_rps=self.capacity.get(name, 0),
            )
            for order, name in enumerate(self.names)
        )

    def reaches(self, place: str, region: str) -> bool:
        """Whether a probe from one place is answered."""
        return region not in self.dead and link(place, region) not in self.cut

    def observe(self) -> Observations:
        """What edges see, what they are told by the peers that they reach, and the counted requests."""
        edges = [edge for edge in self.edges if edge not in self.silent]
        probes = [
            Probe(vantage=edge, kind=EDGE, region=name, at=self.now, ok=self.reaches(edge, name))
            for edge in edges
            for name in self.names
        ]
        probes += [
            Probe(vantage=peer, kind=PEER, region=name, at=self.now, ok=self.reaches(peer, name))
            for peer, name in permutations(self.names, 2)
            if self.prometheus and any(self.reaches(edge, peer) for edge in edges)
        ]
        return Observations(at=self.now, probes=tuple(probes), traffic=tuple(self._traffic(edges)))

    def _traffic(self, edges: list[str]) -> Iterable[Traffic]:
        window = self.policy.health.window_seconds
        for name, rate in self.requests.items():
            shares = {edge: 1 / len(edges) for edge in edges} | ({PROMETHEUS: 1.0} if self.prometheus else {})
            for witness, share in shares.items():
                amount = float(round(rate * window * share))
                yield Traffic(
                    witness=witness,
                    region=name,
                    at=self.now,
                    window_seconds=window,
                    requests=amount,
                    errors=amount * self.errors.get(name, 0),
                    slow=amount * self.slow.get(name, 0),
                )

    def ahead(self) -> Observations:
        """What the next tick would observe, at its time."""
        self.now += TICK
        seen = self.observe()
        self.now -= TICK
        return seen

    def tick(self, count: int = 1, observations: Observations | None = None) -> Decision:
        """Decide so many times."""
        for _number in range(count):
            self.now += TICK
            seen = self.observe() if observations is None else replace(observations, at=self.now)
            self.decisions.append(decide(self.policy, self.regions, self.state, seen, self.now))
            self.state = self.decisions[-1].state
        return self.decisions[-1]

    def shares(self, geography: str = "other") -> dict[str, float]:
        """The share of a geography's requests that each region gets by the last decision."""
        last = self.decisions[-1]
        route = effective_table(self.policy, self.regions, dict(last.admissions), last.generation).route(geography)
        return dict(zip(route.regions, route.shares, strict=True))

    def verdicts(self) -> dict[str, str]:
        """Subject to verdict of the last decision, those other than OK."""
        return {item.subject: item.verdict for item in self.decisions[-1].verdicts if item.verdict != "OK"}

    def admission(self, name: str) -> float:
        """A region's admission now."""
        return dict(self.decisions[-1].admissions)[name]

    def phases(self, name: str) -> list[str]:
        """The phases that a region went through."""
        found: list[str] = []
        for decision in self.decisions:
            phase = decision.state.region(name).phase
            if not found or found[-1] != phase:
                found.append(phase)
        return found

    def out(self) -> set[str]:
        """Regions that were ever taken out, wholly or partly."""
        return {name for decision in self.decisions for name, ratio in decision.admissions if ratio < 1}
