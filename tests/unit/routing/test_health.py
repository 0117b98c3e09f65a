# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters that leak, figures that need confidence, and what is too old to count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.health import (
    bounds,
    count_probes,
    latest_traffic,
    quantile,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    PEER,
    PROMETHEUS,
    Probe,
    Traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import Counter, RegionState
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.verdicts import load_of

from .world import BEGIN, default_policy

POLICY = default_policy(failback={"successes": 4})


def counted(outcomes: str, policy: Any = POLICY) -> Counter:
    """The counter of one edge after probes two seconds apart: + is good, - is bad, ? is unknown."""
    state = RegionState(name="a")
    for index, outcome in enumerate(outcomes):
        now = BEGIN + 2 * index
        ok = {"+": True, "-": False, "?": None}[outcome]
        probe = Probe(vantage="e", kind=EDGE, region="a", at=now, ok=ok)
        state = replace(state, counters=count_probes(policy, {"a": state}, [probe], now)["a"])
    (counter,) = state.counters
    return counter


@pytest.mark.parametrize(
    ("outcomes", "failures", "down"),
    [
        ("--", 2, False),
        ("---", 3, True),
        ("-+-+-+-", 1, False),
        ("--+--", 3, True),
        ("-?-?-", 3, True),
        ("---+++", 0, True),
        ("---++++", 0, False),
        ("---+++-++++", 0, False),
        ("---+++-+++", 0, True),
        ("-----++++", 0, False),
    ],
)
def test_down_at_three_and_up_only_after_a_row(outcomes: str, failures: int, down: bool) -> None:
    assert (counted(outcomes).failures, counted(outcomes).down) == (failures, down)


def seen(now: float, *probes: Probe, counters: tuple[Counter, ...] = ()) -> tuple[Counter, ...]:
    """The counters of region `a` after these probes."""
    return count_probes(POLICY, {"a": RegionState(name="a", counters=counters)}, probes, now)["a"]


def probe(at: float, ok: bool = False, vantage: str = "e", region: str = "a", kind: str = EDGE) -> Probe:
    """One probe."""
    return Probe(vantage=vantage, kind=kind, region=region, at=at, ok=ok)


def test_a_probe_counts_once_and_in_the_order_of_time() -> None:
    probes = [probe(BEGIN), probe(BEGIN + 2), probe(BEGIN + 1, ok=True), probe(BEGIN + 1, ok=True)]
    (counter,) = seen(BEGIN + 2, *probes)
    assert (counter.failures, counter.last) == (1, BEGIN + 2)
    assert seen(BEGIN + 2, *probes, counters=(counter,)) == (counter,)


def test_old_odd_and_foreign_probes_count_nothing() -> None:
    """10 s is the age; a region's view of itself and regions that nobody knows are no evidence."""
    assert seen(BEGIN, probe(BEGIN - 10.1), probe(BEGIN + 10.1), probe(float("nan"))) == ()
    assert seen(BEGIN, probe(BEGIN, vantage="a", kind=PEER), probe(BEGIN, region="b")) == ()
    assert len(seen(BEGIN, probe(BEGIN - 10))) == 1


def test_what_saw_nothing_for_a_window_is_forgotten() -> None:
    (counter,) = seen(BEGIN, probe(BEGIN))
    assert seen(BEGIN + 15, counters=(counter,)) == (counter,)
    assert seen(BEGIN + 15.1, counters=(counter,)) == ()
    assert seen(BEGIN - 3600, counters=(counter,)) == (), "a clock that was set back"


@pytest.mark.parametrize(
    ("bad", "requests", "above"),
    [
        (102, 1632, False),
        (103, 1648, True),
        (141, 2250, True),
        (90, 2250, False),
        (180, 4500, False),
        (281, 4500, True),
        (3, 20, False),
        (4, 20, True),
        (20, 20, True),
        (0, 1, False),
    ],
)
def test_the_bound_separates_what_the_policy_says(bad: int, requests: int, above: bool) -> None:
    """Lower bound above 5 % at 0.99: 6.25 % of 2,250 requests (150 a second for 15 s) is, from 1,648 on; 4 % isn't."""
    assert (bounds(bad, requests, 0.99)[0] > 0.05) is above


def test_bounds_are_wilsons() -> None:
    """Against the example of 10 of 100 at 95 % both sides: 0.0552 to 0.1744 (Newcombe 1998's method 3)."""
    assert bounds(10, 100, 0.975) == pytest.approx((0.0552, 0.1744), abs=5e-5)
    assert quantile(0.99) == pytest.approx(2.3263, abs=1e-4)
    assert bounds(30, 20, 0.99)[1] == pytest.approx(1)


def traffic(**changes: Any) -> Traffic:
    """Figures of an edge about region `a`."""
    base = Traffic(witness="e", region="a", at=BEGIN, window_seconds=10, requests=100, errors=1)
    return replace(base, **changes)


def test_the_newest_figures_of_each_witness_count() -> None:
    items = [traffic(), traffic(at=BEGIN - 5, errors=50), traffic(witness=PROMETHEUS, requests=90)]
    for given in (items, items[::-1]):
        found = latest_traffic(POLICY, given, BEGIN)["a"]
        assert found == {"e": items[0], PROMETHEUS: items[2]}
    assert load_of(found) == 10
    assert load_of({PROMETHEUS: items[2]}) == 9
    assert load_of({}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"at": BEGIN - 11},
        {"requests": -1},
        {"errors": float("nan")},
        {"slow": float("inf")},
        {"window_seconds": 0},
        {"latency_seconds": float("nan")},
    ],
)
def test_impossible_and_old_figures_are_left_out(changes: dict[str, float]) -> None:
    assert latest_traffic(POLICY, [traffic(**changes)], BEGIN) == {}
