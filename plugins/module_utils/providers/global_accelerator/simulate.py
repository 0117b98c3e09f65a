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
from dataclasses import dataclass

from ...routing.records import Records
from ..flat import Resolver, under, unpack
from ..places import by_distance
from .card import TRIED


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return by_distance(country, under(unpack(records), "endpoint_group"))


def resolver(records: Records) -> Resolver:
    """What serves a client of a country: the regions of which one does."""
    fleet = _fleet(records)

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        nearest = by_distance(country, fleet.dials)
        served: set[str] = set()
        for code in nearest:
            served |= _at(fleet, code, nearest, up)
            if fleet.dials[code] >= 100:
                break
        return frozenset(served)

    return ask


def shares(records: Records, up: Collection[str], country: str) -> dict[str, float]:
    """The ratio of a country's requests that each serves: a dial's part of what nearer locations leave, by weight."""
    fleet, found, left = _fleet(records), dict[str, float](), 1.0
    nearest = by_distance(country, fleet.dials)
    for code in nearest:
        part = left * fleet.dials[code] / 100
        here = _at(fleet, code, nearest, up)
        weights = {name: max(fleet.weights[name], 1) for name in here}
        for name, weight in weights.items():
            found[name] = found.get(name, 0.0) + part * weight / sum(weights.values())
        left -= part
    return {name: share for name, share in found.items() if share > 0}


@dataclass(frozen=True, slots=True)
class _Fleet:
    """Dials by location, its endpoints, those of them with a weight, and the weights."""

    dials: Mapping[str, int]
    members: Mapping[str, set[str]]
    weighty: Mapping[str, set[str]]
    weights: Mapping[str, int]


def _fleet(records: Records) -> _Fleet:
    items = unpack(records)
    dials = {code: group["traffic_dial"] for code, group in under(items, "endpoint_group").items()}
    members: dict[str, set[str]] = {code: set() for code in dials}
    weighty: dict[str, set[str]] = {code: set() for code in dials}
    weights = {}
    for name, item in under(items, "endpoint").items():
        members[item["group"]].add(name)
        weights[name] = item["weight"]
        if item["weight"] > 0:
            weighty[item["group"]].add(name)
    return _Fleet(dials, members, weighty, weights)


def _at(fleet: _Fleet, code: str, nearest: tuple[str, ...], up: Collection[str]) -> set[str]:
    """What serves the part of one location."""
    return _alive(fleet.weighty[code], up) or _elsewhere(fleet.weighty, fleet.members, nearest, up)


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
