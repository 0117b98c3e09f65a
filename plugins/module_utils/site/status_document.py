# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status page shows, as plain data, as text and as a map. Pure.

Only what was decided or seen: a figure that nobody measured is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..routing.budget import TICK_SECONDS, budget
from ..routing.decision import OK, UNKNOWN, Decision, effective_table
from ..routing.model import GeographyRoute, Machine, Policy, Region, Site
from ..routing.observations import EDGE, Observations
from ..routing.state import RegionState
from .worldmap import STATIC, country_names, region_colours, worldmap

VERSION = 1
STATIC_SITE = "static site"
"""Stands where a region's name does when no region is left to serve a country."""
MOST_CHANGES, MOST_DRILLS = 200, 20
STALE_AFTER_SECONDS = 15
"""Age above which the page calls its figures old: the active edge writes them every tick."""

CHANGE_KEYS = ("at", "generation", "kind", "region", "before", "after", "admission_before", "admission_after",
               "reason", "refused", "by")
DRILL_KEYS = ("at", "target", "fault", "requests", "failed", "slowest", "detection", "answers_changed", "dns_changed",
              "budget_seconds")


def status_document(
    policy: Policy,
    regions: Sequence[Region],
    site: Site,
    decision: Decision,
    observations: Observations,
    *,
    generated_at: float,
    active_edge: str,
    changes: Iterable[Mapping[str, Any]] = (),
    drills: Iterable[Mapping[str, Any]] = (),
    tick_seconds: float = TICK_SECONDS,
) -> dict[str, Any]:
    """Everything of status.json. Times are seconds since the epoch, ratios 0-1, figures not measured None.

    `changes` are rows as `routing.log.rows` gives them, with `CHANGE_KEYS`, `drills` reports with `DRILL_KEYS`, both
    in any order; other keys are left out. `tick_seconds` is the engine's. Raises CompileError as `compile_table` does.
    """
    fleet = tuple(sorted(regions, key=lambda region: (region.order, region.name)))
    table = effective_table(policy, fleet, dict(decision.admissions), decision.generation)
    lost = {region.name for region in fleet if _lost(policy, site, decision.state.region(region.name))}
    serving = {route.name: _serving(route, lost) for route in table.routes}
    return {
        "version": VERSION,
        "generated_at": generated_at,
        "stale_after_seconds": STALE_AFTER_SECONDS,
        "domain": policy.domain,
        "algorithm": policy.algorithm,
        "active_edge": active_edge,
        "generation": decision.generation,
        "ttl_seconds": decision.ttl_seconds,
        "ttl_normal_seconds": policy.ttl.normal_seconds,
        "window_seconds": policy.health.window_seconds,
        "frozen": policy.safety.freeze or any(order.kind == "freeze" for order in decision.state.orders),
        "budget": [
            asdict(line) | {"within_objective": line.within_objective} for line in budget(policy, tick_seconds)
        ],
        "regions": _regions(policy, fleet, site, decision, observations),
        "routes": [_route(route, serving[route.name]) for route in table.routes],
        "countries": {country: serving[geography] for country, geography in table.countries},
        "edges": [_edge(machine, active_edge, decision, observations) for machine in site.edges],
        "orders": [asdict(order) for order in sorted(decision.state.orders, key=lambda order: -order.at)],
        "changes": _newest(changes, CHANGE_KEYS, MOST_CHANGES),
        "drills": _newest(drills, DRILL_KEYS, MOST_DRILLS),
        "log_head": decision.state.log_head,
    }


def _newest(items: Iterable[Mapping[str, Any]], keys: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The newest first; of equal ones the one that was given last. Keys that an item lacks are None."""
    ordered = sorted(items, key=lambda item: float(item.get("at") or 0))[::-1]
    return [{key: item.get(key) for key in keys} for item in ordered[:most]]


def _lost(policy: Policy, site: Site, state: RegionState) -> bool:
    """Whether every edge that looks sees the region fail often enough for its own checks to pass it over."""
    edges = {machine.name for machine in site.edges}
    failures = [counter.failures for counter in state.counters if counter.vantage in edges]
    return bool(failures) and min(failures) >= policy.health.failures


def _serving(route: GeographyRoute, lost: set[str]) -> str:
    """The region that most of a geography's requests reach: by share, then by order among those that can be reached."""
    alive = [(share, -index, name) for index, (name, share) in enumerate(zip(route.regions, route.shares))
             if name not in lost]
    return max(alive)[2] if alive else STATIC_SITE


def _route(route: GeographyRoute, serving: str) -> dict[str, Any]:
    return {
        "geography": route.name,
        "serving": serving,
        "regions": [{"name": name, "share": share} for name, share in zip(route.regions, route.shares)],
        "countries": len(route.countries),
        "default": route.default,
    }


def _edge(machine: Machine, active: str, decision: Decision, seen: Observations) -> dict[str, Any]:
    name = machine.name
    heard = [item.at for item in seen.probes if item.vantage == name]
    heard += [item.at for item in seen.traffic if item.witness == name]
    verdict = next((item.verdict for item in decision.verdicts if item.subject == name), OK)
    return {"name": name, "address": machine.address, "active": name == active,
            "verdict": verdict if heard else UNKNOWN, "heard_at": max(heard, default=None)}


def _regions(
    policy: Policy, fleet: Sequence[Region], site: Site, decision: Decision, seen: Observations
) -> list[dict[str, Any]]:
    colours = region_colours(region.name for region in fleet)
    verdicts = {verdict.subject: verdict for verdict in decision.verdicts}
    admissions = dict(decision.admissions)
    edges = {machine.name for machine in site.edges}
    measured = {region.name: _traffic(policy, region.name, edges, seen) for region in fleet}
    whole = sum(figures["requests_per_second"] or 0.0 for figures in measured.values())
    rows = []
    for region in fleet:
        state, verdict, figures = decision.state.region(region.name), verdicts.get(region.name), measured[region.name]
        rate = figures["requests_per_second"]
        rows.append({
            "name": region.name,
            "geography": region.geography,
            "provider": region.provider,
            "location": region.location,
            "endpoint": region.endpoint,
            "primary": region.primary,
            "colour": colours[region.name],
            "drained": region.weight <= 0,
            "phase": state.phase,
            "admission": admissions.get(region.name, 1.0),
            "since": state.since or None,
            "hold_until": state.hold_until or None,
            "flaps": state.flaps,
            "verdict": verdict.verdict if verdict else UNKNOWN,
            "evidence": list(verdict.evidence) if verdict else [],
            "reason": state.reason,
            "share": None if rate is None or not whole else rate / whole,
            **figures,
            "vantages": _vantages(policy, region.name, seen),
        })
    return rows


def _traffic(policy: Policy, region: str, edges: set[str], seen: Observations) -> dict[str, float | None]:
    """What the edges counted in the last window, added up; None where none of them counted lately."""
    fresh = [item for item in seen.traffic if item.region == region and item.witness in edges
             and item.window_seconds > 0 and seen.at - item.at <= policy.health.observation_age_seconds]
    if not fresh:
        return {"requests_per_second": None, "error_ratio": None, "slow_ratio": None}
    requests = sum(item.requests for item in fresh)
    return {
        "requests_per_second": sum(item.requests / item.window_seconds for item in fresh),
        "error_ratio": sum(item.errors for item in fresh) / requests if requests else None,
        "slow_ratio": sum(item.slow for item in fresh) / requests if requests else None,
    }


def _vantages(policy: Policy, region: str, seen: Observations) -> list[dict[str, Any]]:
    """What each place saw last, edges first; what is too old to count is not known."""
    last = {probe.vantage: probe for probe in sorted(seen.probes, key=lambda probe: probe.at) if probe.region == region}
    oldest = seen.at - policy.health.observation_age_seconds
    ordered = sorted(last.values(), key=lambda probe: (probe.kind != EDGE, probe.vantage))
    return [{"name": probe.vantage, "kind": probe.kind, "ok": probe.ok if probe.at >= oldest else None, "at": probe.at}
            for probe in ordered]


def picture(document: Mapping[str, Any]) -> str:
    """The map of a document as a picture of its own; the same one as long as nothing moves."""
    colours = {region["name"]: region["colour"] for region in document["regions"]} | {STATIC_SITE: STATIC}
    used = set(document["countries"].values())
    legend = [(name, colour) for name, colour in colours.items() if name in used or name != STATIC_SITE]
    title = f"Serving regions of api.{document['domain']}, decision {document['generation']}"
    default = next(route["serving"] for route in document["routes"] if route["default"])
    serving = {**dict.fromkeys(country_names(), default), **document["countries"]}
    return worldmap({code: colours[name] for code, name in serving.items()}, title, legend)


def text(document: Mapping[str, Any]) -> str:
    """The document for people and terminals without a browser."""
    lines = [
        f"api.{document['domain']}: routing as of {_time(document['generated_at'])}",
        f"decision {document['generation']} by {document['active_edge'] or 'no edge'}, answers live "
        f"{document['ttl_seconds']} s{', moves are frozen' if document['frozen'] else ''}",
        "", "REGIONS",
    ]
    for region in document["regions"]:
        seen = [f"{region['admission']:.0%} admitted"]
        if region["requests_per_second"] is not None:
            seen.append(f"{region['requests_per_second']:.1f} requests/s")
        if region["since"]:
            seen.append(f"since {_time(region['since'])}")
        lines.append(f"  {region['name']}: {region['phase']}, {region['verdict']}, {', '.join(seen)}")
        lines += [f"    {word}" for word in (*region["evidence"], *filter(None, [region["reason"]]))]
    lines += ["", "GEOGRAPHIES"]
    for route in document["routes"]:
        order = ", ".join(f"{item['name']} {item['share']:.0%}" for item in route["regions"] if item["share"] > 0)
        lines.append(f"  {route['geography']}: {route['serving']} (shares: {order}), {route['countries']} countries")
    lines += ["", "ORDERS", *(_order(order) for order in document["orders"])]
    lines += ["", "LAST CHANGES", *(_change(change) for change in document["changes"][:20])]
    lines += ["", f"log head {document['log_head'] or 'none'}", ""]
    return "\n".join(lines)


def _order(order: Mapping[str, Any]) -> str:
    end = f"until {_time(order['until'])}" if order["until"] else "without end"
    where = order["region"] or "all regions"
    return f"  {order['kind']} {where} {end}{' (forced)' if order['force'] else ''}: {order['by']}, {order['reason']}"


def _change(change: Mapping[str, Any]) -> str:
    kind = str(change["kind"] or "")
    moved = f"{kind} {change['after']}" if kind in ("order", "lifted") else f"{change['before']} -> {change['after']}"
    refused, by = "refused " if change["refused"] else "", f" ({change['by']})" if change["by"] else ""
    where = change["region"] or "all regions"
    return f"  {_time(change['at'] or 0)} {where}: {refused}{moved}, {change['reason']}{by}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
