# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the compilers of all back ends share: records as canonical JSON, and what they are made from. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from ..routing.compile import CompileError
from ..routing.model import GeographyRoute, RoutingTable, Site
from ..routing.records import Records
from .expectation import STATIC, last_resort

Item = Mapping[str, Any]

Resolver = Callable[[Collection[str], str], frozenset[str]]
"""(names whose health checks pass, country) to the names that a back end may answer; empty for no answer at all."""

ADMITTED = 0.5
"""Least admission (ratio) that counts as admitted where shares can't be said."""

NOTHING: Mapping[str, float] = MappingProxyType({})
"""Admissions of a policy without a decision: every region has 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A geography's regions: `first` in the policy's order, `last` in the order in which evicted ones still serve.

    Neither depends on a decision, so both are published beforehand: an eviction only takes a region out of `first`.
    """

    first: tuple[str, ...]
    last: tuple[str, ...]


def pack(generation: int, items: Mapping[str, Item]) -> Records:
    """Records of plain data: keys sorted, values as JSON with sorted keys and no blanks."""
    texts = {key: json.dumps(item, sort_keys=True, separators=(",", ":")) for key, item in items.items()}
    return Records(generation=generation, items=tuple(sorted(texts.items())))


@lru_cache(maxsize=64)
def unpack(records: Records) -> Mapping[str, Item]:
    """The plain data of records; not to be changed."""
    return {key: json.loads(text) for key, text in records.items}


def under(items: Mapping[str, Item], folder: str) -> dict[str, Item]:
    """The items whose key begins with `folder/`, by the rest of their key."""
    start = f"{folder}/"
    return {key.removeprefix(start): item for key, item in items.items() if key.startswith(start)}


def order(table: RoutingTable, route: GeographyRoute) -> Order:
    """The orders of a geography, from the policy's own table."""
    return Order(first=route.regions, last=last_resort(table, route.name))


def admitted(table: RoutingTable, admissions: Mapping[str, float]) -> dict[str, float]:
    """Every region's admission: 0 for drained ones, 1 where no decision says otherwise."""
    return {region.name: admissions.get(region.name, 1.0) if region.weight > 0 else 0.0 for region in table.regions}


def served(ratios: Mapping[str, float]) -> dict[str, float]:
    """The same ratios, or 1 for all where none would be left: a back end that serves nothing fails open or refuses."""
    return dict(ratios) if any(ratios.values()) else dict.fromkeys(ratios, 1.0)


def rounded(table: RoutingTable, admissions: Mapping[str, float]) -> dict[str, float]:
    """Admissions where a geography's traffic can't be split: a region has all of it, or none below ADMITTED."""
    return {name: float(ratio >= ADMITTED) for name, ratio in admitted(table, admissions).items()}


def addresses(table: RoutingTable, site: Site) -> dict[str, str]:
    """Address or name of every region, edge and the static site. Raises CompileError for a region without one."""
    missing = [region.name for region in table.regions if not region.endpoint]
    if missing:
        raise CompileError(f"regions without an endpoint: {', '.join(missing)}")
    found = {region.name: region.endpoint for region in table.regions}
    found |= {edge.name: edge.address for edge in site.edges}
    return found | ({STATIC: site.static_site.address} if site.static_site else {})


def is_ipv4(address: str) -> bool:
    """Whether an endpoint is an IPv4 address and not a name. Raises CompileError for IPv6: no chain here holds it."""
    try:
        version = ip_address(address).version
    except ValueError:
        return False
    if version != 4:
        raise CompileError(f"{address}: endpoints are IPv4 addresses or names")
    return True


def too_many(name: str, count: int, limit: int, what: str) -> None:
    """Raise CompileError when a back end's limit is passed."""
    if count > limit:
        raise CompileError(f"{name} takes at most {limit} {what}, not {count}")
