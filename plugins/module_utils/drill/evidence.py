# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill's records and the decision log prove: false evictions, forks, how long traffic took to move. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..routing.budget import SOFT
from .report import IDEMPOTENT, Moments, Report, ok
from .scenarios import DECISION, STATIC, Expected

ORDERED = ("force_down", "force_up", "drain", "freeze")
STATIC_SITE = "static"
"""How the static site names itself."""

EARLY_SECONDS = 2.0
"""By how much the log's clock may be behind the one that the fault is noted by."""


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


def lessened(row: Mapping[str, Any]) -> bool:
    """Whether a row of the log is a move of the engine itself that takes a region out, or a part of its requests."""
    if row["kind"] != "change" or row["refused"] or str(row["reason"]).startswith(ORDERED):
        return False
    return float(row["admission_after"] or 0) < float(row["admission_before"] or 0)


def partly(sample: Mapping[str, Any]) -> list[str]:
    """The regions that a sample of the status page shows as not healthy or not admitted wholly."""
    return sorted(name for name, item in sample["regions"].items()
                  if item["phase"] != "HEALTHY" or item["admission"] != 1)


def false_evictions(entries: Sequence[Mapping[str, Any]], limits: Limits, moments: Moments) -> list[str]:
    """Evictions that nothing asked for: of a region that the drill's fault didn't hit, or hadn't hit yet.

    So is one of a region that, by what the log itself holds, an edge reached and that answered well.
    """
    return [f"{row['region']}, {why}: {row['reason']}" for row, why in _false(entries, limits, moments) if why]


def _false(
    entries: Sequence[Mapping[str, Any]], limits: Limits, moments: Moments
) -> Iterator[tuple[Mapping[str, Any], str]]:
    for entry in entries:
        for change in entry.get("changes", ()):
            row = {"kind": "change", "refused": False, "admission_before": 0, "admission_after": 0, **change}
            if not lessened(row):
                continue
            if row["region"] not in moments.struck:
                yield row, "which the fault did not hit"
            elif entry["at"] < moments.fault_at - EARLY_SECONDS:
                yield row, "before the fault"
            elif _well(str(row["region"]), entry.get("inputs", {}).get("observations", {}), limits):
                yield row, "which an edge reached and which answered well"


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


def forks(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Decisions that were made twice, by two agents at once: entries that follow the same one."""
    count = Counter(str(entry.get("previous", "")) for entry in entries)
    return [f"{number} decisions follow the same one, {previous[:12]}" for previous, number in count.items()
            if previous and number > 1]


def failover(
    report: Report, records: Sequence[dict[str, Any]], moments: Moments, expected: Expected, decision: float | None
) -> float | None:
    """Seconds from the fault until traffic had moved; None when it didn't, or wasn't to.

    Of errors and slow answers: until the engine had decided. Of a loss: until the last request that it touched had
    ended and the edges' checks or the name servers had followed.
    """
    if not expected.limit or expected.limit == DECISION:
        return decision if expected.limit else None
    until = min(moments.relieved_at, moments.back_at)
    lost = [record for record in records
            if record["kind"] in IDEMPOTENT and moments.fault_at <= record["start"] < until]
    if not any(_moved(record, moments, expected) for record in lost):
        return None
    ends = [record["start"] + record["seconds"] - moments.fault_at for record in lost
            if _touched(record, moments, expected, until)]
    followed = [value for value in (report.detection, report.dns_changed) if value is not None]
    return max([*ends, *followed], default=None)


def _moved(record: Mapping[str, Any], moments: Moments, expected: Expected) -> bool:
    """Whether a request was answered by who is to serve now."""
    if expected.serves == STATIC:
        return bool(record["region"] == STATIC_SITE)
    if moments.is_region:
        return ok(record) and record["region"] != moments.target
    return ok(record) and record["address"] != moments.address


def _touched(record: Mapping[str, Any], moments: Moments, expected: Expected, until: float) -> bool:
    """Whether the loss reached a request: answered by the lost one still, tried there first, or failed."""
    if expected.serves == STATIC:
        return bool(record["region"] != STATIC_SITE)
    if not ok(record):
        return True
    if moments.is_region:
        return bool(record["region"] == moments.target) and record["start"] + record["seconds"] < until
    return bool(record["first"] == moments.address) and record["attempts"] > 1


def slowest(records: Sequence[dict[str, Any]], moments: Moments) -> float:
    """The longest that an idempotent request took under the fault, until a lost node boots on the same processors."""
    until = min(moments.booted_at, moments.back_at)
    return max((record["seconds"] for record in records
                if record["kind"] in IDEMPOTENT and moments.fault_at <= record["start"] < until), default=0.0)
