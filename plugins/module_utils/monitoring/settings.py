# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says about rules and about who is told; ratios are 0-1, times in the unit of their name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .model import MonitoringError
from .prices import Price, prices

RUNBOOKS = "https://github.com/llm-verifier/multi_region/blob/main/docs/runbooks/alerts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Thresholds of the rules.

    Attributes:
        objective: availability: at least this ratio of requests isn't answered 5xx.
        latency_objective: at least this ratio of requests is answered within `latency_seconds`.
        latency_seconds: also the guide's threshold of HighLatency; a bucket's bound of the workload's histogram.
        window_days: time that the objectives are kept over.
        minimum_requests: fewer in the long window of a pair say nothing about the objective.
        interval_seconds: time between two evaluations of most rules.
        workload: PromQL matchers of the workload's series.
        health_path: its requests don't count.
        certificate_days, replica_lag_seconds, backup_hours: from when on somebody is told.
        moved_ratio: of a region's requests, answered elsewhere because an attempt failed.
        tick_seconds: time between two rounds of the routing agent.
        runbooks: address that the name of an alert and `.md` are appended to.
        prices: by region; without any, nothing is said of money.
    """

    objective: float = 0.999
    latency_objective: float = 0.99
    latency_seconds: float = 2.0
    window_days: int = 30
    minimum_requests: int = 100
    interval_seconds: int = 15
    workload: str = 'job="workload"'
    health_path: str = "/api/health"
    certificate_days: float = 14.0
    replica_lag_seconds: float = 30.0
    backup_hours: float = 26.0
    moved_ratio: float = 0.05
    tick_seconds: float = 2.0
    runbooks: str = RUNBOOKS
    prices: tuple[Price, ...] = ()

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Settings:
        """Settings of plain data; what is missing has its default.

        Raises MonitoringError with every reason.
        """
        known = {field.name: field.default for field in fields(cls)}
        problems = [f"{name} is no setting" for name in sorted(set(given) - set(known))]
        values: dict[str, Any] = {}
        for name, default in known.items():
            if name not in given or name == "prices":
                continue
            value = given[name]
            kind: Any = type(default)
            taken = (int, float) if kind is float else kind
            if isinstance(value, taken) and not isinstance(value, bool):
                values[name] = kind(value)  # Ansible's values are of types derived from these
            else:
                problems.append(f"{name} is {value!r}: {kind.__name__} is wanted")
        found = cls(**values)
        problems += _problems(found)
        try:
            found = replace(found, prices=prices(given.get("prices") or {}))
        except MonitoringError as error:
            problems.append(str(error))
        if problems:
            raise MonitoringError("; ".join(problems))
        return found


def _problems(settings: Settings) -> list[str]:
    problems = [
        f"{name} is {value}: a ratio above 0 and below 1 is wanted"
        for name in ("objective", "latency_objective", "moved_ratio")
        if not 0 < (value := getattr(settings, name)) < 1
    ]
    positive = (
        "latency_seconds", "window_days", "interval_seconds", "certificate_days", "replica_lag_seconds", "backup_hours",
        "tick_seconds",
    )  # fmt: skip
    problems += [
        f"{name} is {value}: a number above 0 is wanted"
        for name in positive
        if not (value := getattr(settings, name)) > 0 or not math.isfinite(value)
    ]
    if settings.minimum_requests < 0:
        problems.append(f"minimum_requests is {settings.minimum_requests}: 0 or more is wanted")
    if settings.window_days < 7:
        problems.append(f"window_days is {settings.window_days}: 7 or more is wanted, or a slow burn can't be told")
    if not re.fullmatch(r'/[^"\\\n]*', settings.health_path):
        problems.append(f"health_path is {settings.health_path!r}: a path is wanted")
    if not re.fullmatch(r"https?://\S+/", settings.runbooks):
        problems.append(f"runbooks is {settings.runbooks!r}: an address with / at its end is wanted")
    return problems
