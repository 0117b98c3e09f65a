# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the back end in memory answers: exactly what the policy and the decision say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from ...routing.decision import effective_table
from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC, drawn
from ..flat import NOTHING, Resolver, admitted, pack, unpack


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """Every geography's list with shares under a decision, the countries' geographies, the admissions."""
    del site
    decided = effective_table(table.policy, table.regions, admissions, table.generation)
    items: dict[str, Mapping[str, object]] = {
        f"geography/{route.name}": {"regions": route.regions, "shares": route.shares} for route in decided.routes
    }
    items["countries"] = {"default": table.default, **dict(table.countries)}
    items["admissions"] = admitted(table, admissions)
    items["algorithm"] = {"name": table.policy.algorithm}
    return pack(table.generation, items)


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    countries = unpack(records)["countries"]
    return str(countries.get(country, countries["default"]))


def resolver(records: Records) -> Resolver:
    """The regions of which one serves a client of a country, or STATIC."""
    items = unpack(records)
    countries = items["countries"]

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        route = items[f"geography/{countries.get(country, countries['default'])}"]
        alive = (name for name in route["regions"] if name in up)
        if items["algorithm"]["name"] == "geo":
            return frozenset(drawn(alive, items["admissions"]) or [STATIC])
        shares = dict(zip(route["regions"], route["shares"], strict=True))
        return frozenset([name for name, share in shares.items() if share > 0 and name in up] or [next(alive, STATIC)])

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)
