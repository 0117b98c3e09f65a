# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sick region that still serves gains no share when another one is taken out, whatever the algorithm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import (
    FORCE_UP,
    FREEZE,
    Order,
    RegionState,
)

from .world import NAMES, World, default_policy

EU, EAST, WEST, ASIA = "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-1"
SPREAD = ["weighted", "round_robin", "least_connections"]


def spread(algorithm: str = "weighted", maximum: int = 1, **changes: Any) -> World:
    """A world that spreads requests, after a while in which all is well."""
    policy = replace(default_policy(safety={"maximum_evictions": maximum}), algorithm=algorithm)
    world = World(**{"policy": policy, "requests": dict.fromkeys(changes.get("names", NAMES), 100.0), **changes})
    world.tick(25)
    return world


@pytest.mark.parametrize("algorithm", SPREAD)
def test_what_one_sick_region_had_goes_to_healthy_ones_alone(algorithm: str) -> None:
    world = spread(algorithm)
    assert world.shares() == dict.fromkeys(NAMES, 0.25)
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    assert world.shares() == pytest.approx({EAST: 0, WEST: 0.25, EU: 0.375, ASIA: 0.375})
    assert [(change.region, change.after, change.reason) for change in world.decisions[-1].changes] == [
        (EAST, "EVICTED", world.state.region(EAST).reason),
        (WEST, "SUSPECT", "ERRORS, held at its share: us-east-1 is taken out"),
        (WEST, "SUSPECT", "ERRORS, not taken out: out already: us-east-1"),
    ]
    assert world.tick(50).generation == 2, "once is enough"


def test_weights_count() -> None:
    world = spread(weights={EAST: 5, WEST: 1, EU: 3, ASIA: 1})
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    assert world.shares() == pytest.approx({EAST: 0, WEST: 0.1, EU: 0.675, ASIA: 0.225})
    assert spread("round_robin", weights={EAST: 5}).shares() == dict.fromkeys(NAMES, 0.25)


def test_to_be_held_uses_up_no_eviction() -> None:
    """Of three sick ones of seven two may go; the third stays where it is, and none is taken for two."""
    names = (*NAMES, "eu-north-1", "sa-east-1", "af-south-1")
    world = spread(maximum=2, names=names)
    before = world.shares()
    world.errors = {ASIA: 0.5, EAST: 0.5, WEST: 0.5}
    world.tick(2)
    out = [item.name for item in world.state.regions if item.admission == 0]
    assert out == [ASIA, EAST]
    assert world.shares()[WEST] == pytest.approx(before[WEST])
    assert world.state.region(WEST).held and not world.state.region(EAST).held


def test_who_was_held_and_is_well_comes_back_at_once() -> None:
    """It was never out, so it has no hold-down, no ramp, and no flap."""
    world = spread()
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    assert world.admission(WEST) == pytest.approx(2 / 3)
    world.errors = {EAST: 0.5}
    world.tick(19)
    assert world.admission(WEST) < 1, "20 good ones in a row"
    world.tick(1)
    assert world.state.region(WEST) == RegionState(
        name=WEST, since=world.now, successes=20, verdict="OK", reason="well 20 times in a row",
        counters=world.state.region(WEST).counters, step=0, step_since=world.state.region(WEST).step_since,
    )  # fmt: skip
    assert world.admission(EAST) == 0


def test_who_was_held_is_taken_out_like_any_other() -> None:
    """With a hold-down from then on."""
    world = spread()
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    world.errors = {WEST: 0.5}
    while world.admission(WEST):
        world.tick()
    assert world.admission(EAST) == 1, "the one eviction is free again"
    item = world.state.region(WEST)
    assert (item.phase, item.held, item.hold_until) == ("EVICTED", False, world.now + 60)


def test_a_clock_that_is_set_back_doesnt_make_an_eviction_of_it() -> None:
    world = spread()
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    world.now -= 5000
    world.tick()
    assert world.state.region(WEST).held


def test_all_that_are_held_are_let_back_in_when_everything_is_sick() -> None:
    world = spread()
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    world.errors = dict.fromkeys(NAMES, 0.5)
    world.tick(2)
    assert dict(world.decisions[-1].admissions) == dict.fromkeys(NAMES, 1.0)
    assert not any(item.held for item in world.state.regions)


@pytest.mark.parametrize("kind", [FORCE_UP, FREEZE])
def test_where_an_operator_keeps_a_sick_one_as_it_is_no_other_goes(kind: str) -> None:
    world = spread()
    world.state = replace(world.state, orders=(Order(kind=kind, region=WEST, by="ana", reason="work", at=world.now),))
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(3)
    assert world.out() == set()
    assert world.state.region(EAST).reason == "ERRORS, not taken out: us-west-2 would get its requests and is sick"


def test_an_operators_order_takes_a_held_one_over() -> None:
    world = spread()
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    order = Order(kind=FORCE_UP, region=WEST, by="ana", reason="work", at=world.now)
    world.state = replace(world.state, orders=(order,))
    world.tick()
    assert (world.admission(WEST), world.state.region(WEST).held) == (1, False)


@pytest.mark.parametrize("algorithm", SPREAD)
def test_an_abort_of_the_ramp_gives_a_sick_one_nothing(algorithm: str) -> None:
    world = spread(algorithm)
    world.errors = {EAST: 0.5}
    world.tick(2)
    world.errors = {}
    while world.admission(EAST) < 0.5:
        world.tick()
    world.errors, before = {EAST: 0.5, WEST: 0.5}, world.shares()
    world.tick(2)
    assert world.admission(EAST) == 0
    assert world.shares()[WEST] == pytest.approx(before[WEST])


def test_the_ramp_isnt_aborted_for_a_sick_receiver() -> None:
    """Under `geo` there is no share to be held at: both are sick, so the region stays on its step."""
    world = World(requests=dict.fromkeys(NAMES, 100.0), errors={EU: 0.5})
    world.tick(2)
    world.errors = {}
    while world.admission(EU) < 0.5:
        world.tick()
    world.errors, before = {EU: 0.5, EAST: 0.5}, world.shares("europe")
    world.tick(30)
    assert world.shares("europe") == before == {EU: 0.5, EAST: 0.5, WEST: 0, ASIA: 0}
    assert world.state.region(EU).reason == "ERRORS, not taken out: us-east-1 would get its requests and is sick"
    world.errors = {EU: 0.5}
    world.tick(2)
    assert world.admission(EU) == 0


def test_capacity_is_judged_by_the_healthy_receivers_alone() -> None:
    """80 fit into each of the two: four tenths of what us-east-1 has stays, and us-west-2 keeps its 100."""
    capacity = {EU: 125.0 + 30 / 0.8, ASIA: 125.0 + 30 / 0.8}
    world = spread(capacity=capacity)
    world.errors = {EAST: 0.5, WEST: 0.5}
    world.tick(2)
    assert world.admission(EAST) == 0.4
    assert world.shares()[WEST] == pytest.approx(0.25)
