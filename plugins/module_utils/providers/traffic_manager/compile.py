# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Traffic Manager holds it: a geographic profile over nested Priority profiles, one a geography. Pure.

    api             Geographic: a nested profile a geography, by countries; the default geography's has WORLD
    geo-<name>      Priority: the edges, every region, the last resort, the static site
    edges           Weighted, all alike: the load balancer
    region-<name>   Priority with the region alone: its endpoint's status is the one switch that evicts it everywhere
    last-<name>     Priority: the regions once more, whatever their switch, so that an evicted one serves last

The static site is always served: Traffic Manager doesn't check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...routing.model import GeographyRoute, RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Item, addresses, order, pack, rounded, too_many
from .card import CARD, WORLD

_FAST, _NORMAL = 10, 30  # seconds between probes
_TIMEOUTS = {_FAST: (5, 9), _NORMAL: (5, 10)}


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for too many regions."""
    too_many(CARD.name, len(table.regions), CARD.maximum_regions, "regions")
    known = addresses(table, site)
    items: dict[str, Item] = {"profile/api": _profile(table, "Geographic")}
    if site.edges:
        items["profile/edges"] = _profile(table, "Weighted")
    for edge in site.edges:
        items[f"endpoint/edges/{edge.name}"] = {**_external(edge.address), "weight": 1}
    for name, ratio in rounded(table, admissions).items():
        items[f"profile/region-{name}"] = _profile(table, "Priority")
        status = "Enabled" if ratio > 0 else "Disabled"
        items[f"endpoint/region-{name}/{name}"] = {**_external(known[name]), "priority": 1, "status": status}
    for route in table.routes:
        items |= _geography(table, site, route, known)
    return pack(table.generation, items)


def _profile(table: RoutingTable, method: str) -> Item:
    health = table.policy.health
    interval = _FAST if health.interval_seconds <= _FAST else _NORMAL
    least, most = _TIMEOUTS[interval]
    return {
        "method": method,
        "ttl": table.policy.ttl.normal_seconds,
        "monitor": {
            "protocol": "HTTPS",
            "port": 443,
            "path": health.path,
            "interval": interval,
            "timeout": min(most, max(least, health.timeout_seconds)),
            "tolerated_failures": health.failures - 1,  # it marks down at the one after these
        },
    }


def _external(address: str) -> dict[str, Any]:
    return {"type": "external", "target": address, "status": "Enabled"}


def _nested(profile: str) -> dict[str, Any]:
    return {"type": "nested", "profile": profile, "status": "Enabled", "minimum_children": 1}


def _geography(table: RoutingTable, site: Site, route: GeographyRoute, known: Mapping[str, str]) -> dict[str, Item]:
    own, last, orders = f"geo-{route.name}", f"last-{route.name}", order(table, route)
    supported = [code for code in route.countries if code not in CARD.unsupported_countries]
    static = {**_external(known[STATIC]), "always_serve": True} if site.static_site else {}
    regions = [(name, _nested(f"region-{name}")) for name in orders.first]
    links: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "load_balancer": [("edges", _nested("edges"))] if site.edges else [],
        "regions": [*regions, (last, _nested(last))],
        "static_site": [(STATIC, static)] if static else [],
    }
    chain = [entry for link in table.policy.front_door.chain for entry in links[link]]
    places = [WORLD] if route.default else supported
    items: dict[str, Item] = {
        f"profile/{own}": _profile(table, "Priority"),
        f"profile/{last}": _profile(table, "Priority"),
    }
    if places:
        items[f"endpoint/api/{route.name}"] = {**_nested(own), "geo_mapping": places}
    items |= {f"endpoint/{own}/{name}": {**item, "priority": place} for place, (name, item) in enumerate(chain, 1)}
    for place, name in enumerate(orders.last, 1):
        items[f"endpoint/{last}/{name}"] = {**_external(known[name]), "priority": place}
    return items
