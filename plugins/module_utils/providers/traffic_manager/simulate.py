# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Traffic Manager answers from its records, its traps included. Pure.

- Geographic routing takes the endpoint with the country, else with its grouping, else with the world, and answers it
  whether it is healthy or not. Without any the answer is empty (NODATA). The Middle East is a grouping of its own.
- A nested profile is healthy while enough of its endpoints are; with no enabled endpoint it is inactive and left out.
- Where no endpoint of a profile is healthy all of them count as healthy: Priority answers the first, dead or not.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass

from ...routing.records import Records
from ..flat import Item, Resolver, unpack
from .card import GROUPINGS, WORLD


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Profiles with their endpoints by name, while what is up."""

    items: Mapping[str, Item]
    endpoints: Mapping[str, Mapping[str, Item]]
    up: Collection[str]
    places: tuple[str, ...]


def places(country: str) -> tuple[str, ...]:
    """The mappings that a country's client matches, the narrowest first."""
    return (country, GROUPINGS[country], WORLD) if country in GROUPINGS else (WORLD,)


def _endpoints(items: Mapping[str, Item]) -> Mapping[str, Mapping[str, Item]]:
    found: dict[str, dict[str, Item]] = {}
    for key, item in items.items():
        kind, profile, *name = key.split("/")
        if kind == "endpoint" and item["status"] == "Enabled":
            found.setdefault(profile, {})[name[0]] = item
    return found


def _match(endpoints: Mapping[str, Item], wanted: tuple[str, ...]) -> str | None:
    """The endpoint of a geographic profile that a client is sent to."""
    for place in wanted:
        for name, item in endpoints.items():
            if place in item.get("geo_mapping", ()):
                return name
    return None


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return _match(_endpoints(unpack(records)).get("api", {}), places(country))


def resolver(records: Records) -> Resolver:
    """The names of regions, edges or the static site of which one is answered; empty for NODATA."""
    items = unpack(records)
    endpoints = _endpoints(items)

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        state = _look(_Profiles(items, endpoints, up, places(country)), "api", 1)
        return state[1] if state else frozenset()

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)


def _look(profiles: _Profiles, name: str, enough: int) -> tuple[bool, frozenset[str]] | None:
    """Whether so many endpoints of a profile are healthy, and what it answers; None while it is inactive."""
    endpoints = profiles.endpoints.get(name, {})
    method = profiles.items[f"profile/{name}"]["method"]
    if method == "Geographic":
        matched = _match(endpoints, profiles.places)
        endpoints = {matched: endpoints[matched]} if matched else {}
    good: list[frozenset[str]] = []
    bad: list[frozenset[str]] = []
    for own in sorted(endpoints, key=lambda own: (endpoints[own].get("priority", 0), own)):
        state = _endpoint(profiles, own, endpoints[own])
        if state:
            (good if state[0] else bad).append(state[1])
        if method != "Weighted" and len(good) >= max(enough, 1):
            break
    chosen = good or bad
    if not chosen:
        return None
    return len(good) >= enough, frozenset().union(*chosen) if method == "Weighted" else chosen[0]


def _endpoint(profiles: _Profiles, name: str, item: Item) -> tuple[bool, frozenset[str]] | None:
    """Whether an endpoint is healthy, and what it answers; None for a nested profile that is inactive."""
    if item["type"] == "external":
        return name in profiles.up or item.get("always_serve", False), frozenset([name])
    return _look(profiles, item["profile"], item["minimum_children"])
