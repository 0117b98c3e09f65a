# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule is: typed data, so that one source is rendered for Prometheus, its operator and Alertmanager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REGION, GLOBAL = "region", "global"
"""Where a group is evaluated: in every region's own Prometheus, or where all regions are seen (an edge's)."""
PLACES = (REGION, GLOBAL)

CRITICAL, WARNING = "critical", "warning"
"""Somebody looks at once; somebody looks on the next working day."""
SEVERITIES = (CRITICAL, WARNING)

DEVOPS, SECURITY, SUPPORT = "devops", "security", "support"
"""The contacts that the deployment guide names."""


class MonitoringError(ValueError):
    """Settings that no rules or notifications can be made of; its text lists every reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A recording rule, named level:metric:operations as Prometheus' documentation recommends.

    `labels` are added to what the expression gives.
    """

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alerting rule.

    Attributes:
        hold_seconds: how long the expression must hold before it fires.
        summary, description: what a reader is told; Prometheus' template language.
        contacts: who is told, by the names of the settings' contacts.
        follows: names of alerts that explain this one: while one of them fires for the same region, this one is silent.
    """

    name: str
    expr: str
    severity: str
    summary: str
    description: str = ""
    hold_seconds: int = 0
    contacts: tuple[str, ...] = (DEVOPS,)
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, every `interval_seconds`, at a place."""

    name: str
    place: str
    interval_seconds: int
    rules: tuple[Record | Alert, ...]


def duration(seconds: float) -> str:
    """Seconds as Prometheus writes durations: 300 is 5m.

    Raises MonitoringError for a fraction of a second or less than one.
    """
    whole = int(seconds)
    if whole != seconds or whole < 1:
        raise MonitoringError(f"{seconds} s is no whole number of seconds above 0")
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"
