# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision log: bound together, small, replayable; and the forms of state and observations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.log import (
    canonical,
    digest,
    entry,
    inputs_hash,
    parse,
    replay,
    rows,
    verify,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Observations
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.orders import with_order, without_order
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import Order, State

from .world import EDGES, World, link

EU, WEST = "eu-west-1", "us-west-2"


def incident(known: bool = False) -> list[str]:
    """The log of a cut, a death, a drain and the way back."""
    lines: list[str] = []
    world, head = World(requests={EU: 150}), ""
    for number in range(140):
        before = world.state
        if number == 5:
            world.dead = {EU}
        if number == 20:
            world.dead, world.cut = set(), {link("edge-1", WEST)}
        if number == 30:
            made = Order(kind="drain", region=WEST, by="ana", reason="work", at=world.now)
            world.state = with_order(before, made, world.policy, world.regions, world.now)
        if number == 60:
            world.state = without_order(before, WEST, world.regions)
        start = world.state
        decision = world.tick()
        line = entry(
            world.policy,
            world.regions,
            before,
            world.observe(),
            decision,
            head,
            decided_from=start,
            known=inputs_hash(world.policy, world.regions) if known and lines else "",
            by="ben" if number == 60 else "",
        )
        if line:
            lines.append(line)
            head = parse(line)["hash"]
        assert State.from_dict(json.loads(json.dumps(world.state.to_dict()))) == world.state
        assert Observations.from_dict(json.loads(json.dumps(world.observe().to_dict()))) == world.observe()
    return lines


LINES = incident()


def test_an_incident_replays_to_the_same_bytes() -> None:
    assert list(replay(LINES)) == LINES
    short = incident(known=True)
    assert list(replay(short)) == short
    assert sum(map(len, short)) < sum(map(len, LINES)) - 900 * (len(LINES) - 1)


def test_only_news_is_logged() -> None:
    assert 10 < len(LINES) < 25
    assert max(map(len, LINES)) < 9000


def test_a_whole_chain_verifies_and_so_do_its_parts() -> None:
    head = parse(LINES[-1])["hash"]
    assert verify(LINES, head, "") == verify(LINES)
    assert (verify(LINES).count, verify(LINES).head, verify(LINES).problems) == (len(LINES), head, ())
    assert verify(LINES[4:], head, parse(LINES[3])["hash"]).problems == ()
    assert verify([]).problems == verify([], "", "").problems == ()


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (LINES[:3] + LINES[4:], "does not follow the line before"),
        (LINES[1:], "does not follow the line before"),
        ([LINES[0], LINES[1].replace("eu-west-1", "eu-west-2"), *LINES[2:]], "was changed"),
        ([LINES[0].replace("{", "{ ", 1), *LINES[1:]], "was changed"),
        ([LINES[0], "{", *LINES[1:]], "is no entry"),
        (LINES[:-1], "is not the head"),
        (['{"previous":"","hash":"0","x":NaN}'], "was changed"),
    ],
)
def test_a_changed_chain_is_seen(lines: list[str], wrong: str) -> None:
    found = verify(lines, parse(LINES[-1])["hash"], "").problems
    assert any(problem.wrong.startswith(wrong) for problem in found)


def test_a_rewritten_chain_has_another_head() -> None:
    """Every hash made anew is a sound chain: only the head that was told outside gives it away."""
    body = {key: item for key, item in parse(LINES[0]).items() if key not in ("hash", "previous")}
    forged = canonical({**body, "at": 1, "previous": "", "hash": digest("", {**body, "at": 1})})
    assert verify([forged]).problems == ()
    assert verify([forged], parse(LINES[0])["hash"]).problems[0].wrong.startswith("is not the head")


def test_rows_name_who_ordered_what() -> None:
    found = [row for line in LINES for row in rows(parse(line))]
    assert [(row["kind"], row["after"], row["by"]) for row in found if row["region"] == WEST and row["by"]] == [
        ("order", "drain", "ana"),
        ("lifted", "drain", "ben"),
    ]
    assert next(iter(rows({"changes": [3], "orders": "x", "lifted": [{}]})))["kind"] == "lifted"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("inputs"),
        lambda found: found["inputs"].pop("fleet"),
        lambda found: found["inputs"].update(fleet={"policy": {}}),
        lambda found: found["inputs"]["fleet"].update(policy=[]),
        lambda found: found["inputs"]["fleet"]["policy"].update(geographies=[["a"]]),
        lambda found: found["inputs"].update(now="x"),
        lambda found: found["inputs"].update(state={}),
        lambda found: found["inputs"].update(observations=[]),
        lambda found: found.update(orders=[{}]),
        lambda found: found.update(kind="other"),
    ],
)
def test_what_cant_be_replayed_says_so(spoil: Any) -> None:
    found = parse(LINES[0])
    spoil(found)
    with pytest.raises(InvalidError):
        list(replay([json.dumps(found)]))


STATE = World(dead={EU}).tick(4).state.to_dict()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"form": "other"}, "is no routing state"),
        ({"version": 2}, "is of version '2'"),
        ({"version": True}, "is of version 'True'"),
        ({"generation": -1}, "state.generation: is -1"),
        ({"generation": 10**400}, "wrong form"),
        ({"at": "now"}, "state.at: 'now' has the wrong form"),
        ({"at": float("nan")}, "wrong form"),
        ({"extra": 1}, "unknown key"),
        ({"regions": {}}, "is no list"),
        ({"regions": [{}]}, "state.regions[0].name: is missing"),
        ({"regions": [{"name": "a", "phase": "WELL"}]}, "'a' is 'WELL'"),
        ({"regions": [{"name": "a", "admission": 2}]}, "has admission 2"),
        ({"regions": [{"name": "a", "step": -1}]}, "counts below 0"),
        ({"regions": [{"name": "a"}, {"name": "a"}]}, "names 'a' twice"),
        (
            {"regions": [{"name": "a", "counters": [{"vantage": "e", "down": 1}]}]},
            "counters[0].down: 1 has the wrong form",
        ),
        ({"orders": [{"kind": "drain", "region": "", "by": "a", "reason": "b", "at": 1}]}, "'drain' of ''"),
        ({"orders": [{"kind": "stop", "region": "a", "by": "a", "reason": "b", "at": 1}]}, "'stop' of 'a'"),
    ],
)
def test_a_state_that_cant_be_used_says_what_to_do(changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidError) as error:
        State.from_dict({**STATE, **changes})
    assert wrong in str(error.value) and "in state:" in str(error.value)
    assert all("take the other edge's copy" in problem.mend for problem in error.value.problems)


def test_all_faults_of_observations_are_told_at_once() -> None:
    data = {"probes": [{"vantage": 1}, 2], "traffic": None}
    with pytest.raises(InvalidError) as error:
        Observations.from_dict(data)
    assert len(error.value.problems) == 8
    with pytest.raises(InvalidError):
        State.from_dict([])


def test_a_vantage_point_that_was_cut_off_is_news() -> None:
    world = World()
    before = world.tick(4).state
    world.cut = {link(EDGES[0], name) for name in world.names}
    world.tick(4)
    assert world.state.partitioned == (EDGES[0],)
    assert entry(world.policy, world.regions, before, world.observe(), world.decisions[-1], "") is not None
    quiet = world.decisions[-1]
    assert entry(world.policy, world.regions, quiet.state, world.observe(), world.tick(), "") is None


def test_an_unknown_outcome_stays_unknown() -> None:
    seen = World().observe()
    unknown = Observations(at=seen.at, probes=tuple(replace(probe, ok=None) for probe in seen.probes))
    assert Observations.from_dict(unknown.to_dict()) == unknown
