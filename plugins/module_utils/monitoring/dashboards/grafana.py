# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards in the JSON that Grafana reads (its dashboard API v1, whose last schema is 42)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import Any

from .model import GREEN, RED, STAT, TABLE, TIMELINE, TIMESERIES, Dashboard, Panel

SCHEMA_VERSION, COLUMNS, TAG = 42, 24, "llm-verifier"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
EVICTED = 'ALERTS{alertname="RegionEvicted",alertstate="firing"}'
REGIONS = "label_values(region_job:up:avg, region)"

_PLACED = Iterator[dict[str, Any]]


def render(dashboard: Dashboard, runbooks: str) -> dict[str, Any]:
    """The dashboard; `runbooks` is the address that the name of an alert and `.md` are appended to."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "LLM Verifier", "tags": [TAG], "asDropdown": True,
                   "includeVars": True, "keepTime": True, "targetBlank": False}],
        "annotations": {"list": [_evictions()]},
        "templating": {"list": [_datasources(), _regions()]},
        "panels": list(_panels(dashboard, runbooks)),
    }  # fmt: skip


def _evictions() -> dict[str, Any]:
    return {"name": "Region taken out", "datasource": DATASOURCE, "enable": True, "iconColor": RED, "expr": EVICTED,
            "titleFormat": "{{region}} gets no traffic", "step": "15s"}  # fmt: skip


def _datasources() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1,
            "hide": 0}  # fmt: skip


def _regions() -> dict[str, Any]:
    return {"name": "region", "label": "Region", "type": "query", "datasource": DATASOURCE, "definition": REGIONS,
            "query": {"query": REGIONS, "refId": "regions"}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "hide": 0}  # fmt: skip


def _panels(dashboard: Dashboard, runbooks: str) -> _PLACED:
    """Every heading and panel with its number and place."""
    number, top = 0, 0
    for row in dashboard.rows:
        number += 1
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        top += 1
        left = line = 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                left, top, line = 0, top + line, 0
            number += 1
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": place, **_panel(panel, runbooks)}
            left, line = left + panel.width, max(line, panel.height)
        top += line


def _panel(panel: Panel, runbooks: str) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "links": [{"title": f"Runbook of {alert}", "url": f"{runbooks}{alert}.md", "targetBlank": True}
                  for alert in panel.alerts],
        "targets": list(_targets(panel)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
        **({"transformations": [_NO_TIME]} if panel.kind == TABLE else {}),
    }  # fmt: skip


def _targets(panel: Panel) -> _PLACED:
    once = panel.kind == TABLE
    for letter, target in zip(ascii_uppercase, panel.targets, strict=False):
        yield {"refId": letter, "datasource": DATASOURCE, "expr": target.expr, "legendFormat": target.legend,
               "instant": once, "range": not once, "format": "table" if once else "time_series"}  # fmt: skip


def _defaults(panel: Panel) -> dict[str, Any]:
    low, high = panel.bounds
    limits = {name: bound for name, bound in (("min", low), ("max", high)) if bound is not None}
    lines = panel.kind == TIMESERIES and bool(panel.steps)
    return {
        "unit": panel.unit,
        **limits,
        "color": {"mode": "palette-classic" if panel.kind == TIMESERIES else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": _steps(panel.steps)},
        "mappings": [{"type": "value", "options": {str(value): {"text": text, "color": colour, "index": value}
                                                   for value, text, colour in panel.words}}] if panel.words else [],
        "custom": _custom(panel, lines) if panel.kind == TIMESERIES else {},
    }  # fmt: skip


def _steps(steps: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    """Thresholds; the first one has no bound."""
    return [{"value": None, "color": GREEN}, *({"value": value, "color": colour} for value, colour in steps)]


def _custom(panel: Panel, lines: bool) -> dict[str, Any]:
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if lines else "off"},
    }


_REDUCED = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True}
_NO_TIME = {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}
_OPTIONS: dict[str, dict[str, Any]] = {
    TIMESERIES: {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    STAT: {"reduceOptions": _REDUCED, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
    TABLE: {"showHeader": True, "cellHeight": "sm"},
    TIMELINE: {"mergeValues": True, "showValue": "auto", "rowHeight": 0.9, "legend": _LEGEND},
}
