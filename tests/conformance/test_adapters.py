# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every back end owes the engine: one suite for all adapters, against the real programs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import (
    Adapter,
    BackendError,
    Steering,
    apply,
    plan,
    verify,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import BACKENDS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.diff import OlderError, RefusedError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import DELETE, Records, Step

from .lab import GEOGRAPHIES, REGIONS, SITE, Lab, table_of, wait_until

EUROPE = "eu-west-1"
DEAD_BUT_ASIA = ("us-east-1", "us-west-2", EUROPE)
COUNTRY = {"north-america": "US", "europe": "IE", "asia": "SG", "other": "BR"}


def steering(lab: Lab, **admissions: float) -> Steering:
    """A new decision; regions with underscores."""
    given = {name: admissions.get(name.replace("-", "_"), 1.0) for name in REGIONS}
    return Steering(generation=lab.next(), admissions=tuple(sorted(given.items())), ttl_seconds=10)


def do(adapter: Adapter, wanted: Steering) -> bool:
    return apply(adapter, plan(adapter, wanted))


def differs(adapter: Adapter, wanted: Steering, up: Collection[str] = tuple(REGIONS)) -> tuple[str, ...]:
    """Where answers still differ from the decision after some time."""
    wait_until(lambda: verify(adapter, wanted, GEOGRAPHIES, up, times=8) == ())
    return verify(adapter, wanted, GEOGRAPHIES, up, times=8)


def test_a_decision_counts_once_answers_changed(lab: Lab) -> None:
    adapter = lab.open()
    whole = steering(lab)
    do(adapter, whole)
    assert differs(adapter, whole) == ()
    wanted = steering(lab, eu_west_1=0)
    wrong = verify(adapter, wanted, GEOGRAPHIES, REGIONS)
    assert len(wrong) == 1 and "europe is answered eu-west-1, not us-east-1" in wrong[0]
    assert do(adapter, wanted)
    assert differs(adapter, wanted) == ()
    assert adapter.read() == adapter.desired(wanted)


def test_what_an_operator_overrules_does_not_count(lab: Lab) -> None:
    adapter = lab.open()
    wanted = steering(lab, eu_west_1=0)
    do(adapter, wanted)
    assert differs(adapter, wanted) == ()
    lab.overrule(EUROPE)
    assert wait_until(lambda: verify(adapter, wanted, ["europe"], REGIONS) != ())
    assert plan(adapter, wanted).steps == ()


def test_the_second_time_nothing_is_done(lab: Lab) -> None:
    adapter = lab.open()
    wanted = steering(lab, us_east_1=0)
    assert do(adapter, wanted)
    before = lab.kept()
    assert plan(lab.open(), wanted).steps == ()
    assert not do(lab.open(), wanted)
    assert lab.kept() == before


def test_a_plan_writes_nothing(lab: Lab) -> None:
    adapter = lab.open()
    do(adapter, steering(lab))
    before = lab.kept()
    assert plan(adapter, steering(lab, us_east_1=0, ap_southeast_1=0)).steps
    assert lab.kept() == before


def test_a_plan_that_was_left_half_way_is_resumed(lab: Lab) -> None:
    first = lab.open()
    do(first, steering(lab))
    wanted = steering(lab, us_east_1=0, eu_west_1=0)
    begun = plan(first, wanted)
    for done in range(len(begun.steps)):
        apply(first, replace(begun, steps=begun.steps[:done]))
        second = lab.open()
        rest = plan(second, wanted)
        assert set(rest.steps) == set(begun.steps[done:])
    assert do(second, wanted)
    assert second.read() == second.desired(wanted)
    assert differs(second, wanted) == ()


def test_a_step_that_fails_keeps_no_other_from_being_done(lab: Lab) -> None:
    adapter = lab.open()
    do(adapter, steering(lab))
    wanted = steering(lab, us_east_1=0, eu_west_1=0)
    begun = plan(adapter, wanted)
    real = adapter.apply

    def failing(step: Step) -> None:
        if step == begun.steps[0]:
            raise BackendError("no")
        real(step)

    adapter.apply = failing  # type: ignore[method-assign]
    with pytest.raises(BackendError, match=begun.steps[0].key):
        apply(adapter, begun)
    assert plan(lab.open(), wanted).steps == begun.steps[:1]


def test_an_older_generation_is_refused(lab: Lab) -> None:
    adapter = lab.open()
    older, newer = steering(lab, us_east_1=0), steering(lab, eu_west_1=0)
    overtaken = plan(adapter, older)
    do(lab.open(), newer)
    before = lab.kept()
    with pytest.raises(OlderError, match="older than"):
        plan(lab.open(), older)
    with pytest.raises(OlderError, match="older than"):
        apply(adapter, overtaken)
    assert lab.kept() == before


def test_a_generation_is_claimed_before_the_first_step(lab: Lab) -> None:
    adapter = lab.open()
    older, newer = steering(lab, us_east_1=0), steering(lab, eu_west_1=0)
    apply(adapter, replace(plan(adapter, newer), steps=()))
    with pytest.raises(OlderError):
        plan(lab.open(), older)


def test_nothing_is_no_plan(lab: Lab) -> None:
    adapter = lab.open()
    do(adapter, steering(lab))
    empty = type("Empty", (), {"card": adapter.card, "read": adapter.read,
                               "desired": lambda *_: Records(generation=lab.next())})()
    with pytest.raises(RefusedError, match="would leave nothing"):
        plan(empty, steering(lab))


def test_only_what_is_its_own_is_taken_away(lab: Lab) -> None:
    """A region that left the policy is let go if it was steered, and never touched if it was not."""
    adapter = lab.open()
    do(adapter, steering(lab, us_west_2=0))
    steps = plan(lab.open(without="us-west-2"), steering(lab)).steps
    assert {(step.action, step.key.rpartition("/")[2]) for step in steps if "us-west-2" in step.key} == {
        (DELETE, "us-west-2")
    }
    whole = steering(lab)
    lab.overrule("us-west-2")
    do(lab.open(without="us-west-2"), whole)
    assert plan(lab.open(without="us-west-2"), whole).steps == ()
    assert not [key for key, _value in lab.open(without="us-west-2").read().items if "us-west-2" in key]


@pytest.mark.parametrize("again", ["reload", "restart"])
def test_a_decision_outlives(lab: Lab, again: str) -> None:
    adapter = lab.open()
    wanted = steering(lab, eu_west_1=0, ap_southeast_1=0.25 if adapter.card.shares else 1)
    do(adapter, wanted)
    getattr(lab, again)()
    fresh = lab.open()
    assert plan(fresh, wanted).steps == ()
    assert differs(fresh, wanted) == ()


def test_the_last_one_serves_even_when_evicted(lab: Lab) -> None:
    adapter = lab.open()
    if not adapter.card.last_resort:
        pytest.skip(f"{adapter.card.name} fails open instead, and has no static site behind it")
    wanted = steering(lab, eu_west_1=0, us_west_2=0)
    do(adapter, wanted)
    assert differs(adapter, wanted) == ()
    lab.kill("us-east-1", "ap-southeast-1")
    assert differs(adapter, wanted, {EUROPE, "us-west-2"}) == ()
    europe = {answer.geography: dict(answer.served) for answer in adapter.answers(GEOGRAPHIES)}
    assert set(europe["europe"]) == {EUROPE} and set(europe["other"]) == {"us-west-2"}
    lab.kill(EUROPE)
    assert differs(adapter, wanted, {"us-west-2"}) == ()
    lab.kill("us-west-2")
    assert differs(adapter, wanted, set()) == ()
    assert {name for answer in adapter.answers(GEOGRAPHIES) for name, _count in answer.served} == {"static"}


def test_a_tenth_is_a_tenth(lab: Lab) -> None:
    """400 draws at 10 %: 40 expected, standard deviation 6; outside 10 to 70 once in more than a million runs."""
    adapter = lab.open()
    if not adapter.card.shares:
        pytest.skip(f"{adapter.card.name} has no shares")
    kept = adapter.card.shares_kept
    wanted = steering(lab, eu_west_1=0.1, us_east_1=0 if kept else 1)
    do(adapter, wanted)
    served, rest = dict(adapter.answers(["europe"], times=400)[0].served), "us-west-2" if kept else "us-east-1"
    assert 10 <= served[EUROPE] <= 70 and served[rest] == 400 - served[EUROPE], served


def test_answers_are_the_policys_for_every_set_of_evicted_regions(lab: Lab) -> None:
    """Every set at once for the ones that act at once; for slow ones a few."""
    adapter = lab.open()
    names = sorted(REGIONS)
    sets = range(16) if adapter.card.layer == "load_balancer" else (1, 6, 15)
    for number in sets:
        out = {name.replace("-", "_"): 0.0 for place, name in enumerate(names) if number >> place & 1}
        wanted = steering(lab, **out)
        do(adapter, wanted)
        assert differs(adapter, wanted) == (), out


@pytest.mark.parametrize("dead", [(), (EUROPE,), ("us-east-1", "us-west-2"), DEAD_BUT_ASIA, tuple(REGIONS)])
def test_live_answers_are_those_that_simulate_told(lab: Lab, dead: tuple[str, ...]) -> None:
    """For dead and for evicted regions; by this comparison a policy is judged before anything is published."""
    adapter = lab.open()
    backend = BACKENDS[adapter.card.name]
    lab.kill(*dead)
    for out in ((), (EUROPE,), ("us-east-1", "ap-southeast-1")):
        admissions = {name: 0.0 if name in out else 1.0 for name in REGIONS}
        do(adapter, steering(lab, **{name.replace("-", "_"): ratio for name, ratio in admissions.items()}))
        ask = backend.resolver(backend.desired(table_of(), SITE, admissions))
        told = {name: ask(set(REGIONS) - set(dead), country) for name, country in COUNTRY.items()}
        assert answered(adapter, told) == told, out


def answered(adapter: Adapter, told: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Who answers each geography, once that is what was told or time is over."""
    def now() -> dict[str, frozenset[str]]:
        answers = adapter.answers(GEOGRAPHIES, times=8)
        return {answer.geography: frozenset(name for name, _count in answer.served) for answer in answers}

    wait_until(lambda: now() == told)
    return now()


def test_old_news_hurts_nobody(lab: Lab) -> None:
    """A region that was down when weights were written serves at once after a restart; a dead one is found anew."""
    adapter = lab.open()
    lab.kill(EUROPE)
    wanted = steering(lab, us_west_2=0)
    do(adapter, wanted)
    alive = set(REGIONS) - {EUROPE}
    assert differs(adapter, wanted, alive) == ()
    lab.revive()
    lab.restart()
    assert differs(lab.open(), wanted) == ()
    lab.kill("us-east-1")
    lab.restart()
    assert differs(lab.open(), wanted, set(REGIONS) - {"us-east-1"}) == ()
