# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives, and alerts on how fast their error budget burns.

Multi-window, multi-burn-rate alerts as in chapter 5, "Alerting on SLOs", of Google's Site Reliability Workbook
(https://sre.google/workbook/alerting-on-slos/): a part of the budget spent within a long window fires, while the short
window, a twelfth of it, still burns at least as fast; so it ends soon after the cause does.

The ratios are of sums over the recorded rates of each region, so that days are kept as three series a region. On an
edge they outlive the region and its own few hours of samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .model import CRITICAL, GLOBAL, WARNING, Alert, Group, Record, duration
from .settings import Settings

_HOUR, _DAY = 3600, 86400
_SLOW_INTERVAL_SECONDS = 300

REQUESTS, ERRORS, SLOW = "region:http_requests:rate2m", "region:http_errors:rate2m", "region:http_slow:rate2m"
"""Requests a second by region: all, answered 5xx, slower than the threshold; health checks left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A part (ratio) of the budget that may burn within the long window before `severity` is due."""

    budget: float
    long_seconds: int
    severity: str

    @property
    def short_seconds(self) -> int:
        """The window that ends the alert: a twelfth of the long one."""
        return self.long_seconds // 12

    def factor(self, window_days: int) -> float:
        """How many times faster than evenly over the window the budget burns then."""
        return self.budget * window_days * _DAY / self.long_seconds


PAIRS = (
    Pair(budget=0.02, long_seconds=_HOUR, severity=CRITICAL),
    Pair(budget=0.05, long_seconds=6 * _HOUR, severity=CRITICAL),
    Pair(budget=0.10, long_seconds=_DAY, severity=WARNING),
    Pair(budget=0.10, long_seconds=3 * _DAY, severity=WARNING),
)
"""Table 5-8 of the workbook; over 30 days the factors are 14.4, 6, 3 and 1."""

_SPEED = {CRITICAL: "Fast", WARNING: "Slowly"}


def groups(settings: Settings) -> Iterator[Group]:
    """Ratios by window, then the alerts on them."""
    kinds = (("Availability", ERRORS, settings.objective), ("Latency", SLOW, settings.latency_objective))
    windows = sorted({pair.long_seconds for pair in PAIRS} | {pair.short_seconds for pair in PAIRS})
    for name, interval, chosen in (
        ("slo-short-windows", settings.interval_seconds, [window for window in windows if window <= 2 * _HOUR]),
        ("slo-long-windows", _SLOW_INTERVAL_SECONDS, [window for window in windows if window > 2 * _HOUR]),
    ):
        ratios = [Record(name=ratio_name(bad, window), expr=_ratio_expr(bad, window))
                  for _kind, bad, _objective in kinds for window in chosen]  # fmt: skip
        counts = [
            Record(name=count_name(window), expr=_count_expr(window, settings))
            for window in chosen if window in {pair.long_seconds for pair in PAIRS}
        ]  # fmt: skip
        yield Group(name=name, place=GLOBAL, interval_seconds=interval, rules=(*ratios, *counts))
    alerts = [
        _alert(kind, bad, objective, severity, settings)
        for kind, bad, objective in kinds
        for severity in (CRITICAL, WARNING)
    ]
    yield Group(name="slo", place=GLOBAL, interval_seconds=settings.interval_seconds, rules=tuple(alerts))


def ratio_name(bad: str, window: int) -> str:
    """The record of what part of a window's requests was `bad`."""
    return f"{bad.rsplit(':', 1)[0]}:ratio_{duration(window)}"


def count_name(window: int) -> str:
    """The record of how many requests a window had."""
    return f"region:http_requests:count_{duration(window)}"


def _ratio_expr(bad: str, window: int) -> str:
    over = f"[{duration(window)}]"
    return (
        f"sum by (region) (sum_over_time({bad}{over})) / (sum by (region) (sum_over_time({REQUESTS}{over})) > 0)"
    )


def _count_expr(window: int, settings: Settings) -> str:
    return f"sum by (region) (sum_over_time({REQUESTS}[{duration(window)}])) * {settings.interval_seconds}"


def _alert(kind: str, bad: str, objective: float, severity: str, settings: Settings) -> Alert:
    def burns(pair: Pair) -> str:
        limit = f"{pair.factor(settings.window_days) * (1 - objective):.6g}"
        long, short = ratio_name(bad, pair.long_seconds), ratio_name(bad, pair.short_seconds)
        enough = f"{count_name(pair.long_seconds)} >= {settings.minimum_requests}"
        return f"({long} > {limit} and {short} > {limit} and {enough})"

    name = f"{kind}BudgetBurns{_SPEED[severity]}"
    quicker = () if severity == CRITICAL else (f"{kind}BudgetBurns{_SPEED[CRITICAL]}",)
    what = "isn't answered 5xx" if kind == "Availability" else f"is answered within {settings.latency_seconds:g} s"
    return Alert(
        name=name,
        expr=" or ".join(burns(pair) for pair in PAIRS if pair.severity == severity),
        severity=severity,
        summary=f"{{{{ $labels.region }}}} spends its {kind.lower()} budget {_SPEED[severity].lower()}",
        description=f"{{{{ $value | humanizePercentage }}}} of requests are bad; the objective is that {objective:.6g} "
        f"of them {what} over {settings.window_days} days.",
        follows=("RegionalFailure", *quicker),
    )
