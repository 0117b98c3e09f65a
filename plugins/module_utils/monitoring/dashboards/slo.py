# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives: what was kept, and how fast the error budget burns."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import duration
from ..settings import Settings
from ..slo import ERRORS, PAIRS, SLOW, count_name, ratio_name
from .model import ORANGE, RATIO, RED, STAT, Dashboard, Panel, Row, Target, of_regions, one

LONGEST = max(pair.long_seconds for pair in PAIRS)
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Objective:
    """An objective: its name in alerts, the series of what breaks it, the ratio that must be good."""

    name: str
    bad: str
    ratio: float
    promise: str


def dashboard(settings: Settings) -> Dashboard:
    """The dashboard."""
    objectives = (
        _Objective(name="Availability", bad=ERRORS, ratio=settings.objective,
                   promise=f"{settings.objective:.6g} of requests aren't answered 5xx"),
        _Objective(name="Latency", bad=SLOW, ratio=settings.latency_objective,
                   promise=f"{settings.latency_objective:.6g} of requests are answered within "
                           f"{settings.latency_seconds:g} s"),
    )  # fmt: skip
    return Dashboard(
        uid="llm-verifier-slo",
        title="LLM Verifier / Objectives",
        description=f"Objectives of every region over {settings.window_days} days, and their error budgets.",
        rows=(
            *(Row(title=objective.name, panels=_panels(objective, settings)) for objective in objectives),
            Row(title="Requests that count", panels=(_counted(settings),)),
        ),
    )


def _panels(objective: _Objective, settings: Settings) -> tuple[Panel, ...]:
    budget, longest = 1 - objective.ratio, duration(LONGEST)
    kept = f"1 - {of_regions(ratio_name(objective.bad, LONGEST))}"
    part = LONGEST / _DAY / settings.window_days
    spent = f"{of_regions(ratio_name(objective.bad, LONGEST))} / {budget:.6g} * {part:.6g}"
    alerts = (f"{objective.name}BudgetBurnsFast", f"{objective.name}BudgetBurnsSlowly")
    factors = sorted({(pair.factor(settings.window_days), pair.severity) for pair in PAIRS})
    windows = sorted({seconds for pair in PAIRS for seconds in (pair.long_seconds, pair.short_seconds)})
    burn = tuple(
        Target(expr=f"{of_regions(ratio_name(objective.bad, seconds))} / {budget:.6g}",
               legend=f"{{{{region}}}} {duration(seconds)}")
        for seconds in windows
    )  # fmt: skip
    return (
        Panel(kind=STAT, width=8, height=6, title=f"Good answers of {longest}", unit=RATIO, targets=one(kept),
              description=f"The objective: {objective.promise}.",
              steps=((0, RED), (objective.ratio, "green")), alerts=alerts),
        Panel(kind=STAT, width=16, height=6, title=f"Part of the budget that {longest} spent", unit=RATIO,
              description=f"Of {settings.window_days} days' errors, if the requests are spread evenly.",
              targets=one(spent), steps=((part, ORANGE), (1, RED)), alerts=alerts),
        Panel(width=24, title="How fast the budget burns, by window", targets=burn, bounds=(0, None), alerts=alerts,
              description="1 is as fast as it may; an alert fires where a long and its short window are over a line.",
              steps=tuple((factor, RED if severity == "critical" else ORANGE) for factor, severity in factors)),
    )  # fmt: skip


def _counted(settings: Settings) -> Panel:
    windows = sorted({pair.long_seconds for pair in PAIRS})
    return Panel(
        width=24, title="Requests by window",
        description=f"A pair of windows is silent below {settings.minimum_requests}.",
        targets=tuple(Target(expr=of_regions(count_name(seconds)), legend=f"{{{{region}}}} {duration(seconds)}")
                      for seconds in windows),
    )  # fmt: skip
