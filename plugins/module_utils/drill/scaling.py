# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region did when its load grew and went back: figures from samples of its replicas and from requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .report import percentile

WINDOW_SECONDS = 5.0
CORES_TOLERANCE = 1.25


@dataclass(frozen=True)
class Sample:
    """One look at the Deployment: ``wanted`` and ``ready`` pods, ``percent`` of requested CPU (None: not known)."""

    at: float
    wanted: int
    ready: int
    percent: int | None = None


@dataclass(frozen=True)
class Course:
    """When what was sent (seconds of the machine's clock, requests a second) and what is asked of it.

    ``objective_seconds`` is the objective of the 99th percentile, ``stable_seconds`` the time to scale and be stable.
    ``cores`` is a pod's limit, ``busy_cores`` what a busy pod got of it.
    """

    region: str
    rate: float
    factor: float
    begun_at: float
    more_at: float
    less_at: float
    ended_at: float
    objective_seconds: float
    stable_seconds: float
    cores: float
    busy_cores: float


@dataclass
class Report:
    """Figures of one scaling drill; times in seconds since the load grew (or went back), None: not seen."""

    region: str
    rate: float
    factor: float
    cores: float
    busy_cores: float
    replicas: dict[str, int] = field(default_factory=dict)
    percent: dict[str, int | None] = field(default_factory=dict)
    p99: dict[str, float] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    decided: float | None = None
    stable: float | None = None
    p99_back: float | None = None
    down_decided: float | None = None
    down: float | None = None
    wrong: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def analyse(course: Course, samples: Sequence[Sample], records: Iterable[dict[str, Any]]) -> Report:
    """Return the figures and what isn't as it must be."""
    report = Report(course.region, course.rate, course.factor, course.cores, course.busy_cores)
    phases = {"1x": (course.begun_at, course.more_at), "more": (course.more_at, course.less_at),
              "1x again": (course.less_at, course.ended_at)}
    records = sorted(records, key=lambda record: record["start"])
    for name, (start, end) in phases.items():
        _phase(report, name, [item for item in samples if start <= item.at < end],
               [record for record in records if start <= record["start"] < end])
    more = [item for item in samples if course.more_at <= item.at < course.less_at]
    before = report.replicas.get("1x", 0)
    report.decided = _first(more, course.more_at, lambda item: item.wanted > before)
    if report.decided is not None:
        report.stable = _settled(more, course.more_at)
    report.p99_back = _back(records, course)
    after = [item for item in samples if item.at >= course.less_at]
    report.down_decided = _first(after, course.less_at, lambda item: item.wanted < report.replicas.get("more", 0))
    report.down = _first(after, course.less_at, lambda item: item.wanted <= before and item.ready <= before)
    report.wrong = _wrong(report, course)
    return report


def _phase(report: Report, name: str, samples: Sequence[Sample], records: Sequence[dict[str, Any]]) -> None:
    good = [record["seconds"] for record in records if 200 <= record["status"] < 300]
    report.requests[name], report.failed[name] = len(records), len(records) - len(good)
    report.p99[name] = round(percentile((record["seconds"] for record in records), 0.99), 3)
    report.replicas[name] = samples[-1].wanted if samples else 0
    told = [item.percent for item in samples if item.percent is not None]
    report.percent[name] = told[-1] if told else None


def _first(samples: Iterable[Sample], since: float, true: Any) -> float | None:
    return next((round(item.at - since, 1) for item in samples if true(item)), None)


def _settled(samples: Sequence[Sample], since: float) -> float | None:
    """Seconds until all that was wanted was ready and stayed so."""
    last = samples[-1]
    if last.ready != last.wanted:
        return None
    end = last.at
    for item in reversed(samples):
        if (item.wanted, item.ready) != (last.wanted, last.ready):
            break
        end = item.at
    return round(end - since, 1)


def _back(records: Sequence[dict[str, Any]], course: Course) -> float | None:
    """Seconds until the 99th percentile of every later window kept its objective; 0: it never left it."""
    back, start = 0.0, course.more_at
    while start < course.less_at:
        end = min(start + WINDOW_SECONDS, course.less_at)
        window = [_seconds(record, course) for record in records if start <= record["start"] < end]
        if percentile(window, 0.99) > course.objective_seconds:
            back = end - course.more_at
        start = end
    return None if back >= course.less_at - course.more_at else round(back, 1)


def _seconds(record: dict[str, Any], course: Course) -> float:
    """What a request took; one that failed took too long."""
    good = 200 <= record["status"] < 300
    return float(record["seconds"]) if good else max(float(record["seconds"]), course.objective_seconds * 2)


def _wrong(report: Report, course: Course) -> list[str]:
    found = []
    if report.busy_cores > course.cores * CORES_TOLERANCE:
        limit = f"its limit is {course.cores:.3f}: no quota holds here"
        found.append(f"a busy pod got {report.busy_cores:.3f} cores, {limit}")
    if report.decided is None:
        found.append("the region never scaled up")
    elif report.stable is None:
        found.append("the region was not stable before the load went back")
    elif report.stable > course.stable_seconds:
        found.append(f"stable after {report.stable} s, asked for are {course.stable_seconds:g} s")
    if report.p99_back is None:
        found.append(f"the 99th percentile did not come back to {course.objective_seconds:g} s")
    elif report.p99_back > course.stable_seconds:
        wanted = f"asked for are {course.stable_seconds:g} s"
        found.append(f"the 99th percentile was back after {report.p99_back} s, {wanted}")
    if report.down is None:
        found.append("the region did not scale down again")
    return found


def text(report: Report) -> str:
    """The figures for people."""
    def shown(value: float | None) -> str:
        return "not seen" if value is None else f"{value} s"

    rates = f"{report.rate:g} requests/s, then {report.factor:g} times that, then {report.rate:g} again"
    lines = [f"{report.region}: {rates}",
             f"  a busy pod gets       {report.busy_cores:.3f} of {report.cores:.3f} cores"]
    for name in report.replicas:
        percent = "not told" if report.percent[name] is None else f"{report.percent[name]} %"
        lines.append(f"  {name:<20}  {report.replicas[name]} replicas, CPU {percent}, "
                     f"p99 {report.p99[name]} s, failed {report.failed[name]} of {report.requests[name]}")
    lines += [f"  scaled up after       {shown(report.decided)}", f"  stable after          {shown(report.stable)}",
              f"  p99 kept again after  {shown(report.p99_back)}",
              f"  scales down after     {shown(report.down_decided)}", f"  as before after       {shown(report.down)}"]
    return "\n".join([*lines, *(f"  WRONG: {item}" for item in report.wrong)])
