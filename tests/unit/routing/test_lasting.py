# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests lost on the way take no region out when that is over or has only begun, or while checks are undecided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    PROMETHEUS,
    Traffic,
)

from .world import EDGES, World

EU = "eu-west-1"
GOOD, BAD, EMPTY = (100.0, 0.0, 0.0), (100.0, 50.0, 50.0), (0.0, 0.0, 0.0)
BRIEF = "not in each of the last 5 ticks"


def judged(
    ticks: dict[str, list[tuple[float, float, float]]], own: float | None = 0.0, dead_at: int = 0
) -> tuple[set[str], str]:
    """Who is out after two looks at a window of these ticks (newest first), and what is doubted of the verdict.

    The region's Prometheus sees half of the requests, with this ratio of errors (`own`).
    At the look `dead_at` its checks fail.
    """
    world = World(edges=EDGES)
    world.tick(3)
    sent = sum(tick[0] for of_edge in ticks.values() for tick in of_edge)
    for look in (1, 2):
        world.dead = {EU} if look == dead_at else set()
        seen = world.ahead()
        traffic = tuple(
            Traffic(
                witness=name, region=EU, at=seen.at, window_seconds=15, ticks=tuple(of_edge),
                requests=sum(tick[0] for tick in of_edge), errors=sum(tick[1] for tick in of_edge),
            )
            for name, of_edge in ticks.items()
        )  # fmt: skip
        if own is not None:
            figures: dict[str, Any] = {"requests": sent / 2, "errors": sent / 2 * own, "latency_seconds": 0.1}
            traffic += (Traffic(witness=PROMETHEUS, region=EU, at=seen.at, window_seconds=15, **figures),)
        decision = world.tick(1, replace(seen, traffic=traffic))
    held = [item.reason for item in decision.changes if item.region == EU and item.refused]
    return world.out(), "; ".join(held)


@pytest.mark.parametrize(
    ("ticks", "out"),
    [
        ([BAD] * 5 + [GOOD] * 3, True),
        ([BAD] * 7, True),
        ([EMPTY, BAD, EMPTY, EMPTY, BAD, BAD, GOOD], True),
        ([GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD], False),
        ([BAD, BAD, BAD, BAD, GOOD, GOOD, GOOD], False),
        ([BAD, BAD, GOOD, BAD, BAD, BAD, BAD], False),
        ([BAD, BAD], False),
        ([BAD, BAD, EMPTY, EMPTY, EMPTY, EMPTY], False),
        ([BAD, BAD, BAD, EMPTY, EMPTY, (100.0, 1.0, 1.0)], False),
        ([(4.0, 0.0, 0.0), *[BAD] * 6], True),
    ],
    ids=[
        "five ticks", "always", "no requests", "over", "begun", "with a break", "watched since then", "nothing before",
        "a single error", "few requests",
    ],
)  # fmt: skip
def test_only_what_lasts_takes_it_out(ticks: list[tuple[float, float, float]], *, out: bool) -> None:
    gone, doubt = judged(dict.fromkeys(EDGES, ticks))
    assert gone == ({EU} if out else set())
    assert (BRIEF in doubt) is not out


def test_an_edge_without_a_memory_leaves_it_to_the_other_one() -> None:
    first, second = EDGES
    assert judged({first: [BAD] * 5, second: [BAD]})[0] == {EU}
    assert judged({first: [GOOD, BAD, BAD, BAD, BAD], second: [BAD]})[0] == {EU}, "the two together are bad"
    assert judged({first: [GOOD, BAD, BAD, BAD, BAD], second: [EMPTY] * 5})[0] == set()


def test_what_the_region_says_itself_need_not_last() -> None:
    brief = {name: [BAD, BAD, GOOD, GOOD] for name in EDGES}
    assert judged(brief)[0] == set()
    assert judged(brief, own=None)[0] == set()
    assert judged(brief, own=0.2, dead_at=2)[0] == {EU}


def test_undecided_checks_are_waited_for() -> None:
    lasting = {name: [BAD] * 5 for name in EDGES}
    assert judged(lasting, dead_at=2) == (set(), "ERRORS, not taken out: its checks are about to tell")
    assert judged(lasting, dead_at=1)[0] == {EU}, "they have spoken at the second look"
