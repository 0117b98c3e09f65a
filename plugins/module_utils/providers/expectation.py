# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the front door must answer, worked out of the routing table alone: what back ends are compared with.

Pure. The table is the effective one of a decision; `up` is the set of names, of regions and edges, that are up;
`admissions` are the decision's ratios by region. Nothing here knows a back end. `up` is asked for no more names than
the answer depends on, so that a walk over all sets is short (`routing/cases.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from ..routing.compile import ordered_regions
from ..routing.decision import effective_table
from ..routing.model import RoutingTable, Site

STATIC = "static"


def last_resort(table: RoutingTable, geography: str) -> tuple[str, ...]:
    """All regions in the order in which they serve when no region that is admitted does; no decision changes it."""
    alike = [replace(region, weight=1) for region in table.regions]
    return ordered_regions(geography, table.policy.geography(geography), alike)


def drawn(alive: Iterable[str], admissions: Mapping[str, float]) -> dict[str, float]:
    """The shares of an ordered list's regions when each request draws one number in [0, 1), by name.

    It goes to the first region whose admission is greater; a draw that none admits to the first that is admitted at
    all, or plainly to the first. `alive` is read until every draw is taken.
    """
    shares: dict[str, float] = {}
    first, reached = None, 0.0
    for name in alive:
        ratio = admissions.get(name, 1.0)
        first = name if first is None else first
        if ratio > reached:
            shares[name] = ratio - reached
            reached = ratio
        if reached >= 1:
            break
    first = next(iter(shares), first)
    if first is not None and reached < 1:
        shares[first] = shares.get(first, 0.0) + 1.0 - reached
    return shares


def shares_served(
    table: RoutingTable, admissions: Mapping[str, float], geography: str, up: Collection[str]
) -> dict[str, float]:
    """The ratio of a geography's requests that each region serves under a decision while exactly `up` are up.

    `table` is the policy's own, without a decision. Without any region up it is STATIC.
    """
    decided = effective_table(table.policy, table.regions, admissions, table.generation)
    return decided_shares(decided, admissions, geography, up)


def decided_shares(
    table: RoutingTable, admissions: Mapping[str, float], geography: str, up: Collection[str]
) -> dict[str, float]:
    """The same from the effective table of the decision."""
    route = table.route(geography)
    alive = (name for name in route.regions if name in up)
    if table.policy.algorithm == "geo":
        drained = {region.name: 0.0 for region in table.regions if region.weight <= 0}
        return drawn(alive, {**admissions, **drained}) or {STATIC: 1.0}
    shares = {name: share for name, share in zip(route.regions, route.shares, strict=True) if name in up and share > 0}
    whole = sum(shares.values())
    return {name: share / whole for name, share in shares.items()} or {next(alive, STATIC): 1.0}


def serving_regions(table: RoutingTable, geography: str, up: Collection[str]) -> frozenset[str]:
    """The regions of which one serves a request of a geography: all that have a share, else the first in order.

    Without any region up it is the static site, by the name STATIC.
    """
    return frozenset(decided_shares(table, {}, geography, up))


def nearest_region(order: Sequence[str], up: Collection[str], admissions: Mapping[str, float]) -> frozenset[str]:
    """What serves where a back end may steer to the nearest: `order` names all regions, the nearest first.

    Evicted regions serve only when no other is up; without any region it is STATIC.
    """
    return frozenset(drawn((name for name in order if name in up), admissions)) or frozenset([STATIC])


def dns_names(
    table: RoutingTable, site: Site, geography: str, up: Collection[str], regions: Collection[str] = ()
) -> frozenset[str]:
    """The names behind the addresses of `api.<domain>` in a geography: the first link of the chain that is up.

    An edge without any region behind it counts as down. `regions` are what serves instead of the list's first region.
    """
    first = frozenset(islice((name for name in table.route(geography).regions if name in up), 1))
    links: dict[str, Callable[[], Collection[str]]] = {
        "load_balancer": lambda: [edge.name for edge in site.edges if first and edge.name in up],
        "regions": lambda: (regions or first) if first else (),
        "static_site": lambda: [STATIC] if site.static_site else [],
    }
    return frozenset(next((found for link in table.policy.front_door.chain if (found := links[link]())), ()))


def dns_answer(table: RoutingTable, site: Site, geography: str, up: Collection[str]) -> frozenset[str]:
    """The addresses that `api.<domain>` has in a geography: those of the first link of the chain that is up."""
    known = {region.name: region.endpoint for region in table.regions}
    known |= {edge.name: edge.address for edge in site.edges}
    known |= {STATIC: site.static_site.address} if site.static_site else {}
    return frozenset(known[name] for name in dns_names(table, site, geography, up))
