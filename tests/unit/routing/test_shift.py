# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a region is moved when its receivers have little room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import PROMETHEUS, Traffic
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.verdicts import load_of

from .world import NAMES, World, default_policy

EU, EAST = "eu-west-1", "us-east-1"


@pytest.mark.parametrize(("room", "admission"), [(1000.0, 0.0), (300.0, 0.3), (225.0, 0.6), (130.0, 1.0), (0.0, 0.0)])
def test_a_shift_is_as_great_as_what_its_receiver_can_take(room: float, admission: float) -> None:
    """us-east-1 takes 100 already and keeps a fifth of its capacity free; 0 is a capacity that nobody knows."""
    world = World(requests={EU: 200, EAST: 100}, errors={EU: 0.5}, capacity={EAST: room})
    world.tick(2)
    assert world.admission(EU) == pytest.approx(admission)
    assert world.admission(EAST) == 1
    if 0 < admission < 1:
        assert world.state.region(EU).phase == "SUSPECT"
        world.requests[EU] = 200 * admission
        world.requests[EAST] = 100 + 200 * (1 - admission)
        world.tick(30)
        assert world.admission(EU) >= admission, "no more fits"
        world.errors = {}
        world.tick(100)
        assert world.admission(EU) == 1


def test_an_overloaded_region_sheds_what_is_too_much() -> None:
    """Taking it out would hand its load to the next one."""
    world = World(requests={EU: 200, EAST: 10}, capacity={EU: 100, EAST: 5000}, errors={EU: 0.3})
    world.tick(2)
    assert (world.admission(EU), world.verdicts()) == (0.4, {EU: "OVERLOADED"})
    world = World(requests={EU: 200}, capacity={EU: 100})
    world.tick(5)
    assert (world.out(), world.verdicts()) == (set(), {EU: "OVERLOADED"}), "it answers well"


@pytest.mark.parametrize("algorithm", ["weighted", "round_robin", "least_connections"])
def test_other_algorithms_spread_what_moves(algorithm: str) -> None:
    """300 requests a second to three receivers with room for 50 each: half of it fits."""
    world = World(
        policy=replace(default_policy(), algorithm=algorithm),
        requests={name: 300 if name == EU else 10 for name in NAMES},
        errors={EU: 0.5},
        capacity={name: 75 for name in NAMES if name != EU},
    )
    world.tick(2)
    assert world.admission(EU) == pytest.approx(0.5)


def test_a_partial_shift_is_completed_when_there_is_room() -> None:
    world = World(requests={EU: 200, EAST: 100}, errors={EU: 0.5}, capacity={EAST: 225})
    world.tick(2)
    hold = world.state.region(EU).hold_until
    world.requests, world.capacity = {EU: 120, EAST: 180}, {EAST: 5000}
    world.tick(14)
    assert world.admission(EU) == 0.6, "what was shifted is measured first"
    world.tick(1)
    assert (world.admission(EU), world.state.region(EU).hold_until) == (0, hold)


def test_a_load_that_has_just_begun_is_not_thinned_by_the_window() -> None:
    """Two edges with 150 requests a second each for 2 s, in a window of 15 s; a Prometheus can't tell of late."""
    own = Traffic(witness=PROMETHEUS, region=EU, at=0, window_seconds=15, requests=300, errors=0)
    edges = {name: replace(own, witness=name, recent_per_second=150.0) for name in ("edge-1", "edge-2")}
    assert load_of({**edges, PROMETHEUS: own}) == 300
    assert load_of({PROMETHEUS: own}) == 20
