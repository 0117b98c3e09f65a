# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as right, wrong and late in a drill whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.judge import (
    Engine,
    Limits,
    false_evictions,
    judge,
    summary,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.report import Moments, analyse
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import (
    SCENARIOS,
    Expected,
    scenario,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import KINDS, SOFT

LINE = {"detection_seconds": 6.0, "answers_seconds": 7.0, "total_seconds": 37.0}
SLOWLY = {**LINE, "detection_seconds": 19.0}
LIMITS = Limits(budget={**dict.fromkeys(KINDS, LINE), SOFT: SLOWLY}, error_ratio=0.05, slow_ratio=0.05)
MOMENTS = Moments("eu-west-1", "down", True, 110.0, 130.0)
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
    return {"changes": [row], "inputs": {"observations": {"probes": probes, "traffic": traffic}}}


def records(until: float = 110.5) -> list[dict[str, Any]]:
    """Ten requests a second, on the region until it is left, and from its return at 140 s."""
    return [{"start": 100 + n / 10, "kind": "get", "seconds": 0.01, "status": 200, "attempts": 1, "error": "",
             "region": "us-east-1" if until <= 100 + n / 10 < 140 else "eu-west-1"} for n in range(500)]


def judged(expected: Expected = LOST, rows: list[dict[str, Any]] | None = None, until: float = 110.5,
           verdict: str = "REGION_DOWN", log: tuple[dict[str, Any], ...] = ()) -> Engine:
    found = records(until)
    samples = [{"at": 120.0, "regions": {"eu-west-1": {"phase": "EVICTED", "admission": 0.0, "verdict": verdict,
                                                       "hold_until": 150.0, "now": 120.0}}}]
    return judge(analyse(found, [], MOMENTS), MOMENTS, expected, LIMITS, found, log, BACK if rows is None else rows,
                 samples)


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
    ("not moved in part", judged(replace(LOST, partial=True))),
    ("was not broken off", judged(replace(LOST, aborted=True))),
    ("eu-west-1 was taken out", judged(replace(LOST, evicted=()))),
    ("false eviction", judged(log=(entry(EVICTION, {"edge-1": True, "edge-2": False}),))),
])  # fmt: skip
def test_what_came_otherwise_is_told(why: str, engine: Engine) -> None:
    assert any(why in text for text in engine.wrong), engine.wrong


def test_a_region_that_is_held_back_says_until_when() -> None:
    engine = judged(rows=[EVICTION])
    assert engine.admitted is None and engine.held == "held back by the policy for 30 s more"


def test_a_decision_that_took_too_long_is_late_but_not_wrong() -> None:
    soft = Expected(evicted=("target",), reason="ERRORS", limit="decision")
    rows = [{**EVICTION, "at": 129.5, "reason": "ERRORS: 9 %"}]
    engine = judged(soft, rows, verdict="OK")
    assert not engine.wrong and engine.late == ["decided after 19.5 s, 19 s allowed"]
    assert (engine.budget_kind, engine.budget_seconds) == ("failing or slow", 19.0)


def test_orders_refusals_and_sick_regions_are_no_false_evictions() -> None:
    well, ill = {"edge-1": True, "edge-2": True}, {"edge-1": False, "edge-2": False}
    assert false_evictions([entry(EVICTION, well)], LIMITS)
    assert not false_evictions([entry(EVICTION, ill)], LIMITS)
    assert not false_evictions([entry(EVICTION, well, errors=6)], LIMITS), "it answered badly"
    assert not false_evictions([entry({**EVICTION, "reason": "drain by root: new kernel"}, well)], LIMITS)
    assert not false_evictions([entry({**EVICTION, "refused": True}, well)], LIMITS)


def test_an_unknown_drill_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="flapping"):
        scenario("earthquake")
