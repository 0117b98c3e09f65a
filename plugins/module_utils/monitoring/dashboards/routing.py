# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the routing decided, why, and whether it is so."""

from __future__ import annotations

from ...routing.state import EVICTED, HEALTHY, PHASES, RAMPING, SUSPECT
from ..settings import Settings
from .model import (
    BLUE,
    EVICTION,
    GREEN,
    ORANGE,
    PER_SECOND,
    RATIO,
    RED,
    SECONDS,
    STAT,
    TABLE,
    TIMELINE,
    YELLOW,
    Dashboard,
    Panel,
    Row,
    of_regions,
    one,
)

COLOURS = {HEALTHY: GREEN, SUSPECT: YELLOW, EVICTED: RED, RAMPING: BLUE}
_OPEN = 'haproxy_server_status{proxy="regions",state="UP"}'
_TOLD, _UNTOLD = "alertmanager_notifications_total", "alertmanager_notifications_failed_total"


def dashboard(settings: Settings) -> Dashboard:
    """The dashboard."""
    return Dashboard(
        uid="llm-verifier-routing",
        title="LLM Verifier / Routing",
        description="Phases, admissions and verdicts of the regions; agents, edges and who is told.",
        rows=(
            Row(title="Regions", panels=_regions()),
            Row(title="Agents", panels=_agents(settings)),
            Row(title="Edges", panels=_edges()),
        ),
    )


def _phase() -> str:
    """The phase of each region as its place in PHASES."""
    parts = [
        f'max by (region) (routing_agent_phase{{phase="{phase}",region=~"$region"}}) * {number}'
        for number, phase in enumerate(PHASES)
    ]
    return " + ".join(parts)


def _regions() -> tuple[Panel, ...]:
    words = tuple((number, phase, COLOURS[phase]) for number, phase in enumerate(PHASES))
    named = 'max by (subject, verdict) (routing_agent_verdict{subject=~"$region"})'
    return (
        Panel(kind=TIMELINE, width=24, title="Phase", targets=one(_phase()), words=words, alerts=("RegionEvicted",)),
        Panel(title="Part of its weight that a region gets", unit=RATIO, bounds=(0, 1),
              targets=one(of_regions("routing_agent_admission")), alerts=("RegionEvicted",)),
        Panel(kind=TABLE, title="What the observations say", targets=one(named, ""),
              alerts=("RegionSick", "NetworkPartition", "CommonModeFailure")),
        Panel(title="Regions taken out", width=24, height=5, when=EVICTION,
              targets=one('max by (region) (routing_agent_phase{phase="EVICTED"} == 1)'), alerts=("RegionEvicted",)),
    )  # fmt: skip


def _agents(settings: Settings) -> tuple[Panel, ...]:
    stuck = 3 * settings.tick_seconds + 5
    return (
        Panel(kind=STAT, width=4, height=4, title="Generation", targets=one("max(routing_agent_generation)", "")),
        Panel(kind=STAT, width=4, height=4, title="Epoch", description="How often an active edge was chosen.",
              targets=one("max(routing_agent_epoch)", "")),
        Panel(kind=STAT, width=4, height=4, title="Orders of operators", targets=one("max(routing_agent_orders)", "")),
        Panel(kind=STAT, width=4, height=4, title="Not as decided", steps=((1, RED),),
              targets=one("sum(max by (instance) (routing_agent_failures))", ""), alerts=("RoutingNotAsDecided",)),
        Panel(kind=STAT, width=4, height=4, title="States refused", steps=((1, RED),),
              targets=one("sum(max by (instance) (routing_agent_state_refused))", ""),
              alerts=("RoutingStateRefused",)),
        Panel(kind=STAT, width=4, height=4, title="Other edges that answer", steps=((0, ORANGE), (1, GREEN)),
              targets=one("sum(max by (edge) (routing_agent_peer_reached))", "")),
        Panel(width=8, title="Who decides", targets=one("max by (instance) (routing_agent_active)", "{{instance}}"),
              bounds=(0, 1), alerts=("NoActiveEdge", "SeveralActiveEdges", "RoutingAgentMissing")),
        Panel(width=8, title="Time since the last round", unit=SECONDS, bounds=(0, None), steps=((stuck, RED),),
              targets=one("max by (instance) (routing_agent_tick_age_seconds)", "{{instance}}"),
              alerts=("RoutingAgentStuck",)),
        Panel(width=8, title="How long a round takes", unit=SECONDS, bounds=(0, None),
              targets=one("max by (instance) (routing_agent_tick_seconds)", "{{instance}}")),
    )  # fmt: skip


def _edges() -> tuple[Panel, ...]:
    told = "sum by (instance, integration) (rate({}[5m]))"
    return (
        Panel(title="Regions that an edge reaches", bounds=(0, None),
              targets=one(f"sum by (instance) ({_OPEN})", "{{instance}}"), alerts=("EdgeDown",)),
        Panel(title="Answers a second by region", unit=PER_SECOND, stacked=True,
              targets=one(of_regions("region:edge_answers:rate5m"))),
        Panel(title="Ratio of requests that left a region for another one", unit=RATIO, bounds=(0, None),
              targets=one(of_regions("region:cross_region_requests:ratio_rate5m")),
              alerts=("CrossRegionTrafficHigh",)),
        Panel(title="Alertmanagers that see each other", bounds=(0, None),
              targets=one("max by (instance) (alertmanager_cluster_members)", "{{instance}}")),
        Panel(title="Messages a second", unit=PER_SECOND, bounds=(0, None),
              targets=one(told.format(_TOLD), "{{instance}} {{integration}}")),
        Panel(title="Messages a second that failed", unit=PER_SECOND, bounds=(0, None), alerts=("NotificationsFail",),
              targets=one(told.format(_UNTOLD), "{{instance}} {{integration}}")),
    )  # fmt: skip
