# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All dashboards, as Grafana's JSON and as ConfigMaps that the sidecar of kube-prometheus-stack takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..model import MonitoringError
from ..rules import all_alerts, recorded
from ..settings import Settings
from . import checks, console, cost, grafana, overview, region, routing, slo
from .model import Dashboard

PAGES = (overview, region, routing, slo, cost)


def dashboards(settings: Settings) -> tuple[Dashboard, ...]:
    """Every dashboard as data."""
    return tuple(page.dashboard(settings) for page in PAGES)


def rendered(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every dashboard's JSON by its uid. Raises MonitoringError for one that couldn't be read."""
    known, alerts = recorded(settings) | checks.SCRAPED, {alert.name for alert in all_alerts(settings)}
    found = {}
    for dashboard in dashboards(settings):
        found[dashboard.uid] = grafana.render(dashboard, settings.runbooks)
        named = {alert for row in dashboard.rows for panel in row.panels for alert in panel.alerts}
        problems = checks.problems(found[dashboard.uid], known)
        problems += [f"there is no alert {name}" for name in sorted(named - alerts)]
        if problems:
            raise MonitoringError(f"{dashboard.uid}: " + "; ".join(problems))
    return found


def consoles(settings: Settings) -> dict[str, str]:
    """The same dashboards by file name, as pages that Prometheus shows itself. Raises MonitoringError as `rendered`."""
    rendered(settings)
    return console.pages(dashboards(settings), settings.runbooks)


def config_maps(settings: Settings, namespace: str, labels: Mapping[str, str], folder: str) -> list[dict[str, Any]]:
    """A ConfigMap a dashboard; `labels` are what the sidecar selects by, `folder` is Grafana's."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": uid, "namespace": namespace, "labels": dict(labels),
                         "annotations": {"grafana_folder": folder}},
            "data": {f"{uid}.json": json.dumps(made, indent=1, sort_keys=True) + "\n"},
        }
        for uid, made in rendered(settings).items()
    ]  # fmt: skip
