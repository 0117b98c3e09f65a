# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Cloud DNS holds it: one record set, the edges before a geolocation policy over the regions. Pure.

    primaryBackup   primary: all edges that are healthy; backup: geo
    geo             an item a Google Cloud location: the regions that lie nearest to it

A geo policy goes by the location nearest to the client and falls back to the next nearest: the order isn't ours, and
there is no place for the static site behind it. An evicted region is taken out of the items, by a change of the record
set: Cloud DNS has no other switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...routing.model import Policy, Region, RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Item, addresses, pack, rounded, served
from ..places import GOOGLE_LOCATIONS, LOCATIONS, closest, location
from .card import LEAST_INTERVAL


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for a region that lies nowhere known."""
    domain, ttl = table.policy.domain, table.policy.ttl.normal_seconds
    known = addresses(table, site)
    items: dict[str, Item] = {
        "health_check": _check(table.policy),
        f"record/api.{domain}/A": {"ttl": ttl, "routing_policy": _policy(table, site, known, admissions)},
        f"record/*.{domain}/CNAME": {"ttl": ttl, "values": [f"api.{domain}"]},
    }
    return pack(table.generation, items)


def _check(policy: Policy) -> Item:
    health = policy.health
    return {
        "protocol": "HTTPS",
        "port": 443,
        "request_path": health.path,
        "host": f"api.{policy.domain}",
        "check_interval": max(LEAST_INTERVAL, health.interval_seconds),
        "timeout": health.timeout_seconds,
        "healthy_threshold": health.successes,
        "unhealthy_threshold": health.failures,
    }


def _policy(table: RoutingTable, site: Site, known: Mapping[str, str], admissions: Mapping[str, float]) -> Item:
    """The first link of the chain that exists, before a geo policy of the next one."""
    edges = {edge.name: edge.address for edge in site.edges}
    links: dict[str, Any] = {
        "load_balancer": edges,
        "regions": _by_location(table, known, admissions),
        "static_site": {"us-central1": {STATIC: known[STATIC]}} if site.static_site else {},
    }
    chain = [link for link in table.policy.front_door.chain if links[link]]
    if chain[:1] == ["load_balancer"]:
        after: Mapping[str, Any] = next((links[link] for link in chain[1:]), {})
        return {"primary_backup": {"primary": edges, "backup_geo": after, "trickle_ratio": 0}}
    return {"geo": next((links[link] for link in chain if link != "load_balancer"), {})}


def _by_location(
    table: RoutingTable, known: Mapping[str, str], admissions: Mapping[str, float]
) -> dict[str, dict[str, str]]:
    """Google's locations to the names and addresses that are answered there."""
    ratios = served(rounded(table, admissions))
    found: dict[str, dict[str, str]] = {}
    for region in table.regions:
        if ratios[region.name] > 0:
            found.setdefault(google_location(region), {})[region.name] = known[region.name]
    return found


def google_location(region: Region) -> str:
    """Google's location that a region is answered for: its own, else the nearest one."""
    code = location(region)
    return code if code in GOOGLE_LOCATIONS else closest(LOCATIONS[code], GOOGLE_LOCATIONS)
