# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators' orders: carried out, refused by the gate, overruled by name, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.orders import (
    RefusedOrderError,
    live,
    refusals,
    with_order,
    without_order,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import (
    DRAIN,
    FLEET,
    FORCE_DOWN,
    FORCE_UP,
    FREEZE,
    Order,
)

from .world import NAMES, World, default_policy

EU, EAST, WEST, ASIA = "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-1"


def order(world: World, kind: str, region: str, **changes: Any) -> Order:
    """Give an order that the gate takes, in the world's present."""
    made = replace(Order(kind=kind, region=region, by="ana", reason="work", at=world.now), **changes)
    world.state = with_order(world.state, made, world.policy, world.regions, world.now, world.observe())
    return made


def begun(**changes: Any) -> World:
    """A world in which all is well."""
    world = World(**changes)
    world.tick(25)
    return world


@pytest.mark.parametrize("kind", [FORCE_DOWN, DRAIN])
def test_out_and_back_by_the_ramp_without_a_hold_down(kind: str) -> None:
    world = begun()
    order(world, kind, EU)
    decision = world.tick()
    assert (world.admission(EU), decision.state.region(EU).reason) == (0, f"{kind} by ana: work")
    assert world.tick(5).generation == decision.generation
    world.state = without_order(world.state, EU, world.regions)
    world.tick(2)
    assert world.admission(EU) == 0.01
    world.tick(50)
    assert world.admission(EU) == 1


def test_orders_end_by_themselves() -> None:
    world = begun()
    order(world, DRAIN, EU, until=world.now + 10)
    world.tick(4)
    assert world.admission(EU) == 0
    world.tick(2)
    assert (world.admission(EU), world.state.orders) == (0.01, ())


def test_an_order_doesnt_use_up_the_one_eviction() -> None:
    world = begun()
    order(world, DRAIN, EU)
    world.tick()
    world.dead = {ASIA}
    world.tick(3)
    assert world.admission(ASIA) == 0


def test_force_up_keeps_a_sick_region_in() -> None:
    world = begun()
    world.dead = {EU}
    order(world, FORCE_UP, EU)
    world.tick(10)
    assert (world.admission(EU), world.verdicts()) == (1, {EU: "REGION_DOWN"})
    world.state = without_order(world.state, EU, world.regions)
    world.tick(1)
    assert world.admission(EU) == 0
    order(world, FORCE_UP, EU)
    world.tick(1)
    assert (world.admission(EU), world.state.region(EU).phase) == (1, "HEALTHY")


@pytest.mark.parametrize("region", [FLEET, EU])
def test_freeze_stops_what_moves_by_itself(region: str) -> None:
    world = begun()
    order(world, FREEZE, region)
    world.dead = {EU}
    world.tick(5)
    assert world.out() == set()
    assert world.decisions[-1].changes[0].reason == "REGION_DOWN, not taken out: frozen by ana: work"
    world.dead = set()
    order(world, DRAIN, EU, until=world.now + 4)
    world.tick(1)
    assert world.admission(EU) == 0, "an order is no automatic move"
    world.tick(100)
    assert world.admission(EU) == 0, "nor does it come back by itself"
    world.state = without_order(world.state, region, world.regions, (FREEZE,))
    world.tick(50)
    assert world.admission(EU) == 1


def test_the_gate_tells_all_reasons_and_force_overrules_them() -> None:
    world = begun(policy=default_policy(safety={"minimum_serving": 2}), names=(EU, EAST))
    world.policy = replace(world.policy, geographies=(("all", replace(
        world.policy.geography("other"), regions=(EU, EAST))),))  # fmt: skip
    world.requests, world.capacity = {EU: 100, EAST: 100}, {EAST: 200}
    wanted = Order(kind=DRAIN, region=EU, by="ana", reason="work", at=world.now)
    with pytest.raises(RefusedOrderError) as error:
        with_order(world.state, wanted, world.policy, world.regions, world.now, world.observe())
    assert [problem.id for problem in error.value.problems] == ["minimum-serving", "capacity"]
    assert "its receivers can take 60% of its requests" in str(error.value)
    order(world, DRAIN, EU, force=True)
    world.tick()
    assert world.admission(EU) == 0
    last = Order(kind=FORCE_DOWN, region=EAST, by="ana", reason="work", at=world.now)
    found = refusals(world.state, last, world.policy, world.regions, world.now)
    assert [problem.id for problem in found] == ["last-region", "minimum-serving"]
    order(world, FORCE_DOWN, EAST, force=True)
    assert dict(world.tick(3).admissions) == {EU: 0, EAST: 0}, "by name, twice"


def test_a_sick_region_is_no_receiver() -> None:
    world = begun(names=(EU, EAST))
    world.policy = replace(world.policy, geographies=(("all", replace(
        world.policy.geography("other"), regions=(EU, EAST))),))  # fmt: skip
    world.dead = {EAST}
    world.state = with_order(
        world.state, Order(kind=FREEZE, region="", by="a", reason="b", at=world.now), world.policy, world.regions, 0
    )
    world.tick(4)
    with pytest.raises(RefusedOrderError, match="last-region"):
        order(world, DRAIN, EU)


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"kind": "stop"}, "order-kind"),
        ({"region": "mars"}, "order-region"),
        ({"region": FLEET}, "order-region"),
        ({"by": " "}, "order-unsigned"),
        ({"reason": ""}, "order-unsigned"),
        ({"until": 1.0}, "order-expired"),
        ({"until": -1.0}, "order-expired"),
        ({"until": float("nan")}, "order-expired"),
    ],
)
def test_an_order_without_form_is_refused_whatever_the_force(changes: dict[str, Any], id: str) -> None:
    world = begun()
    with pytest.raises(RefusedOrderError) as error:
        order(world, **{"kind": DRAIN, "region": EU, "force": True, **changes})
    assert [problem.id for problem in error.value.problems] == [id]


@pytest.mark.parametrize(("region", "kinds"), [("mars", (DRAIN,)), ("mars", (FREEZE,)), (FLEET, (DRAIN, FORCE_UP))])
def test_an_end_of_orders_that_there_cant_be_is_refused(region: str, kinds: tuple[str, ...]) -> None:
    world = begun()
    with pytest.raises(RefusedOrderError, match="order-region"):
        without_order(world.state, region, world.regions, kinds)
    assert without_order(world.state, EU, world.regions, (DRAIN,)) == world.state, "there is none, as wanted"
    assert without_order(world.state, FLEET, world.regions, (FREEZE,)) == world.state


def test_the_latest_order_of_a_region_counts() -> None:
    world = begun()
    first, frozen = order(world, DRAIN, EU), order(world, FREEZE, EU)
    world.tick()
    second = order(world, FORCE_UP, EU)
    assert set(world.state.orders) == {frozen, second}
    gone = replace(first, region="mars")
    assert live([second, gone, first, frozen], NAMES, world.now) == live([frozen, first, second], NAMES, world.now)
    assert set(live([first, second, frozen], NAMES, world.now)) == {second, frozen}
