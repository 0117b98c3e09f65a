# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine did in a drill, from the decision log and the status page, and whether it is what must be. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..routing.budget import SOFT
from .evidence import EARLY_SECONDS, STATIC_SITE, Limits, failover, false_evictions, forks, lessened, partly, slowest
from .report import IDEMPOTENT, Moments, Report, ok, seconds
from .scenarios import DECISION, SECOND, SHARED, STATIC, TARGET, Expected

EVICTED, RAMPING = "EVICTED", "RAMPING"
SLOWEST_SECONDS = 2.0
"""What an idempotent request may take under a fault that must cost none."""
MOVED, GONE = 0.9, 0.1
"""Ratio of requests that the one who serves has at least, and that one who is left has at most."""


@dataclass
class Engine:
    """What the engine did. `moves` are rows of the decision log, times of the others are seconds.

    `decision` and `admitted` count from the fault and from its end until the target was taken out (or a part of its
    requests away) and admitted wholly again; `held` says until when the policy holds it back. `failover` is until
    traffic had moved, `budget_seconds` what was printed for it; `slowest_lost` the slowest idempotent request under the
    fault.
    """

    moves: list[dict[str, Any]] = field(default_factory=list)
    false_evictions: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    decision: float | None = None
    admitted: float | None = None
    held: str = ""
    failover: float | None = None
    slowest_lost: float = 0.0
    budget_seconds: float | None = None
    budget_kind: str = ""
    expected: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    report: Report, moments: Moments, expected: Expected, limits: Limits, records: Sequence[dict[str, Any]],
    entries: Sequence[Mapping[str, Any]], rows: Sequence[dict[str, Any]], samples: Sequence[dict[str, Any]],
) -> Engine:
    """Compare a drill with what must come of it: `wrong` is what came otherwise, `late` what took too long.

    `entries` and `rows` are the decision log since the drill began, `samples` what the status page said of each region:
    {at, regions: {name: {phase, admission, verdict, hold_until}}}.
    """
    engine = Engine(moves=[row for row in rows if row["kind"] == "change"])
    engine.false_evictions = false_evictions(entries, limits, moments)
    target = moments.target
    engine.verdicts = sorted({str(sample["regions"].get(target, {}).get("verdict", "")) for sample in samples
                              if moments.fault_at <= sample["at"] <= moments.back_at} - {""})
    outs = [row for row in engine.moves if lessened(row) and row["at"] >= moments.fault_at - EARLY_SECONDS]
    own = [row["at"] for row in outs if row["region"] == target]
    if own:
        engine.decision = max(0.0, own[0] - moments.fault_at)
    whole = [row["at"] for row in engine.moves if row["region"] == target and row["admission_after"] == 1
             and row["at"] >= moments.back_at]
    engine.admitted = whole[-1] - moments.back_at if whole else None
    engine.held = _held(samples[-1]["regions"].get(target, {})) if samples else ""
    engine.failover = failover(report, records, moments, expected, engine.decision)
    engine.slowest_lost = slowest(records, moments)
    engine.expected = told(expected, limits, target)
    engine.wrong = [
        *_wrong(engine, report, expected, moments, outs), *_failed(engine, report, expected, moments, records),
        *_serving(expected, moments, records, outs), *_back(expected, moments, records, samples), *forks(entries),
    ]  # fmt: skip
    _measure(engine, report, expected, limits)
    return engine


def _held(region: Mapping[str, Any]) -> str:
    if region.get("phase") == EVICTED and region.get("hold_until"):
        return f"held back by the policy for {max(0.0, region['hold_until'] - region['now']):.0f} s more"
    return f"on the ramp at {region['admission']:.0%}" if region.get("phase") == RAMPING else ""


def told(expected: Expected, limits: Limits, target: str) -> list[str]:
    """What must come of a drill, for people."""
    names = [target if name == TARGET else name for name in expected.evicted]
    part = "in part" if expected.partial else "out"
    words = [f"{' and '.join(names)} is taken {part}" if names else "nothing is taken out"]
    words += [] if expected.limit else ["nothing must move"]
    words += [f"reason {expected.reason}"] if expected.reason else []
    words += [f"verdict {expected.verdict}"] if expected.verdict else []
    serving = {TARGET: f"{target} goes on serving", SECOND: "another region serves", STATIC: "the static site answers",
               SHARED: f"{target} and another region serve"}
    words += [serving[expected.serves]] if expected.serves else []
    words += ["the ramp is broken off"] if expected.aborted else []
    words += [f"{target} serves again"] if expected.recovers else []
    words.append("no idempotent request fails" if not expected.failed else
                 f"at most {expected.failed:.0%} of the requests fail" if expected.failed < 1 else "requests may fail")
    if expected.limit == DECISION:
        words.append(f"decided within {limits.decision_seconds:.0f} s")
    elif expected.limit:
        words.append(f"within the budget of {_promised(limits, expected, 'total_seconds'):.0f} s")
    return words


def _wrong(engine: Engine, report: Report, expected: Expected, moments: Moments,
           outs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the engine did otherwise."""
    wrong = [f"false eviction of {text}" for text in engine.false_evictions]
    during = [row for row in outs if row["at"] < moments.back_at]
    taken = {str(row["region"]) for row in during}
    wanted = {moments.target if name == TARGET else name for name in expected.evicted}
    wrong += [f"{name} was not taken out" for name in sorted(wanted - taken)]
    wrong += [f"{name} was taken out" for name in sorted(taken - wanted)]
    count = sum(row["after"] == EVICTED or expected.partial for row in during)  # a part may go a tick before the rest
    if count > expected.most:
        wrong.append(f"{count} evictions, at most {expected.most} expected")
    if expected.reason and during and not str(during[0]["reason"]).startswith(expected.reason):
        wrong.append(f"the reason was {during[0]['reason']}")
    if expected.verdict and expected.verdict not in engine.verdicts:
        wrong.append(f"verdict {expected.verdict} was not seen, but {', '.join(engine.verdicts) or 'none'}")
    if report.is_region and not engine.verdicts and not expected.silent:
        wrong.append("the status page said nothing meanwhile")
    if expected.partial and not all(float(row["admission_after"] or 0) > 0 for row in during):
        wrong.append("its requests were moved wholly, not in part")
    if expected.aborted and not any(row["before"] == RAMPING for row in during):
        wrong.append("the ramp was not broken off")
    if expected.limit and engine.failover is None:
        wrong.append("traffic was not seen to move")
    return wrong


def _failed(engine: Engine, report: Report, expected: Expected, moments: Moments,
            records: Sequence[dict[str, Any]]) -> list[str]:
    before = sum(not ok(record) for record in records
                 if record["kind"] in IDEMPOTENT and record["start"] < moments.fault_at)
    if before:
        engine.late.append(f"{before} failed before the fault: this machine did not carry the load")
    if report.failed - before > expected.failed * report.requests:
        return [f"{report.failed - before} of {report.requests} idempotent requests failed"]
    return []


def _serving(expected: Expected, moments: Moments, records: Sequence[dict[str, Any]],
             outs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who served: just after the target was taken out, else at the end of the fault."""
    if not expected.serves:
        return []
    own = [row["at"] for row in outs if row["region"] == moments.target and row["at"] < moments.back_at]
    end = (moments.back_at - 3.5, moments.back_at - 0.5)
    served = _served(records, *((own[0] + 1.5, own[0] + 3.5) if own and expected.serves == SECOND else end))
    ratio = {name: served[name] / max(1, served.total()) for name in (moments.target, STATIC_SITE)}
    good = {TARGET: ratio[moments.target] >= MOVED, STATIC: ratio[STATIC_SITE] >= MOVED,
            SHARED: GONE < ratio[moments.target] < MOVED and not ratio[STATIC_SITE],
            SECOND: ratio[moments.target] <= GONE and ratio[STATIC_SITE] <= GONE}
    return [] if served and good[expected.serves] else [f"served by {dict(served.most_common(4))}"]


def _served(records: Sequence[dict[str, Any]], since: float, until: float) -> Counter[str]:
    return Counter(record["region"] for record in records
                   if record["kind"] in IDEMPOTENT and since <= record["start"] < until)


def _back(expected: Expected, moments: Moments, records: Sequence[dict[str, Any]],
          samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether all is as before: every region admitted wholly and, where that must be seen, the target serves well."""
    left = partly(samples[-1]) if samples else []
    wrong = [f"not admitted wholly again: {', '.join(left)}"] if left else []
    if expected.recovers:
        end = max((record["start"] for record in records), default=0.0)
        last = [record for record in records if record["kind"] in IDEMPOTENT and record["start"] >= end - 3.0]
        served = _served(last, moments.back_at, end + 1.0)
        if not all(ok(record) for record in last) or served[moments.target] < MOVED * max(1, len(last)):
            wrong.append(f"did not recover: {dict(served.most_common(4))} in the end")
    return wrong


def _promised(limits: Limits, expected: Expected, what: str) -> float:
    """Seconds of the printed budget; what is learned at second hand is detected twice."""
    line = limits.budget[expected.limit]
    promised: float = line[what] + (line["detection_seconds"] if expected.second_hand else 0.0)
    return promised


def _measure(engine: Engine, report: Report, expected: Expected, limits: Limits) -> None:
    """Compare times with what was printed."""
    measured: list[tuple[str, float | None, float]] = []
    if expected.limit == DECISION:
        engine.budget_kind, engine.budget_seconds = SOFT, limits.decision_seconds
        measured.append(("the decision", engine.decision, limits.decision_seconds))
    elif expected.limit:
        engine.budget_kind, engine.budget_seconds = expected.limit, _promised(limits, expected, "total_seconds")
        measured += [("failover", engine.failover, engine.budget_seconds),
                     ("detection", report.detection, limits.budget[expected.limit]["detection_seconds"]),
                     ("DNS", report.dns_changed, _promised(limits, expected, "answers_seconds"))]
    if not expected.failed and expected.limit != DECISION:
        measured.append(("the slowest request", engine.slowest_lost, SLOWEST_SECONDS))
    engine.late += [f"{what} took {seconds(value)}, {most:.0f} s allowed" for what, value, most in measured
                    if value is not None and value > most]


def _told_once(moves: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The moves without refusals that only repeat a region's last one."""
    last: dict[str, str] = {}
    found = []
    for row in moves:
        why = str(row["reason"]).partition(":")[0] if row["refused"] else ""
        if not why or last.get(row["region"]) != why:
            found.append(row)
        last[row["region"]] = why
    return found


def outcome(engine: Engine) -> str:
    """The drill in a word. What was only late tells of the machine as much as of the site."""
    if engine.wrong:
        return "NOT as expected"
    return "as expected, but late" if engine.late else "as expected"


def summary(engine: Engine, report: Report) -> str:
    """Return what the engine did and whether it was right, as people read it."""
    kind = f" ({engine.budget_kind})" if engine.budget_kind else ""
    budget = f"{engine.budget_seconds:.0f} s{kind}" if engine.budget_seconds is not None else "none"
    admitted = seconds(engine.admitted) if engine.admitted is not None or not engine.held else engine.held
    moves = (f"  move                  {row['at'] - report.at:+.1f} s  {row['region']}: "
             f"{'refused ' if row['refused'] else ''}{row['before']} -> {row['after']}, {row['reason']}"
             for row in _told_once(engine.moves))
    return "\n".join([
        f"  taken out after       {seconds(engine.decision)}   (from the fault, by the decision log)",
        f"  wholly admitted after {admitted}   (from the fault's end)",
        f"  failover, budget      {seconds(engine.failover)}, {budget}   (until traffic had moved)",
        f"  slowest, lost         {seconds(engine.slowest_lost)}   (under the fault, until a lost node boots)",
        f"  false evictions       {len(engine.false_evictions)}",
        f"  verdicts              {', '.join(engine.verdicts) or 'none seen'}",
        *moves,
        f"  expected              {'; '.join(engine.expected)}",
        *(f"  WRONG                 {text}" for text in engine.wrong),
        *(f"  LATE                  {text}" for text in engine.late),
        f"  result                {outcome(engine)}",
    ])
