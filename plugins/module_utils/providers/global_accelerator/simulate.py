# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Global Accelerator does from its records, its traps included. Pure.

- The nearest endpoint group takes its traffic dial's share of a client's requests, the next nearest of what is left.
- In a group, healthy endpoints with a weight above 0 serve. Where a group has none, the three groups nearest to the
  client are tried, and the dial is ignored there: a group dialled to 0 gets traffic.
- When those have none either, some endpoint of the nearest group is taken, dead or of weight 0: it fails open.

The guide speaks of "the three closest endpoint groups" and of "three additional" ones; the narrower reading holds here.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from ...routing.records import Records
from ..flat import Resolver, under, unpack
from ..places import by_distance
from .card import TRIED


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return by_distance(country, under(unpack(records), "endpoint_group"))


def resolver(records: Records) -> Resolver:
    """What serves a client of a country: the regions of which one does."""
    items = unpack(records)
    dials = {code: group["traffic_dial"] for code, group in under(items, "endpoint_group").items()}
    members: dict[str, set[str]] = {code: set() for code in dials}
    weighty: dict[str, set[str]] = {code: set() for code in dials}
    for name, item in under(items, "endpoint").items():
        members[item["group"]].add(name)
        if item["weight"] > 0:
            weighty[item["group"]].add(name)

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        nearest = by_distance(country, dials)
        served: set[str] = set()
        for code in nearest:
            served |= _alive(weighty[code], up) or _elsewhere(weighty, members, nearest, up)
            if dials[code] >= 100:
                break
        return frozenset(served)

    return ask


def _elsewhere(
    weighty: Mapping[str, set[str]], members: Mapping[str, set[str]], nearest: tuple[str, ...], up: Collection[str]
) -> set[str]:
    usable = (_alive(weighty[code], up) for code in nearest[:TRIED])
    return next((some for some in usable if some), members[nearest[0]])


def _alive(names: Collection[str], up: Collection[str]) -> set[str]:
    return {name for name in names if name in up}


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)
