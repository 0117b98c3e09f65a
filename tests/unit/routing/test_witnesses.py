# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region's own Prometheus says of the errors that edges count: in haste, late, or lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import Verdict, effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    PROMETHEUS,
    Traffic,
)

from .world import EDGES, World

EU = "eu-west-1"
HASTE: Mapping[str, Any] = {"requests": 2000.0, "errors": 0.0, "latency_seconds": 1.2}


def look(world: World, own: Mapping[str, Any] | None, **counted: float) -> Verdict:
    """One tick in which the edges together count 2,000 requests, 10 % of them errors unless `counted` says otherwise.

    `own` is what the region's Prometheus counts, `age` of it in seconds; None: there is no such witness.
    """
    seen = world.ahead()
    shares: dict[str, Any] = {"requests": 2000.0 / len(world.edges), "errors": 200.0 / len(world.edges), **counted}
    common: dict[str, Any] = {"region": EU, "window_seconds": 15}
    traffic = [Traffic(witness=name, at=seen.at, **common, **shares) for name in world.edges]
    if own is not None:
        figures = {name: value for name, value in own.items() if name != "age"}
        traffic.append(Traffic(witness=PROMETHEUS, at=seen.at - own.get("age", 0), **common, **figures))
    decision = world.tick(1, replace(seen, traffic=tuple(traffic)))
    return next(item for item in decision.verdicts if item.subject == EU)


def judged(own: Mapping[str, Any] | None, edges: tuple[str, ...] = EDGES, **counted: float) -> tuple[World, Verdict]:
    """Four such ticks."""
    world = World(edges=edges)
    world.tick(3)
    return world, [look(world, own, **counted) for _tick in range(4)][-1]


@pytest.mark.parametrize("edges", [EDGES, EDGES[:1]])
def test_clients_in_haste_take_no_region_out(edges: tuple[str, ...]) -> None:
    """It answers all of them, well, in 1.2 s; the edges cut one of ten off after 1 s."""
    world, verdict = judged(HASTE, edges)
    assert (verdict.verdict, world.out()) == ("VANTAGE_PARTITIONED", set())
    assert verdict.evidence[-1] == "prometheus: 0.95 of requests within 1.2 s: disputed by its own Prometheus"


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (None, "ERRORS"),
        ({**HASTE, "age": 30}, "ERRORS"),
        ({**HASTE, "requests": 1800.0}, "ERRORS"),
        ({**HASTE, "errors": 80.0}, "ERRORS"),
        ({**HASTE, "latency_seconds": None}, "ERRORS"),
        ({**HASTE, "latency_seconds": 6.0, "errors": 200.0}, "ERRORS"),
        ({**HASTE, "latency_seconds": 6.0, "requests": 19.0}, "ERRORS"),
        ({**HASTE, "latency_seconds": 6.0}, "LATENCY"),
    ],
    ids=["no Prometheus", "an old one", "saw fewer", "not surely fewer", "no percentile", "both", "few", "late"],
)
def test_what_its_prometheus_does_not_refute_takes_it_out(own: Mapping[str, Any] | None, reason: str) -> None:
    world, verdict = judged(own)
    assert (verdict.verdict, world.out()) == (reason, {EU})


def test_late_answers_that_one_edge_cut_off_have_a_second_witness() -> None:
    """The edge counts them as errors; the percentile names the reason and agrees."""
    world, verdict = judged({**HASTE, "latency_seconds": 6.0}, EDGES[:1])
    assert (verdict.verdict, world.out()) == ("LATENCY", {EU})
    assert verdict.evidence[-1] == "prometheus: 0.95 of requests within 6 s, limit 5 s"


def test_slow_answers_that_the_edges_timed_are_not_refuted() -> None:
    world, verdict = judged(HASTE, slow=200.0)
    assert (verdict.verdict, world.out()) == ("LATENCY", {EU})


def test_haste_does_not_hold_a_region_back_but_failed_checks_do() -> None:
    world, _verdict = judged(HASTE)
    assert world.state.region(EU).successes == 7
    world.dead = {EU}
    look(world, HASTE)
    assert world.state.region(EU).successes == 0


def test_no_admission_counts_for_more_than_all() -> None:
    world = World()
    table = effective_table(world.policy, world.regions, {EU: 5.0}, 1)
    assert all(0 <= share <= 1 for route in table.routes for share in route.shares)
