# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All regions at a glance: what to look at first."""

from __future__ import annotations

from ..settings import Settings
from .model import (
    EVICTION,
    GREEN,
    ORANGE,
    PER_SECOND,
    RATIO,
    RED,
    REGION,
    SECONDS,
    STAT,
    TABLE,
    Dashboard,
    Panel,
    Row,
    of_regions,
    one,
)

ERRORS, REQUESTS = f"region:http_errors:rate2m{REGION}", f"region:http_requests:rate2m{REGION}"


def dashboard(settings: Settings) -> Dashboard:
    """The dashboard."""
    return Dashboard(
        uid="llm-verifier-overview",
        title="LLM Verifier / Overview",
        description="All regions: traffic, errors, latency, who is served where, what fires.",
        rows=(
            Row(title="Now", panels=_now(settings)),
            Row(title="Traffic", panels=_traffic(settings)),
            Row(title="Regions", panels=_regions(settings)),
        ),
    )


def _now(settings: Settings) -> tuple[Panel, ...]:
    budget = 1 - settings.objective
    p95 = f"region:http_request_duration_seconds:p95_rate5m{REGION}"
    return (
        Panel(kind=STAT, width=4, height=4, title="Requests a second", unit=PER_SECOND,
              targets=one("global:http_requests:rate5m", "all regions")),
        Panel(kind=STAT, width=4, height=4, title="Error ratio", unit=RATIO,
              targets=one(f"sum({ERRORS}) / (sum({REQUESTS}) > 0)", "answered 5xx"),
              steps=((budget, ORANGE), (14.4 * budget, RED)),
              alerts=("AvailabilityBudgetBurnsFast", "AvailabilityBudgetBurnsSlowly")),
        Panel(kind=STAT, width=4, height=4, title="Slowest region, P95", unit=SECONDS,
              targets=one(f"max({p95} >= 0)", "P95"), steps=((settings.latency_seconds, RED),),
              alerts=("HighLatency",)),
        Panel(kind=STAT, width=4, height=4, title="Regions taken out",
              targets=one('sum(max by (region) (routing_agent_phase{phase="EVICTED"}))', "regions"),
              steps=((1, RED),), alerts=("RegionEvicted",)),
        Panel(kind=STAT, width=4, height=4, title="Alerts that fire",
              targets=one('count(ALERTS{alertstate="firing"}) or vector(0)', "alerts"), steps=((1, RED),)),
        Panel(kind=STAT, width=4, height=4, title="Edges that decide", description="One, whatever happens.",
              targets=one("sum(max by (instance) (routing_agent_active))", "edges"),
              steps=((0, RED), (1, GREEN), (2, RED)), alerts=("NoActiveEdge", "SeveralActiveEdges")),
    )  # fmt: skip


def _traffic(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(title="Requests a second by region", unit=PER_SECOND, stacked=True,
              targets=one(of_regions("region:http_requests:rate5m"))),
        Panel(title="Answers a second by class", unit=PER_SECOND, stacked=True,
              targets=one(f"sum by (class) (region_class:http_requests:rate5m{REGION})", "{{class}}")),
        Panel(title="Error ratio by region", unit=RATIO, bounds=(0, None),
              targets=one(of_regions("region:http_errors:ratio_rate5m")), steps=((1 - settings.objective, RED),),
              alerts=("AvailabilityBudgetBurnsFast", "RegionSick")),
        Panel(title="P95 by region", unit=SECONDS, bounds=(0, None),
              targets=one(of_regions("region:http_request_duration_seconds:p95_rate5m")),
              steps=((settings.latency_seconds, RED),), alerts=("HighLatency", "LatencyBudgetBurnsFast")),
    )  # fmt: skip


def _regions(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(title="Availability by region", unit=RATIO, bounds=(0, 1), alerts=("RegionalFailure",),
              description="Of the probes that other regions make.",
              targets=one(of_regions("region:availability:avg5m"))),
        Panel(title="Share of the edges' answers", unit=RATIO, bounds=(0, 1), stacked=True,
              targets=one(of_regions("region:edge_answers:share_rate5m"))),
        Panel(title="Requests that left a region for another one", unit=PER_SECOND, bounds=(0, None),
              description="Because an attempt there failed.", alerts=("CrossRegionTrafficHigh",),
              targets=one(of_regions("region:cross_region_requests:rate5m"))),
        Panel(kind=TABLE, title="Alerts that fire", description="Empty is good.", when=EVICTION,
              targets=one('count by (alertname, severity, region) (ALERTS{alertstate="firing"})', ""),
              alerts=("RegionalFailure", "RegionEvicted")),
    )  # fmt: skip
