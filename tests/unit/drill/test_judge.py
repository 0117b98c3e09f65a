# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as right, wrong and late in a drill whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.evidence import (
    Limits,
    failover,
    false_evictions,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.judge import Engine, judge, summary
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.report import Moments, analyse
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import (
    DECISION,
    SCENARIOS,
    SHARED,
    TARGET,
    Expected,
    scenario,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import KINDS, SOFT

LINE = {"detection_seconds": 6.0, "answers_seconds": 7.0, "total_seconds": 37.0}
SLOWLY = {**LINE, "detection_seconds": 19.0}
LIMITS = Limits(budget={**dict.fromkeys(KINDS, LINE), SOFT: SLOWLY}, error_ratio=0.05, slow_ratio=0.05)
MOMENTS = Moments("eu-west-1", "down", True, 110.0, 130.0, struck=("eu-west-1",))
EDGE = Moments("edge-1", "edge", False, 110.0, 130.0, address="10.0.0.1")
LOST = replace(SCENARIOS["down"].expected, reason="REGION_DOWN")


def move(at: float, before: str, after: str, region: str = "eu-west-1", **more: Any) -> dict[str, Any]:
    admission = {"HEALTHY": 1.0, "SUSPECT": 1.0, "EVICTED": 0.0, "RAMPING": 0.1}
    return {"kind": "change", "at": at, "generation": 1, "region": region, "before": before, "after": after,
            "admission_before": admission[before], "admission_after": admission[after], "refused": False, "by": "",
            "reason": "REGION_DOWN: edge-1: does not reach it", **more}


EVICTION = move(116.0, "HEALTHY", "EVICTED")
BACK = [EVICTION, move(140.0, "EVICTED", "RAMPING"), move(144.0, "RAMPING", "HEALTHY")]


def entry(row: dict[str, Any], ok: dict[str, bool], errors: int = 0) -> dict[str, Any]:
    """An entry of the log with what the edges had seen of the region."""
    probes = [{"vantage": edge, "region": row["region"], "at": 115.0, "ok": good, "kind": "edge"}
              for edge, good in ok.items()]
    traffic = [{"witness": "edge-1", "region": row["region"], "at": 115.0, "requests": 100, "errors": errors}]
    return {"at": row["at"], "changes": [row], "inputs": {"observations": {"probes": probes, "traffic": traffic}}}


def record(start: float, region: str, **more: Any) -> dict[str, Any]:
    return {"start": start, "kind": "get", "seconds": 0.01, "status": 200, "attempts": 1, "first_error": "",
            "error": "", "region": region, "address": "10.0.0.2", "first": "10.0.0.2", **more}


def records(until: float = 110.5) -> list[dict[str, Any]]:
    """Ten requests a second, on the region until it is left, and from its return at 140 s."""
    return [record(100 + n / 10, "us-east-1" if until <= 100 + n / 10 < 140 else "eu-west-1") for n in range(500)]


def sample(at: float = 120.0, phase: str = "EVICTED", admission: float = 0.0, verdict: str = "OK") -> dict[str, Any]:
    return {"at": at, "regions": {"eu-west-1": {"phase": phase, "admission": admission, "verdict": verdict,
                                                "hold_until": 150.0, "now": at}}}


WHOLE = sample(160.0, "HEALTHY", 1.0)


def judged(expected: Expected = LOST, rows: list[dict[str, Any]] | None = None, until: float = 110.5,
           verdict: str = "REGION_DOWN", log: tuple[dict[str, Any], ...] = (), last: dict[str, Any] = WHOLE,
           found: list[dict[str, Any]] | None = None, moments: Moments = MOMENTS) -> Engine:
    found = records(until) if found is None else found
    return judge(analyse(found, [], moments), moments, expected, LIMITS, found, log, BACK if rows is None else rows,
                 [sample(verdict=verdict), last])


def test_a_region_taken_out_in_time_and_back_by_the_ramp_is_right() -> None:
    engine = judged()
    assert (engine.wrong, engine.late) == ([], [])
    assert (engine.decision, engine.admitted, engine.budget_seconds) == (6.0, 14.0, 37.0)
    assert engine.failover is not None and engine.failover < 1
    said = summary(engine, analyse(records(), [], MOMENTS))
    assert "as expected" in said and "14.0 s   (from the fault's end)" in said


@pytest.mark.parametrize(("why", "engine"), [
    ("eu-west-1 was not taken out", judged(rows=[])),
    ("us-west-2 was taken out", judged(rows=[*BACK, move(117.0, "HEALTHY", "EVICTED", "us-west-2")])),
    ("2 evictions", judged(rows=[EVICTION, move(120.0, "RAMPING", "EVICTED")])),
    ("the reason was ERRORS", judged(rows=[{**EVICTION, "reason": "ERRORS: 9 %"}])),
    ("verdict REGION_DOWN was not seen", judged(verdict="OK")),
    ("served by", judged(until=129.0)),
    ("moved wholly, not in part", judged(replace(LOST, partial=True))),
    ("was not broken off", judged(replace(LOST, aborted=True))),
    ("eu-west-1 was taken out", judged(replace(LOST, evicted=()))),
    ("eu-west-1 was taken out", judged(replace(LOST, evicted=()), rows=[{**EVICTION, "after": "SUSPECT",
                                                                        "admission_after": 0.5}])),
    ("false eviction", judged(log=(entry(EVICTION, {"edge-1": True, "edge-2": False}),))),
    ("traffic was not seen to move", judged(until=130.0)),
    ("served by", judged(replace(LOST, serves=SHARED))),
    ("not admitted wholly again: eu-west-1", judged(last=sample(160.0, "RAMPING", 0.1))),
    ("not admitted wholly again: eu-west-1", judged(last=sample(160.0, "SUSPECT", 1.0))),
    ("did not recover", judged(replace(LOST, recovers=True), found=[*records()[:450], record(149.0, "us-east-1")])),
    ("did not recover", judged(replace(LOST, recovers=True), found=[*records(), record(149.9, "", status=503)])),
    ("2 decisions follow the same one", judged(log=({"at": 1.0, "previous": "a"}, {"at": 2.0, "previous": "a"}))),
])  # fmt: skip
def test_what_came_otherwise_is_told(why: str, engine: Engine) -> None:
    assert any(why in text for text in engine.wrong), engine.wrong


def test_a_region_that_is_held_back_says_until_when() -> None:
    engine = judged(rows=[EVICTION], last=sample())
    assert engine.admitted is None and engine.held == "held back by the policy for 30 s more"


def test_a_decision_that_took_too_long_is_late_but_not_wrong() -> None:
    soft = Expected(evicted=(TARGET,), reason="ERRORS", limit=DECISION)
    rows = [{**EVICTION, "at": 129.5, "reason": "ERRORS: 9 %"}]
    engine = judged(soft, rows, verdict="OK")
    assert not engine.wrong and engine.late == ["the decision took 19.5 s, 19 s allowed"]
    assert (engine.budget_kind, engine.budget_seconds, engine.failover) == ("failing or slow", 19.0, 19.5)


def test_a_region_that_keeps_a_part_is_shared_and_a_part_that_goes_is_a_decision() -> None:
    split = Expected(evicted=(TARGET,), serves=SHARED, partial=True, limit=DECISION)
    half = [record(100 + n / 10, "us-east-1" if n % 2 and n > 120 else "eu-west-1") for n in range(500)]
    rows = [{**EVICTION, "after": "SUSPECT", "admission_after": 0.5, "reason": "ERRORS: 50 % of it stays"}]
    engine = judged(split, rows, verdict="ERRORS", found=half)
    assert (engine.wrong, engine.late, engine.decision, engine.failover) == ([], [], 6.0, 6.0)


def test_a_part_that_goes_a_tick_before_the_rest_is_the_decision_and_no_second_eviction() -> None:
    part = {**EVICTION, "at": 114.0, "after": "SUSPECT", "admission_after": 0.1}
    engine = judged(rows=[part, {**EVICTION, "admission_before": 0.1}])
    assert (engine.wrong, engine.decision) == ([], 4.0)


def test_a_request_that_was_slow_under_the_fault_is_late_and_one_while_a_node_boots_is_not() -> None:
    late = ["the slowest request took 2.1 s, 2 s allowed"]
    slow = [*records(), record(115.0, "us-east-1", seconds=2.1)]
    assert judged(found=slow).late == late
    assert judged(found=[*records(), record(131.0, "us-east-1", seconds=4.0)]).late == []
    assert judged(found=slow, moments=replace(MOMENTS, booted_at=114.0)).late == []
    assert judged(replace(LOST, failed=0.1), found=slow).late == [], "where requests may fail none has to be quick"


def test_a_lost_edge_has_a_failover_until_the_last_request_that_tried_it() -> None:
    expected = Expected(limit="killed")
    calm = [record(100 + n / 10, "eu-west-1") for n in range(300)]
    tried = record(118.0, "eu-west-1", first=EDGE.address, attempts=2, seconds=0.3)
    elsewhere = record(125.0, "eu-west-1", attempts=2)
    engine = judged(expected, [], found=[*calm, tried, elsewhere], moments=EDGE)
    assert engine.failover == pytest.approx(8.3) and not engine.wrong
    names = [{"at": at, "kind": "dns", "probe": "edge-2", "value": value}
             for at, value in ((101.0, "both"), (115.0, "one"))]
    followed = analyse(calm, names, EDGE)
    assert failover(followed, calm, EDGE, expected, None) == 5.0
    for row in calm:
        row |= {"address": EDGE.address, "first": EDGE.address}
    assert failover(followed, calm, EDGE, expected, None) is None, "the lost one still answers"
    assert "traffic was not seen to move" in judged(expected, [], found=calm, moments=EDGE).wrong


def test_a_link_that_comes_and_goes_has_the_failover_of_its_first_loss() -> None:
    served = [record(100 + n / 10, "us-east-1" if 111 <= 100 + n / 10 < 116 else "eu-west-1") for n in range(300)]
    engine = judged(replace(LOST, most=3), found=served, moments=replace(MOMENTS, relieved_at=115.0))
    assert engine.failover is not None and 0.9 < engine.failover < 1.1


def test_the_static_site_takes_over_when_it_alone_answers_and_fails_nobody_by_that() -> None:
    gone = [record(100 + n / 10, "eu-west-1" if 100 + n / 10 < 110 else "static" if 100 + n / 10 < 140 else "eu-west-1",
                   status=503 if 112 <= 100 + n / 10 < 140 else 200) for n in range(500)]
    gone[115] |= {"region": "", "status": 0, "seconds": 3.0}
    everything = SCENARIOS["everything"].expected
    engine = judged(everything, [], verdict="COMMON_MODE", found=gone)
    assert engine.wrong == [] and engine.failover == pytest.approx(4.5)


def test_orders_refusals_and_sick_regions_are_no_false_evictions() -> None:
    def false(row: dict[str, Any], ok: dict[str, bool], errors: int = 0) -> list[str]:
        return false_evictions([entry(row, ok, errors)], LIMITS, MOMENTS)

    well, ill = {"edge-1": True, "edge-2": True}, {"edge-1": False, "edge-2": False}
    assert false(EVICTION, well)
    assert not false(EVICTION, ill)
    assert not false(EVICTION, well, errors=6), "it answered badly"
    assert not false({**EVICTION, "reason": "drain by root: new kernel"}, well)
    assert not false({**EVICTION, "refused": True}, well)


def test_a_region_that_the_fault_did_not_hit_is_innocent_whatever_the_log_says_of_it() -> None:
    ill = {"edge-1": False, "edge-2": False}
    innocent = move(116.0, "HEALTHY", "EVICTED", "us-west-2")
    part = {**innocent, "after": "SUSPECT", "admission_after": 0.5}
    early = {**EVICTION, "at": 105.0}
    for row, why in ((innocent, "did not hit"), (part, "did not hit"), (early, "before the fault")):
        found = false_evictions([entry(row, ill, errors=100)], LIMITS, MOMENTS)
        assert len(found) == 1 and why in found[0], found
    for name in ("flapping", "no-agents", "overload"):
        engine = judged(SCENARIOS[name].expected, rows=[innocent])
        assert "us-west-2 was taken out" in engine.wrong, name


def test_an_unknown_drill_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="flapping"):
        scenario("earthquake")
