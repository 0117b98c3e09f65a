# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Route 53 holds it: every answer published beforehand, moved by health checks alone. Pure.

    api          geolocation aliases: continents, countries that differ, the default one
    <geography>  a tree of failover pairs: PRIMARY the first half of the list, SECONDARY the rest
    edges        the load balancer: all edges that are healthy

A geography's list is the policy's chain: the edges; the regions in order, each with a check that asks both its endpoint
and its admission; all regions once more with their endpoint's check alone (an evicted region serves when nothing else
does); the static site, which has no check and so is healthy always. Pairs are nested by halves, so that a list of n
entries is log2(n) aliases deep. An eviction changes `admission/<region>` alone, a word in a text that inverted health
checks read (`switch.py`), and no record of DNS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...routing.compile import CompileError
from ...routing.countries import CONTINENTS, COUNTRIES
from ...routing.model import GeographyRoute, Region, RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Item, addresses, is_ipv4, order, pack, rounded, too_many
from .card import CARD, DISPUTED, INTERVALS, MAXIMUM_OF_A_NAME
from .switch import HOMES, UNNAMED, Home, homes_of, search

LAST = "last"
"""Second word of the set identifier of a region that serves as a last resort."""


def desired(
    table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING, homes: Sequence[Home] = UNNAMED
) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for what Route 53 can't hold."""
    known = addresses(table, site)
    items: dict[str, Item] = {**_checks(table, site, known, homes), **_edges(table, site)}
    for name, ratio in rounded(table, admissions).items():
        items[f"admission/{name}"] = {"value": int(ratio)}
    for route in table.routes:
        items |= _geography(table, site, route, known)
    return pack(table.generation, items | _names(table))


def _checks(table: RoutingTable, site: Site, known: Mapping[str, str], homes: Sequence[Home]) -> dict[str, Item]:
    """Health checks: of every endpoint, of every region's admission in each home, and all of them together."""
    health = table.policy.health
    endpoint = {
        "type": "HTTPS",
        "port": 443,
        "path": health.path,
        "host": f"api.{table.policy.domain}",
        "sni": True,
        "interval": next((step for step in INTERVALS if step >= health.interval_seconds), INTERVALS[-1]),
        "threshold": health.failures,
    }
    names = [*(region.name for region in table.regions), *(edge.name for edge in site.edges)]
    items: dict[str, Item] = {f"health_check/{name}": {**endpoint, "address": known[name]} for name in names}
    for region in table.regions:
        below = {f"health_check/{region.name}/switch-{home.location}": home for home in switched(region, homes)}
        items |= {key: _switch(region.name, home) for key, home in below.items()}
        children = sorted([f"health_check/{region.name}", *below])
        together: Item = {"type": "CALCULATED", "children": children, "threshold": len(children)}
        items[f"health_check/{region.name}/serving"] = together
    return items


def switched(region: Region, homes: Sequence[Home]) -> tuple[Home, ...]:
    """Where a region's eviction stands. Raises CompileError when there aren't two homes outside of it."""
    found = homes_of({region.name, region.location}, homes)
    if len(found) < HOMES:
        raise CompileError(f"{region.name}: an eviction needs {HOMES} buckets outside of the region, not {len(found)}")
    return found


def _switch(region: str, home: Home) -> Item:
    """A check that fails while the text says that a region is evicted. One look is enough: two buckets must agree."""
    return {
        "type": "HTTPS_STR_MATCH",
        "port": 443,
        "address": home.host,
        "path": home.path,
        "search": search(region),
        "inverted": True,
        "sni": True,
        "interval": INTERVALS[0],
        "threshold": 1,
    }


def _record(name: str, identifier: str, routing: Mapping[str, str], answer: Item) -> dict[str, Item]:
    """One record set of type A, by its key."""
    item = {"name": name, "type": "A", "set_identifier": identifier, "routing": routing, **answer}
    return {f"record/{name}/A/{identifier}": item}


def _answer(table: RoutingTable, address: str, check: str) -> dict[str, Any]:
    """An address, or an alias to a name such as a load balancer's, with its health check."""
    found: dict[str, Any] = {"health_check": check} if check else {}
    if is_ipv4(address):
        return {**found, "values": [address], "ttl": table.policy.ttl.normal_seconds}
    return {**found, "alias": address, "evaluate_target_health": False}


def _alias(name: str) -> dict[str, Any]:
    return {"alias": name, "evaluate_target_health": True}


def _edges(table: RoutingTable, site: Site) -> dict[str, Item]:
    name = f"edges.front-door.{table.policy.domain}"
    found: dict[str, Item] = {}
    for edge in site.edges:
        if not is_ipv4(edge.address):
            raise CompileError(f"{edge.name}: Route 53 answers several edges by their addresses, not names")
        answer = _answer(table, edge.address, f"health_check/{edge.name}")
        found |= _record(name, edge.name, {"policy": "multivalue"}, answer)
    return found


def _leaves(table: RoutingTable, site: Site, route: GeographyRoute, known: Mapping[str, str]) -> list[tuple[str, Item]]:
    """Identifier and answer of everything that a geography may be answered, in order."""
    orders = order(table, route)
    first = [(name, _answer(table, known[name], f"health_check/{name}/serving")) for name in orders.first]
    last = [(f"{name} {LAST}", _answer(table, known[name], f"health_check/{name}")) for name in orders.last]
    links: dict[str, list[tuple[str, Item]]] = {
        "load_balancer": [("edges", _alias(f"edges.front-door.{table.policy.domain}"))] if site.edges else [],
        "regions": [*first, *last],
        "static_site": [(STATIC, _answer(table, known[STATIC], ""))] if site.static_site else [],
    }
    return [leaf for link in table.policy.front_door.chain for leaf in links[link]]


def _geography(table: RoutingTable, site: Site, route: GeographyRoute, known: Mapping[str, str]) -> dict[str, Item]:
    root = f"{route.name}.routing.{table.policy.domain}"
    return _pairs(_leaves(table, site, route, known), root, root, 0)


def _pairs(leaves: Sequence[tuple[str, Item]], name: str, root: str, begin: int) -> dict[str, Item]:
    """The failover pair at a name, and those below it. Leaves of a pair are records of it, halves have names."""
    middle = (len(leaves) + 1) // 2
    found: dict[str, Item] = {}
    for role, half, start in (("PRIMARY", leaves[:middle], begin), ("SECONDARY", leaves[middle:], begin + middle)):
        routing = {"policy": "failover", "role": role}
        if len(half) == 1:
            found |= _record(name, half[0][0], routing, half[0][1])
        elif half:
            below = f"n{start}-{start + len(half) - 1}.{root}"
            found |= _record(name, below.split(".")[0], routing, _alias(below)) | _pairs(half, below, root, start)
    return found


def _names(table: RoutingTable) -> dict[str, Item]:
    """`api` for every place, and `*` as its alias."""
    domain = table.policy.domain
    places = locations(table)
    too_many(CARD.name, len(places), MAXIMUM_OF_A_NAME, "geolocation records of a name")
    found: dict[str, Item] = {}
    for place, geography in places.items():
        kind, code = place.split() if " " in place else ("country", "*")
        routing = {"policy": "geolocation", kind: code}
        found |= _record(f"api.{domain}", place, routing, _alias(f"{geography}.routing.{domain}"))
    ttl = table.policy.ttl.normal_seconds
    wildcard = {"name": f"*.{domain}", "type": "CNAME", "values": [f"api.{domain}"], "ttl": ttl}
    return {**found, f"record/*.{domain}/CNAME": wildcard}


def locations(table: RoutingTable) -> dict[str, str]:
    """Every place that has a record, to its geography: `default`, `continent EU`, `country TR`.

    A continent's record is that of most of its countries; a country has one where it differs, and where it isn't agreed
    on to which continent it counts.
    """
    found = {"default": table.default}
    for continent, codes in sorted(CONTINENTS.items()):
        owners = Counter(table.route_of(code).name for code in codes if code not in DISPUTED)
        found[f"continent {continent}"] = min(owners or [table.default], key=lambda name: (-owners[name], name))
    for code, continent in COUNTRIES.items():
        owner = table.route_of(code).name
        differs = code in DISPUTED or owner != found[f"continent {continent}"]
        if differs and code not in CARD.unsupported_countries:
            found[f"country {code}"] = owner
    return found
