# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is taken out and why, who isn't, and how they come back."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decide import decide
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Region
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Observations
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import RegionState, State

from .world import BEGIN, EDGES, NAMES, World, default_policy, link

EU, EAST, WEST, ASIA = "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-1"
DOWN, VANTAGE, INTER = "REGION_DOWN", "VANTAGE_PARTITIONED", "INTER_REGION_PARTITION"

CUTS = (
    [(f"{edge} from {name}", {link(edge, name)}, {name: VANTAGE}) for edge in EDGES for name in NAMES]
    + [(f"{edge} from all", {link(edge, name) for name in NAMES}, {edge: VANTAGE}) for edge in EDGES]
    + [(f"{one} from {two}", {link(one, two)}, {one: INTER, two: INTER}) for one, two in combinations(NAMES, 2)]
    + [(f"{name} from the others", {link(name, other) for other in NAMES if other != name}, {name: INTER})
       for name in NAMES]
    + [(f"{name} from the edges", {link(edge, name) for edge in EDGES}, {name: DOWN}) for name in NAMES]
    + [
        (f"{name} from everything", {link(name, other) for other in (*NAMES, *EDGES) if other != name}, {name: DOWN})
        for name in NAMES
    ]
    + [
        ("the edges from everything", {link(edge, name) for edge in EDGES for name in NAMES},
         {**dict.fromkeys(NAMES, "COMMON_MODE")}),
    ]
)  # fmt: skip


@pytest.mark.parametrize(("cut", "verdicts"), [case[1:] for case in CUTS], ids=[case[0] for case in CUTS])
def test_every_cut_has_its_verdict(cut: set[frozenset[str]], verdicts: dict[str, str]) -> None:
    """And only a region that no edge reaches is taken out, by the third failed check."""
    world = World()
    world.tick(5)
    world.cut = cut
    world.tick(2)
    assert world.out() == set()
    world.tick(5)
    assert world.verdicts() == verdicts
    assert world.out() == {name for name, verdict in verdicts.items() if verdict == DOWN}
    world.cut = set()
    world.tick(30)
    assert world.verdicts() == {}


def test_a_dead_region_leaves_by_quorum_and_returns_by_the_ramp() -> None:
    world = World()
    world.tick(3)
    world.dead = {EU}
    decision = world.tick(3)
    assert (world.admission(EU), decision.ttl_seconds, decision.generation) == (0, 10, 2)
    assert [(c.region, c.after) for c in decision.changes] == [(EU, "EVICTED")]
    assert "edge-1: does not reach it; edge-2: does not reach it" in decision.changes[0].reason
    world.dead = set()
    world.tick(29)
    assert world.admission(EU) == 0, "the hold-down is 60 s"
    world.tick(1)
    steps = [world.admission(EU)]
    for _step in range(3):
        world.tick(15)
        steps.append(world.admission(EU))
    assert steps == [0.01, 0.1, 0.5, 1]
    assert world.phases(EU) == ["HEALTHY", "SUSPECT", "EVICTED", "RAMPING", "HEALTHY"]
    assert world.decisions[-1].ttl_seconds == 30
    assert world.decisions[-1].generation == 6
    assert world.tick(50).generation == 6, "nothing changes any more"


def test_an_abort_of_the_ramp_is_a_flap_and_doubles_the_hold_down() -> None:
    world = World()
    holds = []
    for _round in range(3):
        world.tick(3)
        world.dead = {EU}
        world.tick(4)
        assert world.admission(EU) == 0
        item = world.state.region(EU)
        holds.append((item.flaps, item.hold_until - item.since))
        world.dead = set()
        while world.admission(EU) == 0:
            world.tick()
    assert holds == [(0, 60), (1, 120), (2, 240)]
    world.policy = default_policy(failback={"hold_down_cap_seconds": 300})
    world.dead = {EU}
    world.tick(4)
    assert world.state.region(EU).hold_until - world.state.region(EU).since == 300
    world.dead = set()
    while world.state.region(EU).phase != "HEALTHY":
        world.tick()
    world.tick(400)
    world.dead = {EU}
    world.tick(4)
    assert world.state.region(EU).flaps == 0, "after 10 quiet minutes it begins anew"


@pytest.mark.parametrize(("ratio", "out"), [(1 / 16, {EU}), (1 / 25, set()), (0.05, set())])
def test_errors_above_five_percent_evict_with_confidence(ratio: float, out: set[str]) -> None:
    """6.25 % at 150 requests a second does, 4 % doesn't; the second tick decides."""
    world = World(requests=dict.fromkeys(NAMES, 150))
    world.tick(3)
    world.errors = {EU: ratio}
    world.tick(1)
    assert world.out() == set()
    world.tick(1)
    assert world.out() == out
    assert ("ERRORS" in world.verdicts().values()) is bool(out)


def test_latency_evicts() -> None:
    world = World(requests={EU: 50})
    world.tick(3)
    world.slow = {EU: 1.0}
    world.tick(2)
    assert (world.verdicts(), world.out()) == ({EU: "LATENCY"}, {EU})
    assert "edge-1: 375 of 375 requests, limit 5.0%" in world.decisions[-1].changes[0].reason


def test_errors_need_two_witnesses() -> None:
    world = World(requests={EU: 150}, errors={EU: 0.5}, edges=EDGES[:1], prometheus=False)
    decision = world.tick(3)
    assert (world.verdicts(), world.out()) == ({EU: "ERRORS"}, set())
    assert decision.changes[0].refused
    assert decision.changes[0].reason == "ERRORS, not taken out: fewer than 2 witnesses agree"
    world.prometheus = True
    world.tick(1)
    assert world.out() == {EU}


@pytest.mark.parametrize("wrong", ["dead", "errors"])
def test_without_prometheus_two_edges_are_enough(wrong: str) -> None:
    world = World(requests={EU: 150}, prometheus=False)
    world.tick(5)
    assert world.verdicts() == {}
    if wrong == "dead":
        world.dead = {EU}
    else:
        world.errors = {EU: 0.5}
    world.tick(4)
    assert world.out() == {EU}


def test_errors_that_one_edge_alone_sees_are_its_own() -> None:
    world = World(requests={EU: 300})
    world.tick(3)
    seen = world.observe()
    odd = tuple(
        replace(item, errors=item.requests / 2 if item.witness == "edge-1" else 0) if item.region == EU else item
        for item in seen.traffic
    )
    for _number in range(4):
        now = world.now + 2
        probes = tuple(replace(probe, at=now) for probe in seen.probes)
        world.tick(1, Observations(at=now, probes=probes, traffic=tuple(replace(item, at=now) for item in odd)))
    assert (world.verdicts(), world.out()) == ({EU: VANTAGE}, set())


def test_with_one_edge_peers_make_the_quorum() -> None:
    world = World(edges=EDGES[:1])
    world.tick(3)
    world.dead = {EU}
    world.tick(3)
    assert world.out() == {EU}


def test_one_edge_that_sees_nothing_is_cut_off_itself() -> None:
    world = World(edges=EDGES[:1])
    world.tick(3)
    world.dead = set(NAMES)
    world.tick(6)
    assert world.verdicts() == {**dict.fromkeys(NAMES, "UNKNOWN"), "edge-1": VANTAGE}
    assert world.out() == set()


def test_one_region_is_never_taken_out() -> None:
    world = World(names=(EAST,))
    world.dead = {EAST}
    world.tick(20)
    assert (world.out(), world.verdicts()) == (set(), {EAST: DOWN})
    assert world.decisions[-1].changes[0].refused


def test_no_observations_keep_the_last_answer() -> None:
    world = World()
    world.dead = {EU}
    world.tick(5)
    before = world.decisions[-1]
    world.silent = set(EDGES)
    after = world.tick(300)
    assert set(world.verdicts().values()) == {"UNKNOWN"}
    assert (after.admissions, after.generation) == (before.admissions, before.generation)


def test_what_most_regions_share_takes_nobody_out() -> None:
    world = World()
    world.tick(3)
    world.dead = {EU, EAST, WEST}
    world.tick(10)
    assert world.verdicts() == dict.fromkeys((EU, EAST, WEST), "COMMON_MODE")
    assert world.out() == set()


def test_when_everything_is_sick_the_evicted_are_let_back_in() -> None:
    world = World()
    world.tick(3)
    world.dead = {EU}
    world.tick(3)
    world.dead = set(NAMES)
    world.tick(5)
    assert world.admission(EU) == 0, "what peers saw last still counts"
    world.tick(1)
    assert dict(world.decisions[-1].admissions) == dict.fromkeys(NAMES, 1.0)
    assert world.state.region(EU).phase == "SUSPECT"
    world.dead = set()
    world.tick(60)
    assert dict(world.decisions[-1].admissions) == dict.fromkeys(NAMES, 1.0)
    assert {item.phase for item in world.state.regions} == {"HEALTHY"}


def test_the_last_healthy_one_comes_back_when_those_that_serve_fall_sick() -> None:
    """Evicted for errors, it has none without requests; its hold-down ends when the only other one dies."""
    world = World(names=(EAST, EU), requests={EU: 300}, errors={EU: 0.5})
    world.policy = replace(world.policy, geographies=tuple(
        (name, replace(geography, regions=tuple(n for n in geography.regions if n in world.names) or (EAST,)))
        for name, geography in world.policy.geographies
    ))  # fmt: skip
    world.tick(3)
    assert world.admission(EU) == 0
    world.requests = {}
    world.tick(3)
    world.dead = {EAST}
    world.tick(3)
    assert (world.admission(EU), world.admission(EAST)) == (1, 0)


def test_one_eviction_at_a_time() -> None:
    world = World()
    world.tick(3)
    world.dead = {EU, ASIA}
    world.tick(3)
    assert world.out() == {ASIA}
    refused = [change for change in world.decisions[-1].changes if change.refused]
    assert [(change.region, change.reason) for change in refused] == [
        (EU, "REGION_DOWN, not taken out: out already: ap-southeast-1")
    ]
    assert World(policy=default_policy(safety={"maximum_evictions": 0}), dead={EU}).tick(9).ttl_seconds == 30


def test_enough_regions_stay() -> None:
    world = World(policy=default_policy(safety={"minimum_serving": 4}), dead={EU})
    world.tick(5)
    assert world.decisions[-1].changes[0].reason.endswith("3 healthy regions would serve, 4 must")


def test_requests_are_not_sent_to_a_sick_receiver() -> None:
    """Europe's next is us-east-1: while it errs, eu-west-1 stays, and us-east-1 goes, whose next is well."""
    world = World(requests={EU: 300, EAST: 300}, errors={EU: 0.5, EAST: 0.5})
    world.tick(2)
    assert world.out() == {EAST}
    refused = world.decisions[-1].changes
    assert next((c.region, c.reason) for c in refused if c.refused) == (
        EU, "ERRORS, not taken out: us-east-1 would get its requests and is sick"
    )  # fmt: skip


def test_no_weight_is_moved_while_frozen_by_the_policy() -> None:
    world = World(policy=default_policy(safety={"freeze": True}), dead={EU})
    world.tick(10)
    assert world.out() == set()
    assert world.decisions[-1].changes[0].reason == "REGION_DOWN, not taken out: frozen by the policy"
    assert world.phases(EU) == ["HEALTHY"]


def test_a_clock_that_is_set_back_holds_nobody_for_ever() -> None:
    world = World()
    world.dead = {EU}
    world.tick(5)
    world.dead = set()
    world.now = BEGIN - 1_000_000
    world.tick(1900)
    assert world.admission(EU) == 1
    world.now += 1_000_000
    world.tick(10)
    assert world.verdicts() == {}


def test_regions_come_and_go() -> None:
    world = World()
    world.tick(3)
    generation = world.decisions[-1].generation
    world.names = NAMES[:3]
    assert world.tick().generation == generation + 1
    assert [item.name for item in world.state.regions] == sorted(NAMES[:3])


def test_drained_regions_are_left_alone() -> None:
    """A weight of 0 in the inventory is neither a receiver nor taken out."""
    world = World(names=(EAST, EU), dead={EU})
    world.policy = replace(world.policy, geographies=(("other", replace(
        world.policy.geography("other"), regions=(EU,))),))  # fmt: skip
    regions = (Region(name=EU), Region(name=EAST, weight=0))
    for _number in range(6):
        world.now += 2
        decision = decide(world.policy, regions, world.state, world.observe(), world.now)
        world.state = decision.state
    assert dict(decision.admissions) == {EU: 1, EAST: 1}


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1.0, 1e13])
def test_a_time_that_is_none_is_refused(now: float) -> None:
    with pytest.raises(InvalidError, match="no-time"):
        decide(default_policy(), (Region(name="a"),), State(), Observations(at=now), now)


def test_no_region_and_one_named_twice_are_refused() -> None:
    for regions in ((), (Region(name="a"), Region(name="a"))):
        with pytest.raises(InvalidError, match="regions-unusable"):
            decide(default_policy(), regions, State(), Observations(at=1), 1)


def test_a_fresh_state_names_an_unknown_region_healthy() -> None:
    assert State().region("x") == RegionState(name="x")


def test_a_prometheus_that_knows_only_the_percentile_is_a_witness_too() -> None:
    world = World(requests={EU: 100}, slow={EU: 0.5}, edges=EDGES[:1])
    for latency, out in ((4.9, set()), (5.1, {EU})):
        for _number in range(3):
            world.now += 2
            seen = world.observe()
            traffic = tuple(
                replace(item, slow=0, latency_seconds=latency) if item.witness == "prometheus" else item
                for item in seen.traffic
            )
            world.now -= 2
            world.tick(1, replace(seen, traffic=traffic))
        assert world.out() == out


def test_two_that_ramp_at_once_abort_alone() -> None:
    """A region on the ramp goes back to EVICTED, but never as the last one that is admitted."""
    world = World(names=(EAST, EU))
    world.policy = replace(world.policy, geographies=(("all", replace(
        world.policy.geography("other"), regions=(EU, EAST))),))  # fmt: skip
    world.tick(3)
    ramping = [replace(item, phase="RAMPING", admission=0.1, step_since=world.now) for item in world.state.regions]
    world.state = replace(world.state, regions=tuple(ramping))
    world.dead = {EU}
    world.tick(3)
    assert dict(world.decisions[-1].admissions) == {EAST: 0.1, EU: 0}


def test_edges_that_see_nothing_while_peers_do_keep_the_last_answer() -> None:
    world = World()
    world.tick(5)
    peers = world.observe()
    for _number in range(30):
        world.cut = {link(edge, name) for edge in EDGES for name in NAMES}
        heard = tuple(replace(item, at=world.now + 2) for item in peers.probes if item.kind == "peer")
        alone = world.ahead()
        world.tick(1, replace(alone, probes=alone.probes + heard))
    assert world.verdicts() == {**dict.fromkeys(NAMES, "UNKNOWN"), **dict.fromkeys(EDGES, VANTAGE)}
    assert world.out() == set()
