# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gdnsd as a back end of the routing table: the global DNS, with every answer published beforehand.

Pure. `api` is one geoip resource whose lists are the policy's chain: the load balancer (all edges that are up), the
geography's regions in order, the static site, which counts as up always, since gdnsd answers the first entry of a list
that is down altogether. Behind the regions they stand once more, in the order of last resort: a decision forces their
first entries down (`adapter`), so that an evicted region serves when no other does. `direct` has the same lists without
the load balancer: what a decision does can be asked there at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...routing.countries import COUNTRIES
from ...routing.model import GeographyRoute, RoutingTable, Site
from ..expectation import last_resort
from .card import CARD

CONFIGURATION = "etc/gdnsd/config"
ZONES = "etc/gdnsd/zones"

MAP = "geography"
GENERATION = "_generation"
"""The name in the zone whose TXT record is the generation in force."""

_LOAD_BALANCER, _STATIC_SITE, _LAST = "load_balancer", "static_site", "last_"  # no region can have such a name
_RESERVED = ("api", "direct", "glb", "ns1", "ns2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set about gdnsd besides the policy.

    Attributes:
        listen: addresses that are answered on.
        run_dir: folder of the control socket.
        state_dir: folder of `admin_state`, where forced states are written.
        generation_file: part of the zone that holds the generation; the service makes it when there is none.
        geoip2_database: GeoIP2 database of countries; empty knows only the site's networks.
        challenge_seconds: how long a DNS-01 answer is kept.
    """

    listen: tuple[str, ...] = ("0.0.0.0",)
    run_dir: str = "/run/gdnsd"
    state_dir: str = "/node/data/gdnsd"
    generation_file: str = "/node/data/gdnsd/generation"
    geoip2_database: str = ""
    challenge_seconds: int = 600

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read a role's variable. Raises ValueError for a key that isn't a setting."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"unknown gdnsd settings: {', '.join(unknown)}")
        values: dict[str, Any] = {key: tuple(item) if isinstance(item, list) else item for key, item in data.items()}
        return cls(**values)


def render(table: RoutingTable, site: Site, settings: Settings) -> dict[str, str]:
    """The files of a name server below /node. Raises ValueError for what gdnsd can't say."""
    _check(table, site)
    configuration = {
        "options": _options(settings),
        "service_types": {"region": _check_type(table), "edge": _check_type(table)},
        "plugins": {
            "multifo": {_LOAD_BALANCER: _load_balancer(site)},
            "static": _static(site),
            "geoip": {
                "maps": {MAP: _map(table, site, settings)},
                "resources": {"api": _api(table, site), "direct": _direct(table, site)},
            },
        },
    }
    header = "# Global DNS. Written by llm_verifier.multi_region; edits are overwritten.\n"
    return {
        CONFIGURATION: header + _text(configuration),
        f"{ZONES}/{table.policy.domain}": _zone(table, site, settings),
    }


def chain(table: RoutingTable, route: GeographyRoute, site: Site) -> tuple[str, ...]:
    """What `api` answers in a geography, in order: links of the policy's chain that exist, by their names in gdnsd."""
    # Drained regions stand among the last only: there they keep the order that evicted ones have.
    first = (name for name in route.regions if table.region(name).weight > 0)
    links = {
        "load_balancer": (_LOAD_BALANCER,) if site.edges else (),
        "regions": (*first, *(_LAST + name for name in last_resort(table, route.name))),
        "static_site": (_STATIC_SITE,) if site.static_site else (),
    }
    return tuple(name for link in table.policy.front_door.chain for name in links[link])


def _check(table: RoutingTable, site: Site) -> None:
    if not site.edges:
        raise ValueError("no edge: the zone would have no name server")
    if len(table.regions) > CARD.maximum_regions:
        raise ValueError(f"gdnsd takes at most {CARD.maximum_regions} regions")
    for region in table.regions:
        if not region.endpoint:
            raise ValueError(f"region without an endpoint: {region.name}")
        if region.name in _RESERVED:
            raise ValueError(f"the name {region.name} is taken in the zone")


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "listen": list(settings.listen),
        "run_dir": settings.run_dir,
        "state_dir": settings.state_dir,
        "acme_challenge_ttl": settings.challenge_seconds,
        "acme_challenge_dns_ttl": 0,
        "edns_client_subnet": "true",
    }


def _check_type(table: RoutingTable) -> dict[str, Any]:
    health = table.policy.health
    return {
        "plugin": "http_status",
        "port": 80,
        "vhost": f"api.{table.policy.domain}",
        "url_path": health.path,
        "ok_codes": [200],
        "interval": health.interval_seconds,
        "timeout": health.timeout_seconds,
        "up_thresh": health.successes,
        "ok_thresh": health.successes,
        "down_thresh": health.failures,
    }


def _load_balancer(site: Site) -> dict[str, Any]:
    """All edges that are up; one is enough."""
    return {"service_types": ["edge"], "up_thresh": 0.01, **{edge.name: edge.address for edge in site.edges}}


def _static(site: Site) -> dict[str, Any]:
    return {_STATIC_SITE: site.static_site.address} if site.static_site else {}


def _api(table: RoutingTable, site: Site) -> dict[str, Any]:
    centers: dict[str, Any] = {_LOAD_BALANCER: f"%multifo!{_LOAD_BALANCER}"} if site.edges else {}
    centers |= {region.name: region.endpoint for region in table.regions}
    centers |= {_LAST + region.name: region.endpoint for region in table.regions}
    if site.static_site:
        centers[_STATIC_SITE] = f"%static!{_STATIC_SITE}"
    used = set(chain(table, table.routes[0], site))
    return {
        "map": MAP,
        "service_types": ["region"],
        "dcmap": {name: value for name, value in centers.items() if name in used},
    }


def _direct(table: RoutingTable, site: Site) -> dict[str, Any]:
    """The same with a load balancer that is always down."""
    resource = _api(table, site)
    if _LOAD_BALANCER in resource["dcmap"]:
        resource["dcmap"][_LOAD_BALANCER] = {"service_types": "down", "none": site.edges[0].address}
    return resource


def _map(table: RoutingTable, site: Site, settings: Settings) -> dict[str, Any]:
    lists = {route.name: list(chain(table, route, site)) for route in table.routes}
    default = lists[table.default]
    nets = {network: lists[table.route_of(country).name] for network, country in site.networks}
    result: dict[str, Any] = {"datacenters": sorted(default)}
    if settings.geoip2_database:
        result |= {"geoip2_db": settings.geoip2_database, "map": _countries(table, lists)}
    else:
        nets = {"0.0.0.0/0": default, "::/0": default, **nets}
    return result | ({"nets": nets} if nets else {})


def _countries(table: RoutingTable, lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """The map of a GeoIP2 database: a continent's most frequent list, and the countries that differ from it."""
    result: dict[str, Any] = {"default": lists[table.default]}
    for continent in sorted(set(COUNTRIES.values())):
        owners = {code: table.route_of(code).name for code, part in COUNTRIES.items() if part == continent}
        common = min(Counter(owners.values()).items(), key=lambda item: (-item[1], item[0]))[0]
        others = {code: lists[name] for code, name in owners.items() if name != common}
        result[continent] = {"default": lists[common], **others}
    return result


def _zone(table: RoutingTable, site: Site, settings: Settings) -> str:
    """The zone. TTLs are upper/lower: gdnsd lowers them by itself while a check's state may change soon."""
    ttl = table.policy.ttl
    times = f"{ttl.normal_seconds}/{min(ttl.degraded_seconds, ttl.normal_seconds)}"
    names = [(f"ns{index}", edge.address) for index, edge in enumerate(site.edges, 1)]
    lines = [
        "; Written by llm_verifier.multi_region; edits are overwritten.",
        f"@ {ttl.negative_seconds} SOA ns1 hostmaster {table.generation} 7200 900 604800 {ttl.negative_seconds}",
        *(f"@ 3600 NS {name}" for name, _address in names),
        *(f"{name} 3600 A {address}" for name, address in names),
        f"api {times} DYNA geoip!api",
        f"direct {times} DYNA geoip!direct",
        f"* {ttl.normal_seconds} CNAME api",
        '_acme-challenge 0 TXT "no challenge"',  # else the wildcard hides gdnsd's own answers
        f"glb {times} DYNA multifo!{_LOAD_BALANCER}",
        *(f"{region.name} {ttl.normal_seconds} A {region.endpoint}" for region in table.regions),
        f"$INCLUDE {settings.generation_file}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: Mapping[str, Any], depth: int = 0) -> str:
    """gdnsd's own form of nested mappings and lists."""
    items = [(key, item) for key, item in value.items() if item != {}]
    return "".join(f"{'  ' * depth}{_word(key)} => {_value(item, depth)}\n" for key, item in items)


def _value(value: Any, depth: int) -> str:
    if isinstance(value, Mapping):
        return "{\n" + _text(value, depth + 1) + "  " * depth + "}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[ " + ", ".join(_word(item) for item in value) + " ]"
    return _word(value)


def _word(value: Any) -> str:
    text = str(value)
    return text if all(letter.isalnum() or letter in "._-/" for letter in text) else f'"{text}"'
