# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules of a place, as Prometheus reads them from a file and as an object of the Prometheus operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import alerts, costs, records, slo
from .model import PLACES, Alert, Group, MonitoringError, Record, duration
from .settings import Settings


def groups(settings: Settings, places: Iterable[str] = PLACES) -> tuple[Group, ...]:
    """The groups that are evaluated at these places. Raises MonitoringError for a place that there isn't."""
    wanted = set(places)
    if wanted - set(PLACES):
        raise MonitoringError(f"places are {', '.join(PLACES)}, not {', '.join(sorted(wanted - set(PLACES)))}")
    every = (*records.groups(settings), *costs.groups(settings), *slo.groups(settings), *alerts.groups(settings))
    return tuple(group for group in every if group.place in wanted)


def all_alerts(settings: Settings) -> tuple[Alert, ...]:
    """Every alert once, by name."""
    found = {rule.name: rule for group in groups(settings) for rule in group.rules if isinstance(rule, Alert)}
    return tuple(found[name] for name in sorted(found))


def recorded(settings: Settings, places: Iterable[str] = PLACES) -> frozenset[str]:
    """Names of the series that are recorded at these places."""
    rules = (rule for group in groups(settings, places) for rule in group.rules)
    return frozenset(rule.name for rule in rules if isinstance(rule, Record))


def rule_file(settings: Settings, places: Iterable[str]) -> dict[str, Any]:
    """A rule file of Prometheus as plain data."""
    return {"groups": [_group(group, settings) for group in groups(settings, places)]}


def prometheus_rule(
    settings: Settings, places: Iterable[str], *, name: str, namespace: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    """The same rules as an object for kube-prometheus-stack; `labels` are what its operator selects by."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": rule_file(settings, places),
    }


def _group(group: Group, settings: Settings) -> dict[str, Any]:
    return {
        "name": f"llm-verifier-{group.name}",
        "interval": duration(group.interval_seconds),
        "rules": [_rule(rule, settings) for rule in group.rules],
    }


def _rule(rule: Record | Alert, settings: Settings) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expr, **({"labels": dict(rule.labels)} if rule.labels else {})}
    annotations = {"summary": rule.summary, "description": rule.description}
    return {
        "alert": rule.name,
        "expr": rule.expr,
        **({"for": duration(rule.hold_seconds)} if rule.hold_seconds else {}),
        "labels": {"severity": rule.severity, "contacts": ",".join(rule.contacts)},
        "annotations": {
            **{key: text for key, text in annotations.items() if text},
            "runbook_url": f"{settings.runbooks}{rule.name}.md",
        },
    }
