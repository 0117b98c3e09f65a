# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The back ends that a policy is compiled for: an explicit table of imports, since a module's code travels by them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from ..routing.cases import Up
from ..routing.decision import effective_table
from ..routing.model import Region, RoutingTable, Site
from ..routing.records import Card, Records
from ..routing.simulate import Report, Subject, walk
from ..routing.steering import BACKENDS as NAMES
from ..routing.steering import LIST, NEAREST
from . import places
from .cloud_dns import card as cloud_dns_card
from .cloud_dns import compile as cloud_dns_compile
from .cloud_dns import simulate as cloud_dns
from .expectation import decided_shares, dns_names, nearest_region
from .flat import NOTHING, Resolver, admitted, rounded
from .front_door import card as front_door_card
from .front_door import compile as front_door_compile
from .front_door import simulate as front_door
from .gdnsd import card as gdnsd_card
from .gdnsd import simulate as gdnsd
from .global_accelerator import card as global_accelerator_card
from .global_accelerator import compile as global_accelerator_compile
from .global_accelerator import simulate as global_accelerator
from .google_lb import card as google_lb_card
from .google_lb import compile as google_lb_compile
from .google_lb import simulate as google_lb
from .haproxy import card as haproxy_card
from .haproxy import simulate as haproxy
from .memory import card as memory_card
from .memory import simulate as memory
from .route53 import card as route53_card
from .route53 import compile as route53_compile
from .route53 import simulate as route53
from .traffic_manager import card as traffic_manager_card
from .traffic_manager import compile as traffic_manager_compile
from .traffic_manager import simulate as traffic_manager

Desired = Callable[[RoutingTable, Site, Mapping[str, float]], Records]
Open = Callable[[Records], Resolver]
Treatment = Callable[[Records, str], Hashable]


@dataclass(frozen=True, slots=True)
class Backend:
    """A back end: what it can do, what it would hold, what it would answer from that, which countries are alike to it,
    and where it takes a region to lie."""

    card: Card
    desired: Desired
    resolver: Open
    treatment: Treatment
    place: Callable[[Region], str] = places.location


BACKENDS: dict[str, Backend] = {
    item.card.name: item
    for item in (
        Backend(haproxy_card.CARD, haproxy.desired, haproxy.resolver, haproxy.treatment),
        Backend(gdnsd_card.CARD, gdnsd.desired, gdnsd.resolver, gdnsd.treatment),
        Backend(memory_card.CARD, memory.desired, memory.resolver, memory.treatment),
        Backend(route53_card.CARD, route53_compile.desired, route53.resolver, route53.treatment),
        Backend(
            global_accelerator_card.CARD,
            global_accelerator_compile.desired,
            global_accelerator.resolver,
            global_accelerator.treatment,
        ),
        Backend(
            cloud_dns_card.CARD,
            cloud_dns_compile.desired,
            cloud_dns.resolver,
            cloud_dns.treatment,
            cloud_dns_compile.google_location,
        ),
        Backend(google_lb_card.CARD, google_lb_compile.desired, google_lb.resolver, google_lb.treatment),
        Backend(
            traffic_manager_card.CARD,
            traffic_manager_compile.desired,
            traffic_manager.resolver,
            traffic_manager.treatment,
        ),
        Backend(front_door_card.CARD, front_door_compile.desired, front_door.resolver, front_door.treatment),
    )
}
"""Every back end by its name, in the order of NAMES."""


NOTHING_HELD: Mapping[str, Records] = MappingProxyType({})


def subjects(
    table: RoutingTable,
    site: Site,
    names: Iterable[str] = NAMES,
    admissions: Mapping[str, float] = NOTHING,
    held: Mapping[str, Records] = NOTHING_HELD,
) -> tuple[Subject, ...]:
    """Back ends as `routing.simulate.walk` takes them; `table` is the policy's, `admissions` a decision's ratios.

    `held` are records that a back end holds already, to be judged instead of what would be compiled. Raises KeyError
    for an unknown back end, CompileError or ValueError for what one can't hold.
    """
    return tuple(_subject(table, site, BACKENDS[name], admissions, held.get(name)) for name in names)


def compare(
    table: RoutingTable,
    site: Site,
    names: Collection[str] = NAMES,
    admissions: Mapping[str, float] = NOTHING,
    held: Mapping[str, Records] = NOTHING_HELD,
) -> Report:
    """Walk some back ends under the policy's own waivers; see `subjects` for the parameters and errors."""
    waivers = [waiver for waiver in table.policy.front_door.waivers if waiver.backend in names]
    evicted = [name for name, ratio in admitted(table, admissions).items() if ratio <= 0]
    judged = subjects(table, site, names, admissions, held)
    return walk(table, judged, [edge.name for edge in site.edges], evicted, waivers)


def _subject(
    table: RoutingTable, site: Site, backend: Backend, admissions: Mapping[str, float], held: Records | None
) -> Subject:
    card = backend.card
    records = backend.desired(table, site, admissions) if held is None else held
    ratios = (admitted if card.shares else rounded)(table, admissions)
    decided = effective_table(table.policy, table.regions, ratios, table.generation)
    nearest = dict(table.policy.front_door.steering).get(card.name, LIST) == NEAREST
    codes = {region.name: backend.place(region) for region in table.regions} if nearest else {}

    @cache
    def order(country: str) -> tuple[str, ...]:
        ranked = places.by_distance(country, codes.values())
        return tuple(name for code in ranked for name, own in codes.items() if own == code)

    def serving(up: Up, country: str, geography: str) -> frozenset[str]:
        if nearest:
            return nearest_region(order(country), up, ratios)
        return frozenset(decided_shares(decided, ratios, geography, up))

    def expected(up: Up, country: str, geography: str) -> frozenset[str]:
        if card.layer != "dns":
            return serving(up, country, geography)
        return dns_names(decided, site, geography, up, serving(up, country, geography) if nearest else ())

    return Subject(
        name=card.name,
        unsupported=card.unsupported_countries,
        sees_edges=card.layer == "dns",
        answer=backend.resolver(records),
        expected=expected,
        treatment=lambda country: backend.treatment(records, country),
        wish=order,
    )
