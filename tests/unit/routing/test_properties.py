# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for the engine whatever happens."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decide import decide
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import (
    COMMON_MODE,
    OVERLOADED,
    Decision,
    effective_table,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.log import entry, parse, replay, verify
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import ALGORITHMS, Policy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    PEER,
    PROMETHEUS,
    Observations,
    Probe,
    Replication,
    Traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.safety import gate
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import (
    EVICTED,
    FORM,
    ORDERS,
    PHASES,
    RAMPING,
    Counter,
    Order,
    RegionState,
    State,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.verdicts import SICK

from .world import BEGIN, EDGES, NAMES, TICK, World, default_policy, link

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "40"))
QUICK = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 40)
POLICY = default_policy(failback={"hold_down_seconds": 8, "successes": 3, "ramp_step_seconds": 4})
LINKS = sorted((link(place, name) for place in (*EDGES, *NAMES) for name in NAMES if place != name), key=sorted)

EVENTS = st.one_of(
    st.tuples(st.just("dead"), st.sets(st.sampled_from(NAMES))),
    st.tuples(st.just("cut"), st.sets(st.sampled_from(LINKS))),
    st.tuples(st.just("silent"), st.sets(st.sampled_from(EDGES))),
    st.tuples(st.just("errors"), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0.04, 0.0625, 0.5, 1.0]))),
    st.tuples(st.just("slow"), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0.04, 0.5]))),
    st.tuples(st.just("requests"), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([1.0, 50.0, 400.0]))),
    st.tuples(st.just("capacity"), st.dictionaries(st.sampled_from(NAMES), st.sampled_from([100.0, 300.0]))),
)
STORIES = st.lists(st.tuples(EVENTS, st.integers(1, 12)), min_size=1, max_size=8)
MAXIMUM = st.integers(0, 3)
WEIGHTS = dict(zip(NAMES, (3.0, 1.0, 2.0, 1.0), strict=True))


def told(story: list[tuple[tuple[str, Any], int]], maximum: int = 1, algorithm: str = "geo") -> World:
    """A world in which a story has happened; nobody gave orders."""
    policy = replace(POLICY, algorithm=algorithm, safety=replace(POLICY.safety, maximum_evictions=maximum))
    world = World(policy=policy, requests=dict.fromkeys(NAMES, 50.0), weights=WEIGHTS)
    world.tick(2)
    for (kind, what), ticks in story:
        setattr(world, kind, what)
        world.tick(ticks)
    return world


def steps(world: World) -> list[tuple[Mapping[str, float], Decision]]:
    """Admissions before each decision, and the decision."""
    before = [{}, *(dict(decision.admissions) for decision in world.decisions)]
    return list(zip(before, world.decisions, strict=False))


@QUICK
@given(STORIES, MAXIMUM, st.sampled_from(ALGORITHMS))
@example([(("dead", {"us-east-1", "us-west-2"}), 4)], 1, "weighted")
@example([(("errors", {"us-east-1": 0.5, "us-west-2": 1.0}), 4)], 3, "round_robin")
@example(
    [(("requests", {"us-east-1": 1.0, "ap-southeast-1": 400.0}), 1), (("capacity", {"ap-southeast-1": 100.0}), 1),
     (("dead", {"us-east-1"}), 3)], 1, "weighted"
)  # fmt: skip
def test_whatever_happens_the_floors_hold(story: Any, maximum: int, algorithm: str) -> None:
    """Never the last region, at most so many out by itself, sound tables, generations that only grow with a change."""
    world = told(story, maximum, algorithm)
    last: Decision | None = None
    for before, decision in steps(world):
        admissions = dict(decision.admissions)
        assert any(ratio > 0 for ratio in admissions.values())
        assert sum(1 for item in decision.state.regions if item.admission < 1 and not item.held) <= maximum
        table = effective_table(world.policy, world.regions, admissions, decision.generation)
        assert gate(table, last.generation if last else 0, admissions) == ()
        sick = [item.subject for item in decision.verdicts if item.verdict in (*SICK, COMMON_MODE)]
        proven = {item.subject for item in decision.verdicts if item.verdict in SICK}
        taken = [name for name in admissions if admissions[name] < before.get(name, 1)]
        assert set(taken) <= proven
        if len([name for name in sick if name in admissions]) < len(admissions) and last:
            gained = [name for name in taken + sick if name in admissions and admissions[name] > before[name]]
            assert gained == [], "a sick region never gains weight unless everything is sick"
            overloaded = [item for item in decision.verdicts if item.verdict == OVERLOADED]
            full = [item.subject for item in overloaded if len(item.evidence) == 1]
            ailing = [name for name in sick if name not in full]
            assert risen(world, before, admissions, ailing) == [], "nor share; one that is full and answers well may"
        if last:
            same = (last.admissions, last.ttl_seconds) == (decision.admissions, decision.ttl_seconds)
            assert decision.generation == last.generation + (not same)
        for item in decision.state.regions:
            assert (item.phase == EVICTED) is (item.admission == 0)
            assert item.phase != RAMPING or 0 < item.admission < 1
        last = decision


def risen(world: World, before: Mapping[str, float], after: Mapping[str, float], names: list[str]) -> list[str]:
    """Which of these regions some geography sends a greater share of its requests to than before."""
    tables = [effective_table(world.policy, world.regions, admissions, 1) for admissions in (before, after)]
    routes = zip(*(table.routes for table in tables), strict=True)
    shares = [[dict(zip(route.regions, route.shares, strict=True)) for route in pair] for pair in routes]
    return [name for name in names for old, new in shares if new.get(name, 0.0) > old.get(name, 0.0) + 1e-9]


@QUICK
@given(STORIES)
def test_no_region_that_edges_reach_and_that_answers_well_is_evicted(story: Any) -> None:
    """Cuts, deaths and silence only: whoever loses admission had most edges failing at that tick."""
    world = World(policy=POLICY)
    world.tick(2)
    for (kind, what), ticks in story:
        if kind not in ("dead", "cut", "silent"):
            continue
        setattr(world, kind, what)
        for _tick in range(ticks):
            before = dict(world.decisions[-1].admissions)
            after = dict(world.tick().admissions)
            for name in NAMES:
                if after[name] < before[name]:
                    heard = [edge for edge in EDGES if edge not in world.silent]
                    assert not any(world.reaches(edge, name) for edge in heard)


@QUICK
@given(STORIES, st.randoms(use_true_random=False), st.integers(-3, 3))
def test_input_order_never_matters(story: Any, chance: random.Random, shift: int) -> None:
    world = told(story)
    seen, now = world.observe(), world.now + TICK * shift
    doubled = seen.probes + tuple(replace(probe, ok=not probe.ok, at=probe.at - 1) for probe in seen.probes)

    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(items, len(items)))

    state = world.state
    given_orders = tuple(Order(kind=kind, region=NAMES[0], by=kind, reason="x", at=1) for kind in ORDERS)
    first = decide(world.policy, world.regions, replace(state, orders=given_orders), replace(seen, probes=doubled), now)
    other = Observations(at=seen.at, probes=shuffled(doubled), traffic=shuffled(seen.traffic))
    shaken = replace(state, orders=shuffled(given_orders))
    assert decide(world.policy, shuffled(world.regions), shaken, other, now) == first
    assert decide(world.policy, world.regions, first.state, other, now).generation == first.generation


@QUICK
@given(STORIES, st.sampled_from(ALGORITHMS))
def test_a_log_replays_to_the_same_bytes(story: Any, algorithm: str) -> None:
    world, head = World(policy=replace(POLICY, algorithm=algorithm), requests=dict.fromkeys(NAMES, 50.0)), ""
    lines: list[str] = []
    for (kind, what), ticks in story:
        setattr(world, kind, what)
        for _tick in range(ticks):
            before = world.state
            decision = world.tick()
            line = entry(world.policy, world.regions, before, world.observe(), decision, head)
            if line:
                lines.append(line)
                head = parse(line)["hash"]
    assert list(replay(lines)) == lines
    assert verify(lines, head, "").problems == ()


def flapping(seed: int, together: bool) -> World:
    """Ten minutes in which half of all checks of a region fail, each for itself or all at once."""
    chance = random.Random(seed)
    world = World()
    world.tick(3)
    for _tick in range(300):
        world.now += TICK
        coin = chance.random() < 0.5
        probes = tuple(
            replace(probe, ok=coin if together else chance.random() < 0.5) if probe.region == "eu-west-1" else probe
            for probe in world.observe().probes
        )
        seen = Observations(at=world.now, probes=probes)
        world.decisions.append(decide(world.policy, world.regions, world.state, seen, world.now))
        world.state = world.decisions[-1].state
    return world


@settings(QUICK, max_examples=EXAMPLES // 8 + 1)
@given(st.integers(0, 2**32), st.booleans())
def test_half_of_all_checks_failing_makes_at_most_one_transition(seed: int, together: bool) -> None:
    world = flapping(seed, together)
    moves = sum(1 for before, decision in steps(world)[1:] if before != dict(decision.admissions))
    assert moves <= 1
    assert world.out() <= {"eu-west-1"}


NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, -1.0, BEGIN, BEGIN + 5, 1e300, float("inf"), float("nan")]), st.floats())
SMALL = st.sampled_from([*NAMES[:2], *EDGES, PROMETHEUS, "", "x" * 300])
ODD = st.builds(
    Observations,
    at=NUMBERS,
    probes=st.lists(
        st.builds(
            Probe, vantage=SMALL, kind=st.sampled_from([EDGE, PEER, "?"]), region=SMALL, at=NUMBERS,
            ok=st.sampled_from([True, False, None]),
        ),
        max_size=6,
    ).map(tuple),
    traffic=st.lists(
        st.builds(
            Traffic, witness=SMALL, region=SMALL, at=NUMBERS, window_seconds=NUMBERS, requests=NUMBERS,
            errors=NUMBERS, slow=NUMBERS, latency_seconds=st.one_of(st.none(), NUMBERS),
            ticks=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=5).map(tuple),
        ),
        max_size=6,
    ).map(tuple),
    replication=st.lists(st.builds(Replication, region=SMALL, at=NUMBERS), max_size=2).map(tuple),
)  # fmt: skip
FINITE = st.floats(-1e12, 1e12)
STATES = st.builds(
    State,
    generation=st.integers(0, 9),
    at=FINITE,
    regions=st.lists(
        st.builds(
            RegionState, name=SMALL, phase=st.sampled_from(PHASES), since=FINITE, admission=st.floats(0, 1),
            step=st.integers(0, 99), step_since=FINITE, successes=st.integers(0, 10**9), flaps=st.integers(0, 10**9),
            hold_until=FINITE, returned=FINITE, verdict=SMALL, reason=SMALL,
            counters=st.lists(
                st.builds(
                    Counter, vantage=SMALL, kind=SMALL, failures=st.integers(-9, 9), successes=st.integers(-9, 9),
                    last=FINITE, down=st.booleans(),
                ),
                max_size=3,
            ).map(tuple),
        ),
        max_size=3, unique_by=lambda item: item.name,
    ).map(tuple),
    orders=st.lists(
        st.builds(Order, kind=st.sampled_from(ORDERS), region=SMALL, by=SMALL, reason=SMALL, at=FINITE, until=FINITE),
        max_size=2,
    ).map(tuple),
)  # fmt: skip


@QUICK
@given(ODD, STATES, NUMBERS)
def test_no_input_however_odd_raises_anything_else(seen: Observations, state: State, now: float) -> None:
    world = World(policy=POLICY, names=NAMES[:2])
    policy = replace(POLICY, geographies=compiled(world))
    try:
        decision = decide(policy, world.regions, state, seen, now)
    except RoutingError:
        return
    effective_table(policy, world.regions, dict(decision.admissions), decision.generation)
    assert all(0 <= ratio <= 1 for _name, ratio in decision.admissions)
    assert State.from_dict(decision.state.to_dict()) == decision.state


def compiled(world: World) -> Any:
    """The policy's geographies with the regions of a small world."""
    found = tuple(
        (name, replace(geography, regions=tuple(n for n in geography.regions if n in world.names) or world.names[:1]))
        for name, geography in POLICY.geographies
    )
    compile_table(replace(POLICY, geographies=found), world.regions, 1)
    return found


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@QUICK
@given(
    JSON,
    st.dictionaries(st.sampled_from(["at", "probes", "traffic", "generation", "regions", "orders", "log_head"]), JSON),
    st.text(),
)
def test_forms_raise_their_own_error(anything: Any, fields: dict[str, Any], text: str) -> None:
    for data in (anything, fields, {"form": FORM, "version": 1, **fields}):
        for cls in (Observations, State):
            try:
                cls.from_dict(data)
            except RoutingError as error:
                assert str(error)
    try:
        list(replay([text]))
    except RoutingError as error:
        assert str(error)
    verify([text])
    assert isinstance(POLICY, Policy)


@pytest.mark.long
def test_all_of_it_with_many_more_examples() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not long", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env={**os.environ, "PROPERTY_EXAMPLES": "1000"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
