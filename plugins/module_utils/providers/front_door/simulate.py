# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Front Door does from its records, its traps included. Pure.

- Among the healthy origins of the best priority the one of least latency serves, here the nearest.
- When every origin is bad all of them count as good: then a dead one serves.
- A region's origin counts as healthy by its probes; the static site always.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from itertools import chain

from ...routing.records import Records
from ..expectation import STATIC
from ..flat import Resolver, under, unpack
from ..places import by_distance


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    origins = under(unpack(records), "origin").values()
    return by_distance(country, (item["location"] for item in origins if "location" in item))


def resolver(records: Records) -> Resolver:
    """What serves a client of a country: the origins of which one does."""
    origins = {
        name: item for name, item in under(unpack(records), "origin").items() if item["enabled_state"] == "Enabled"
    }
    codes = {item["location"] for item in origins.values() if "location" in item}
    priorities = sorted({item["priority"] for item in origins.values()})
    places: dict[tuple[int, str | None], list[str]] = {}
    for name, item in origins.items():
        places.setdefault((item["priority"], item.get("location")), []).append(name)

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        nearest = (*by_distance(country, codes), None)
        ranked = [places.get((priority, code), []) for priority in priorities for code in nearest]
        good = (frozenset(name for name in names if name in up or name == STATIC) for names in ranked)
        return next((names for names in chain(good, map(frozenset, ranked)) if names), frozenset())

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)
