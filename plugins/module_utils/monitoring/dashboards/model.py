# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard is: typed data that Grafana's JSON is made of."""

from __future__ import annotations

from dataclasses import dataclass

TIMESERIES, STAT, TABLE, TIMELINE = "timeseries", "stat", "table", "state-timeline"
KINDS = (TIMESERIES, STAT, TABLE, TIMELINE)

NUMBER, RATIO, PER_SECOND, SECONDS, BYTES, BYTES_PER_SECOND, MONEY = (
    "short", "percentunit", "reqps", "s", "bytes", "Bps", "currencyUSD",
)  # fmt: skip
UNITS = (NUMBER, RATIO, PER_SECOND, SECONDS, BYTES, BYTES_PER_SECOND, MONEY)
"""Units by Grafana's names."""

ALWAYS, EVICTION = "", "eviction"
"""When a panel has data: on every site with traffic, or only while a region is taken out."""

GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"

REGION = '{region=~"$region"}'
"""What an expression selects by where a reader chooses regions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A query, and how its series are named (`{{label}}`)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        description: what a reader needs to know to read it.
        alerts: names of alerts whose runbooks it links to.
        steps: values from which on a colour holds; below the first one it is green.
        words: what numbers mean: value, text, colour.
        width: of 24 columns.
        stacked: whether the series add up to a whole.
        bounds: least and greatest value of the axis, where it has any.
        when: when it has data.
    """

    title: str
    targets: tuple[Target, ...]
    kind: str = TIMESERIES
    unit: str = NUMBER
    description: str = ""
    alerts: tuple[str, ...] = ()
    steps: tuple[tuple[float, str], ...] = ()
    words: tuple[tuple[int, str, str], ...] = ()
    width: int = 12
    height: int = 8
    stacked: bool = False
    bounds: tuple[float | None, float | None] = (None, None)
    when: str = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels below a heading, from left to right, as many a line as there is room for."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard; its `uid` never changes, since links lead there."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]


def one(expr: str, legend: str = "{{region}}") -> tuple[Target, ...]:
    """A single query, its series named by region unless said otherwise."""
    return (Target(expr=expr, legend=legend),)


def of_regions(record: str) -> str:
    """A recorded series of the chosen regions, one a region whatever else labels it."""
    return f"max by (region) ({record}{REGION})"
