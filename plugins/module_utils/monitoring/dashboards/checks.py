# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of a dashboard's JSON, since no Grafana says so before it is opened."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from .grafana import COLUMNS, DATASOURCE, SCHEMA_VERSION
from .model import KINDS, UNITS

SCRAPED = frozenset(
    {
        "ALERTS",
        "up",
        "haproxy_server_status",
        "alertmanager_cluster_members",
        "alertmanager_notifications_total",
        "alertmanager_notifications_failed_total",
        "routing_agent_active",
        "routing_agent_admission",
        "routing_agent_epoch",
        "routing_agent_failures",
        "routing_agent_generation",
        "routing_agent_orders",
        "routing_agent_peer_reached",
        "routing_agent_phase",
        "routing_agent_state_refused",
        "routing_agent_tick_age_seconds",
        "routing_agent_tick_seconds",
        "routing_agent_verdict",
    }
)
"""Series that an edge's Prometheus scrapes or makes itself, and that dashboards may read besides what is recorded."""

_UID = re.compile(r"[a-z0-9-]{1,40}")
_NOT_NAMES = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|ignoring|without|group_left|group_right) *\([^)]*\)')
_WORDS = re.compile(r"(?<![\w.:$])[a-zA-Z_][\w:]*(?! *\()(?![\w:])")
_OPERATORS = frozenset({"and", "or", "unless", "bool", "offset", "by", "on", "without", "ignoring"})


def series(expr: str) -> set[str]:
    """Names of the series that a PromQL expression of these dashboards reads."""
    return set(_WORDS.findall(_NOT_NAMES.sub(" ", expr))) - _OPERATORS


def chosen(expr: str, regions: str = ".*") -> str:
    """An expression as Grafana asks it for regions (a regular expression)."""
    return expr.replace("$region", regions)


def queries(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and expression of every query of a dashboard's panels."""
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def problems(dashboard: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """What is wrong with a dashboard; `known` are the series that there are."""
    panels: Sequence[Mapping[str, Any]] = dashboard["panels"]
    found = [*_head(dashboard), *_numbers(panels), *_places(panels)]
    for panel in panels:
        if panel["type"] != "row":
            found += [f"{panel['title']}: {text}" for text in (*_panel(panel), *_queries(panel, known))]
    for note in dashboard["annotations"]["list"]:
        found += [f"annotation {note['name']}: {text}" for text in _query(note, known)]
    return found


def _head(dashboard: Mapping[str, Any]) -> Iterator[str]:
    if not _UID.fullmatch(dashboard["uid"]):
        yield f"uid {dashboard['uid']!r} isn't 1 to 40 of a-z, 0-9 and -"
    if dashboard["schemaVersion"] != SCHEMA_VERSION:
        yield f"schemaVersion is {dashboard['schemaVersion']}, not {SCHEMA_VERSION}"
    if not dashboard["title"]:
        yield "no title"
    kinds = {item["name"]: item["type"] for item in dashboard["templating"]["list"]}
    if kinds != {"datasource": "datasource", "region": "query"}:
        yield f"variables are {kinds}"


def _numbers(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    numbers = [panel["id"] for panel in panels]
    yield from (f"id {number} is given twice" for number in sorted({n for n in numbers if numbers.count(n) > 1}))


def _places(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] < 0 or place["y"] < 0 or min(place["w"], place["h"]) < 1 or place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']}: lies outside of {COLUMNS} columns"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} lies over {other['title']}"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    sides = (("x", "w"), ("y", "h"))
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in sides)


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] not in KINDS:
        yield f"type {panel['type']!r} is none of {', '.join(KINDS)}"
    if defaults["unit"] not in UNITS:
        yield f"unit {defaults['unit']!r} is none of {', '.join(UNITS)}"
    if panel["datasource"] != DATASOURCE:
        yield "the data source isn't the variable"
    bounds = [step["value"] for step in defaults["thresholds"]["steps"]]
    if bounds[:1] != [None] or None in bounds[1:] or bounds[1:] != sorted(set(bounds[1:])):
        yield f"thresholds {bounds} don't rise from none"
    links = [link["url"] for link in panel["links"]]
    yield from (f"{link} is no address of a page" for link in links if not re.fullmatch(r"https?://\S+\.md", link))


def _queries(panel: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    letters = [target["refId"] for target in panel["targets"]]
    if not letters or len(letters) != len(set(letters)):
        yield "no query, or two by one name"
    for target in panel["targets"]:
        yield from _query(target, known)


def _query(asked: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    expr = asked.get("expr", "")
    if asked.get("datasource") != DATASOURCE:
        yield "a query's data source isn't the variable"
    if not expr:
        yield "a query has no expression"
    yield from (f"nothing records or scrapes {name}" for name in sorted(series(expr) - set(known)))
    yield from (f"there is no variable ${name}" for name in re.findall(r"\$\{?(\w+)", expr) if name != "region")
