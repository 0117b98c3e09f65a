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
from .report import IDEMPOTENT, Moments, Report, seconds
from .scenarios import SECOND, STATIC, TARGET, Expected

EVICTED, RAMPING = "EVICTED", "RAMPING"
ORDERED = ("force_down", "force_up", "drain", "freeze")
STATIC_SITE = "static"
SLOWEST_SECONDS = 2.0
"""What an idempotent request may take when a region or edge is lost."""
MOVED, GONE = 0.9, 0.1
"""Ratio of requests that the one who serves has at least, and that one who is left has at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The policy's figures that a drill is measured against. Times in seconds, ratios 0-1.

    `budget` has the lines of the printed budget by kind, each as a mapping.
    """

    budget: Mapping[str, Mapping[str, Any]]
    error_ratio: float
    slow_ratio: float

    @property
    def decision_seconds(self) -> float:
        """The longest until errors or slow answers have taken a region out."""
        return float(self.budget[SOFT]["detection_seconds"])


@dataclass
class Engine:
    """What the engine did. `moves` are rows of the decision log, times of the others are seconds.

    `decision` and `admitted` count from the fault and from its end until the target was taken out and
    admitted wholly again; `held` says until when the policy holds it back. `failover` is until the last request that
    the fault touched had ended, `budget_seconds` what was printed for it.
    """

    moves: list[dict[str, Any]] = field(default_factory=list)
    false_evictions: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    decision: float | None = None
    admitted: float | None = None
    held: str = ""
    failover: float | None = None
    budget_seconds: float | None = None
    budget_kind: str = ""
    expected: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def automatic(row: Mapping[str, Any]) -> bool:
    """Whether a row of the log is a move that the engine made of itself."""
    return row["kind"] == "change" and not row["refused"] and not str(row["reason"]).startswith(ORDERED)


def out(row: Mapping[str, Any]) -> bool:
    """Whether a row takes a region out, or a part of its requests away."""
    return automatic(row) and row["after"] == EVICTED and row["before"] != EVICTED


def false_evictions(entries: Sequence[Mapping[str, Any]], limits: Limits) -> list[str]:
    """Evictions of a region that, by what the log itself holds, an edge reached and that answered well."""
    found = []
    for entry in entries:
        seen = entry.get("inputs", {}).get("observations", {})
        for change in entry.get("changes", ()):
            row = {"kind": "change", "refused": False, "before": "", **change}
            if out(row) and _well(str(row["region"]), seen, limits):
                found.append(f"{row['region']}: {row['reason']}")
    return found


def _well(region: str, seen: Mapping[str, Any], limits: Limits) -> bool:
    last: dict[str, Mapping[str, Any]] = {}
    edges = set()
    for probe in seen.get("probes", ()):
        if probe.get("kind", "edge") == "edge":
            edges.add(probe["vantage"])
            if probe["region"] == region and probe["at"] >= last.get(probe["vantage"], probe)["at"]:
                last[probe["vantage"]] = probe
    counted = [item for item in seen.get("traffic", ()) if item["region"] == region and item["witness"] in edges]
    requests = sum(item.get("requests", 0) for item in counted)
    bad = (sum(item.get("errors", 0) for item in counted) > limits.error_ratio * requests
           or sum(item.get("slow", 0) for item in counted) > limits.slow_ratio * requests)
    return any(probe.get("ok") for probe in last.values()) and not bad


def judge(
    report: Report, moments: Moments, expected: Expected, limits: Limits, records: Sequence[dict[str, Any]],
    entries: Sequence[Mapping[str, Any]], rows: Sequence[dict[str, Any]], samples: Sequence[dict[str, Any]],
) -> Engine:
    """Compare a drill with what must come of it: `wrong` is what came otherwise, `late` what took too long.

    `entries` and `rows` are the decision log since the drill began, `samples` what the status page said of each region:
    {at, regions: {name: {phase, admission, verdict, hold_until}}}.
    """
    engine = Engine(moves=[row for row in rows if row["kind"] == "change"])
    engine.false_evictions = false_evictions(entries, limits)
    target = moments.target
    engine.verdicts = sorted({str(sample["regions"].get(target, {}).get("verdict", "")) for sample in samples
                              if moments.fault_at <= sample["at"] <= moments.back_at} - {""})
    outs = [row for row in engine.moves if out(row)]
    own = [row["at"] for row in outs if row["region"] == target and row["at"] >= moments.fault_at - 1]
    if own:
        engine.decision = max(0.0, own[0] - moments.fault_at)
    whole = [row["at"] for row in engine.moves if row["region"] == target and row["admission_after"] == 1
             and row["at"] >= moments.back_at]
    engine.admitted = whole[-1] - moments.back_at if whole else None
    engine.held = _held(samples[-1]["regions"].get(target, {})) if samples else ""
    if expected.limit in limits.budget or not report.is_region:
        engine.failover = _failover(report, records, moments)
    engine.expected = told(expected, limits, target)
    engine.wrong = _wrong(engine, report, expected, moments, records, outs)
    _measure(engine, report, expected, limits)
    return engine


def _held(region: Mapping[str, Any]) -> str:
    if region.get("phase") == EVICTED and region.get("hold_until"):
        return f"held back by the policy for {max(0.0, region['hold_until'] - region['now']):.0f} s more"
    return f"on the ramp at {region['admission']:.0%}" if region.get("phase") == RAMPING else ""


def _failover(report: Report, records: Sequence[dict[str, Any]], moments: Moments) -> float | None:
    """Until the last request that the fault touched: the target's last answer, or the end of one that failed."""
    failed = [record["start"] + record["seconds"] - moments.fault_at for record in records
              if record["kind"] in IDEMPOTENT and not 200 <= record["status"] < 300
              and moments.fault_at <= record["start"] < moments.back_at]
    known = [value for value in (report.answers_changed, report.dns_changed, *failed) if value is not None]
    return max(known, default=None)


def told(expected: Expected, limits: Limits, target: str) -> list[str]:
    """What must come of a drill, for people."""
    if expected.evicted is None:
        words = [f"at most {expected.most} evictions"] if not expected.partial else []
    else:
        names = [target if name == TARGET else name for name in expected.evicted]
        words = [f"{' and '.join(names)} is taken out" if names else "nothing is taken out"]
    words += [f"reason {expected.reason}"] if expected.reason else []
    words += [f"verdict {expected.verdict}"] if expected.verdict else []
    serving = {TARGET: f"{target} goes on serving", SECOND: "another region serves", STATIC: "the static site answers"}
    words += [serving[expected.serves]] if expected.serves else []
    words += ["only a part of its requests is moved"] if expected.partial else []
    words += ["the ramp is broken off"] if expected.aborted else []
    words.append("no idempotent request fails" if not expected.failed else
                 f"at most {expected.failed:.0%} of the requests fail" if expected.failed < 1 else "requests may fail")
    if expected.limit == "decision":
        words.append(f"decided within {limits.decision_seconds:.0f} s")
    elif expected.limit:
        words.append(f"within the budget of {limits.budget[expected.limit]['total_seconds']:.0f} s")
    return words


def _wrong(engine: Engine, report: Report, expected: Expected, moments: Moments, records: Sequence[dict[str, Any]],
           outs: Sequence[Mapping[str, Any]]) -> list[str]:
    wrong = [f"false eviction of {text}" for text in engine.false_evictions]
    during = [row for row in outs if moments.fault_at - 1 <= row["at"] < moments.back_at]
    taken = {str(row["region"]) for row in during}
    if expected.evicted is not None:
        wanted = {moments.target if name == TARGET else name for name in expected.evicted}
        wrong += [f"{name} was not taken out" for name in sorted(wanted - taken)]
        wrong += [f"{name} was taken out" for name in sorted(taken - wanted)]
    if len(during) > expected.most:
        wrong.append(f"{len(during)} evictions, at most {expected.most} expected")
    if expected.reason and during and not str(during[0]["reason"]).startswith(expected.reason):
        wrong.append(f"the reason was {during[0]['reason']}")
    if expected.verdict and expected.verdict not in engine.verdicts:
        wrong.append(f"verdict {expected.verdict} was not seen, but {', '.join(engine.verdicts) or 'none'}")
    if report.is_region and not engine.verdicts and not expected.silent:
        wrong.append("the status page said nothing meanwhile")
    if expected.partial and not any(0 < float(row["admission_after"] or 0) < 1 and row["at"] < moments.back_at
                                    and float(row["admission_before"] or 0) == 1 for row in engine.moves):
        wrong.append("its requests were not moved in part")
    if expected.aborted and not any(row["before"] == RAMPING for row in during):
        wrong.append("the ramp was not broken off")
    before = sum(not 200 <= record["status"] < 300 for record in records
                 if record["kind"] in IDEMPOTENT and record["start"] < moments.fault_at)
    if report.failed - before > expected.failed * report.requests:
        wrong.append(f"{report.failed - before} of {report.requests} idempotent requests failed")
    if before:
        engine.late.append(f"{before} failed before the fault: this machine did not carry the load")
    return wrong + _serving(engine, expected, moments, records, during)


def _serving(engine: Engine, expected: Expected, moments: Moments, records: Sequence[dict[str, Any]],
             during: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who served: just after the target was taken out, else at the end of the fault."""
    if not expected.serves:
        return []
    own = [row["at"] for row in during if row["region"] == moments.target]
    since, until = (own[0] + 1.5, own[0] + 3.5) if own else (moments.back_at - 3.5, moments.back_at - 0.5)
    part = [record for record in records if record["kind"] in IDEMPOTENT and since <= record["start"] < until]
    count = Counter(record["region"] for record in part)
    ratio = {name: count[name] / max(1, len(part)) for name in (moments.target, STATIC_SITE)}
    good = {TARGET: ratio[moments.target] >= MOVED, STATIC: ratio[STATIC_SITE] >= MOVED,
            SECOND: ratio[moments.target] <= GONE and ratio[STATIC_SITE] <= GONE}
    return [] if part and good[expected.serves] else [f"served by {dict(count.most_common(4))}"]


def _measure(engine: Engine, report: Report, expected: Expected, limits: Limits) -> None:
    """Compare times with what was printed."""
    if expected.limit == "decision":
        engine.budget_kind, engine.budget_seconds = SOFT, limits.decision_seconds
        if engine.decision is not None and engine.decision > limits.decision_seconds:
            engine.late.append(f"decided after {seconds(engine.decision)}, {limits.decision_seconds:.0f} s allowed")
        return
    kind = expected.limit or ("killed" if not report.is_region else "")
    if not kind:
        return
    line = limits.budget[kind]
    engine.budget_kind, engine.budget_seconds = kind, line["total_seconds"]
    for what, value, most in (
        ("failover", engine.failover, line["total_seconds"]),
        ("detection", report.detection, line["detection_seconds"]),
        ("DNS", report.dns_changed, line["answers_seconds"]),
        ("the slowest request", report.slowest, SLOWEST_SECONDS),
    ):
        if value is not None and value > most:
            engine.late.append(f"{what} took {seconds(value)}, {most:.0f} s allowed")


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
        f"  failover, budget      {seconds(engine.failover)}, {budget}",
        f"  false evictions       {len(engine.false_evictions)}",
        f"  verdicts              {', '.join(engine.verdicts) or 'none seen'}",
        *moves,
        f"  expected              {'; '.join(engine.expected)}",
        *(f"  WRONG                 {text}" for text in engine.wrong),
        *(f"  LATE                  {text}" for text in engine.late),
        f"  result                {'as expected' if not engine.wrong and not engine.late else 'NOT as expected'}",
    ])
