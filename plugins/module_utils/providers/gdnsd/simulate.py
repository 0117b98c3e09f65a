# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edges' gdnsd answers, read from the configuration that it is given. Pure.

- A country's list is its own, else its continent's default, else the default one (GeoNames' continents, as GeoIP2 has).
- The first entry of the list that is up is answered; a list that is down altogether answers its first entry.
- A forced state wins over a check's.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from functools import lru_cache
from typing import Any

from ...routing.countries import COUNTRIES
from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Resolver, pack, rounded, under, unpack
from . import render

_LOAD_BALANCER, _STATIC_SITE, _LAST = "load_balancer", "static_site", "last_"
_DATABASE = "countries.mmdb"  # with one, every country has its list


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The configuration of a name server, the states that a decision forces, and whose addresses it answers."""
    files = render.render(table, site, render.Settings(geoip2_database=_DATABASE))
    items: dict[str, Mapping[str, Any]] = {
        f"file/{render.CONFIGURATION}": {"text": files[render.CONFIGURATION]},
        "edges": {"names": [edge.name for edge in site.edges]},
    }
    drained = {region.name for region in table.regions if region.weight <= 0}
    for name, ratio in rounded(table, admissions).items():
        items[f"forced/{name}"] = {"down": not ratio and name not in drained}
    return pack(table.generation, items)


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return tuple(_list(_map(records), country))


def resolver(records: Records) -> Resolver:
    """The names behind what `api` answers."""
    items, lists = unpack(records), _map(records)
    forced = {name for name, item in under(items, "forced").items() if item["down"]}

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        edges = [name for name in items["edges"]["names"] if name in up]
        entries = _list(lists, country)
        return _names(next((name for name in entries if _is_up(name, up, edges, forced)), entries[0]), edges)

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)


def _map(records: Records) -> Mapping[str, Any]:
    configuration = _parse(unpack(records)[f"file/{render.CONFIGURATION}"]["text"])
    found: Mapping[str, Any] = configuration["plugins"]["geoip"]["maps"][render.MAP]["map"]
    return found


def _list(lists: Mapping[str, Any], country: str) -> list[str]:
    continent = lists.get(COUNTRIES.get(country, ""), {})
    found: list[str] = continent.get(country) or continent.get("default") or lists["default"]
    return found


def _is_up(name: str, up: Collection[str], edges: list[str], forced: Collection[str]) -> bool:
    if name == _LOAD_BALANCER:
        return bool(edges)
    return name == _STATIC_SITE or (name.removeprefix(_LAST) in up and name not in forced)


def _names(name: str, edges: list[str]) -> frozenset[str]:
    if name == _LOAD_BALANCER:
        return frozenset(edges)
    return frozenset([STATIC if name == _STATIC_SITE else name.removeprefix(_LAST)])


@lru_cache(maxsize=8)
def _parse(text: str) -> dict[str, Any]:
    """gdnsd's own form of nested mappings and lists, as the renderer writes it."""
    stack: list[dict[str, Any]] = [{}]
    for line in text.splitlines():
        key, _arrow, value = line.strip().partition(" => ")
        if key == "}":
            stack.pop()
        elif value == "{":
            below: dict[str, Any] = {}
            stack[-1][key.strip('"')] = below
            stack.append(below)
        elif value:
            inner = value.removeprefix("[ ").removesuffix(" ]")
            stack[-1][key.strip('"')] = inner.split(", ") if value.startswith("[") else value.strip('"')
    return stack[0]
