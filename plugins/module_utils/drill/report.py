# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill showed: figures from the records of load and watch. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

IDEMPOTENT = ("get", "post")


@dataclass(frozen=True)
class Moments:
    """When the fault came and when it was taken away, in seconds of the machine's clock.

    ``target`` is the node that failed, ``fault`` the drill's name, ``is_region`` whether the target is a region.
    ``struck`` are the regions that the fault hit, ``address`` is an edge's. The first loss ended at ``relieved_at``; at
    ``booted_at`` the first lost node started again, which takes processors from all others of this machine.
    """

    target: str
    fault: str
    is_region: bool
    fault_at: float
    back_at: float
    struck: tuple[str, ...] = ()
    address: str = ""
    relieved_at: float = math.inf
    booted_at: float = math.inf


@dataclass
class Report:
    """Figures of one drill. Times in seconds, absent where nothing of the kind was seen.

    ``errors`` are those of requests that failed; ``first_errors`` those of idempotent requests' first tries, which a
    client that tries only once would see.
    """

    target: str
    fault: str
    is_region: bool
    at: float = 0.0
    requests: int = 0
    failed: int = 0
    plain_requests: int = 0
    plain_failed: int = 0
    slowest: float = 0.0
    slowest_plain: float = 0.0
    retried: int = 0
    detection: float | None = None
    answers_changed: float | None = None
    dns_changed: float | None = None
    back_up: float | None = None
    p99: dict[str, float] = field(default_factory=dict)
    slowest_in: dict[str, float] = field(default_factory=dict)
    regions: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    first_errors: dict[str, int] = field(default_factory=dict)
    long_requests: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that ``share`` (0-1) of the values don't exceed, 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(share * len(ordered) + 0.5) - 1))] if ordered else 0.0


def ok(record: Mapping[str, Any]) -> bool:
    """Tell whether a request was answered well."""
    return bool(200 <= record["status"] < 300)


def phase(start: float, moments: Moments) -> str:
    """Return before, during or after: when a request was due."""
    return "before" if start < moments.fault_at else "during" if start < moments.back_at else "after"


def _first_change(changes: Sequence[dict[str, Any]], kind: str, moments: Moments) -> float | None:
    """Return the seconds until the last of those asked changed its answer; who fell silent does not count."""
    firsts: dict[str, float] = {}
    before: dict[str, str] = {}
    silent = {change["probe"] for change in changes
              if moments.fault_at <= change["at"] < moments.back_at and change["value"] == "no answer"}
    for change in sorted(changes, key=lambda item: item["at"]):
        if change["kind"] != kind or change["probe"] in silent:
            continue
        probe = change["probe"]
        if change["at"] < moments.fault_at:
            before[probe] = change["value"]
        elif change["at"] < moments.back_at and change["value"] != before.get(probe):
            firsts.setdefault(probe, change["at"] - moments.fault_at)
    return max(firsts.values()) if firsts else None


def _back_up(records: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]], moments: Moments) -> float | None:
    """Return the seconds from the fault's end until the target serves again: a region's answer, an edge's address."""
    if moments.is_region:
        starts = [r["start"] for r in records if r["start"] >= moments.back_at and r["region"] == moments.target]
    else:
        before: dict[str, str] = {}
        starts = []
        for change in sorted(changes, key=lambda item: item["at"]):
            if change["at"] < moments.fault_at:
                before[change["probe"]] = change["value"]
            elif change["at"] >= moments.back_at and change["value"] == before.get(change["probe"]):
                starts.append(change["at"])
        return max(starts) - moments.back_at if starts else None
    return min(starts) - moments.back_at if starts else None


def _answers_changed(records: Sequence[dict[str, Any]], moments: Moments) -> float | None:
    """Return the seconds from the fault until the target gave its last answer during it."""
    if not moments.is_region:
        return None
    during = [record for record in records if phase(record["start"], moments) == "during"]
    if not any(ok(record) and record["region"] != moments.target for record in during):
        return None
    last = [r["start"] + r["seconds"] for r in during if r["region"] == moments.target and ok(r)
            and r["start"] + r["seconds"] < moments.back_at]
    return max(0.0, max(last, default=moments.fault_at) - moments.fault_at)


def _end(record: dict[str, Any]) -> str:
    return f"{record['error'] or record['status']} after {record['seconds']:.1f} s"


def analyse(records: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]], moments: Moments) -> Report:
    """Return the figures of a drill from the load's records and the watcher's changes."""
    idempotent = [record for record in records if record["kind"] in IDEMPOTENT]
    plain = [record for record in records if record["kind"] == "plain"]
    report = Report(moments.target, moments.fault, moments.is_region, moments.fault_at)
    report.requests, report.plain_requests = len(idempotent), len(plain)
    report.failed = sum(not ok(record) for record in idempotent)
    report.plain_failed = sum(not ok(record) for record in plain)
    report.slowest = max((record["seconds"] for record in idempotent), default=0.0)
    report.slowest_plain = max((record["seconds"] for record in plain), default=0.0)
    report.retried = sum(record["attempts"] > 1 for record in idempotent)
    report.detection = _first_change(changes, "check", moments)
    report.dns_changed = _first_change(changes, "dns", moments)
    report.answers_changed = _answers_changed(idempotent, moments)
    report.back_up = _back_up(idempotent, changes, moments)
    for name in ("before", "during", "after"):
        part = [record for record in idempotent if phase(record["start"], moments) == name]
        report.p99[name] = percentile((record["seconds"] for record in part), 0.99)
        report.slowest_in[name] = max((record["seconds"] for record in part), default=0.0)
        report.regions[name] = dict(Counter(record["region"] or "none" for record in part).most_common())
    report.long_requests = [_end(record) for record in records if record["kind"] == "long"]
    failures = Counter(f"{r['kind']}: {r['error']}" for r in (*idempotent, *plain) if not ok(r))
    report.errors = dict(failures.most_common(10))
    report.first_errors = dict(Counter(r["first_error"] for r in idempotent if r["first_error"]).most_common(10))
    return report


def seconds(value: float | None) -> str:
    """Return a time as people read it."""
    return "not seen" if value is None else f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def text(report: Report) -> str:
    """Return the report as people read it."""
    def share(name: str) -> str:
        return ", ".join(f"{region} {count}" for region, count in report.regions[name].items()) or "none"

    def times(figures: dict[str, float]) -> str:
        return ", ".join(f"{name} {seconds(value)}" for name, value in figures.items())

    unchanged = "   (the load balancer still answers)" if report.is_region and report.dns_changed is None else ""
    lines = [
        f"DRILL  {report.target}: {report.fault}",
        f"  idempotent requests   {report.requests}, failed {report.failed}, slowest {seconds(report.slowest)}, "
        f"tried more than once {report.retried}",
        f"  plain POSTs           {report.plain_requests}, failed {report.plain_failed}, "
        f"slowest {seconds(report.slowest_plain)}",
        f"  detected after        {seconds(report.detection)}   (all edges' checks agree)",
        f"  answers changed after {seconds(report.answers_changed)}   (another region serves)",
        f"  DNS changed after     {seconds(report.dns_changed)}{unchanged}",
        f"  answers again after   {seconds(report.back_up)}   (from the fault's end)",
        f"  p99                   {times(report.p99)}",
        f"  slowest               {times(report.slowest_in)}",
        *(f"  served {name:<14} {share(name)}" for name in ("before", "during", "after")),
        *(f"  30 s request          {end}   (in flight at the fault)" for end in report.long_requests),
        *(f"  first try failed      {count} x {error}   (tried again)" for error, count in report.first_errors.items()),
        *(f"  error                 {count} x {error}" for error, count in report.errors.items()),
    ]
    return "\n".join(lines)
