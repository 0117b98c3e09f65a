# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a country is served where it is, and what happened between two times: for people, and the same as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .countries import COUNTRIES
from .decision import effective_table
from .log import parse, rows
from .model import GeographyRoute, Policy, Region
from .orders import frozen, moving
from .state import EVICTED, FLEET, HEALTHY, Order, RegionState, State

STATIC_SITE = "the static site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Lines for people, and the same as plain data for JSON."""

    lines: tuple[str, ...]
    data: Mapping[str, Any]


def moment(at: float) -> str:
    """Seconds since the epoch as UTC, `2026-03-01 12:00:00Z`; what is no such time as it is.

    Days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    """
    if not isfinite(at) or not 0 <= at < 253402300800:
        return str(at)
    days, rest = divmod(int(at), 86400)
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    shifted = (5 * day + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year += era * 400 + (month <= 2)
    date = f"{year:04d}-{month:02d}-{day - (153 * shifted + 2) // 5 + 1:02d}"
    return f"{date} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def explain(policy: Policy, regions: Iterable[Region], state: State, country: str) -> Explanation:
    """Why requests of `country` (ISO 3166 alpha-2; any other text is an unknown one) go where they go under a state.

    Raises CompileError where policy and regions make no table.
    """
    fleet = tuple(regions)
    admissions = {region.name: state.region(region.name).admission for region in fleet}
    table = effective_table(policy, fleet, admissions, state.generation)
    route = table.route_of(country)
    orders, places = moving(state.orders), {region.name: region for region in fleet}
    shares = {name: share for name, share in zip(route.regions, route.shares, strict=True) if share > 0}
    passed = _passed_over(policy, route, places, state, shares)
    data = {
        "country": country,
        "geography": route.name,
        "default": country not in COUNTRIES,
        "generation": state.generation,
        "serving": shares,
        "passed_over": {name: _why(places[name], state.region(name), orders.get(name)) for name in passed},
        "then": [name for name in route.regions if name not in shares and name not in passed],
        "frozen": sorted(frozen(policy, state.orders).values()),
    }
    return Explanation(lines=tuple(_told(policy, route, state, data)), data=data)


def _passed_over(
    policy: Policy, route: GeographyRoute, places: Mapping[str, Region], state: State, shares: Mapping[str, float]
) -> list[str]:
    """Regions that the policy would ask before, or as well as, those that serve."""
    listed = list(policy.geography(route.name).regions) if policy.algorithm == "geo" else []
    before = []
    for name in listed:
        if shares.get(name, 0.0) > 0 and state.region(name).admission >= 1:
            break
        before.append(name)
    others = [] if policy.algorithm == "geo" else sorted(places)
    out = (name for name in before + others if state.region(name).admission < 1 or places[name].weight <= 0)
    return list(dict.fromkeys(out))


def _why(region: Region, item: RegionState, order: Order | None) -> str:
    if order is not None:
        end = f" until {moment(order.until)}" if order.until > 0 else ""
        return f"{order.kind} by {order.by} since {moment(order.at)}{end}: {order.reason}"
    if region.weight <= 0:
        return "drained by its weight in the inventory"
    hold = f", held until {moment(item.hold_until)}" if item.phase == EVICTED and item.hold_until > 0 else ""
    return f"{item.phase} at {item.admission:.0%} since {moment(item.since)}{hold}: {item.reason}"


def _told(policy: Policy, route: GeographyRoute, state: State, data: Mapping[str, Any]) -> Iterator[str]:
    serving = ", ".join(f"{name} ({share:.0%})" if share < 1 else name for name, share in data["serving"].items())
    owner = f"{data['country']} belongs to {route.name}"
    why = ", the default for what no geography names" if route.default else ""
    yield f"{data['country']} is served by {serving} (decision {state.generation} of {moment(state.at)})."
    listed = ", ".join(policy.geography(route.name).regions)
    yield f"  {owner}{why}; its list: {listed}; algorithm {policy.algorithm}."
    for name, reason in data["passed_over"].items():
        yield f"  {name}: {reason}"
    for name in data["serving"]:
        item = state.region(name)
        if item.phase != HEALTHY or item.verdict != "OK":
            yield f"  {name} serves: {item.phase}, last verdict {item.verdict}{_after_colon(item.reason)}"
    if not data["passed_over"]:
        yield "  That is what the policy names first; nothing was moved."
    yield f"  When they fail: {', '.join([*data['then'], STATIC_SITE])}."
    for reason in data["frozen"]:
        yield f"  Nothing moves by itself: {reason}"


def _after_colon(text: str) -> str:
    return f": {text}" if text else ""


def history(lines: Iterable[str], since: float, until: float, region: str = "") -> Explanation:
    """What happened from `since` to `until` (seconds since the epoch), of all regions or of one, from the log.

    Raises InvalidError for a line that is no entry.
    """
    found = []
    for line in lines:
        entry = parse(line)
        at = entry.get("at")
        if isinstance(at, (int, float)) and since <= at <= until:
            found += [row for row in rows(entry) if region in ("", row["region"])]
    span = f"{moment(since)} to {moment(until)}"
    head = f"{len(found)} moves and orders, {span}" if found else f"nothing moved, {span}"
    return Explanation(lines=(head, *(f"  {_line(row)}" for row in found)), data={"rows": found})


def _line(row: Mapping[str, Any]) -> str:
    subject = "all regions" if row["region"] == FLEET else row["region"]
    signed = f" by {row['by']}" if row["by"] else ""
    if row["kind"] != "change":
        ended = "order" if row["kind"] == "order" else "end of order"
        what = f"{ended} {row['after']}{signed}"
    elif row["refused"]:
        what = f"stays {row['before']} at {_percent(row['admission_before'])}"
    else:
        move = (row["before"], _percent(row["admission_before"])), (row["after"], _percent(row["admission_after"]))
        what = " -> ".join(f"{phase} at {ratio}" for phase, ratio in move)
    return f"{moment(row['at'])} {subject}: {what}{_after_colon(row['reason'])}"


def _percent(ratio: object) -> str:
    return f"{ratio:.0%}" if isinstance(ratio, (int, float)) else "?"
