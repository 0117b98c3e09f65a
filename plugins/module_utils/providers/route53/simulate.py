# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Route 53 answers from its records, its traps included. Pure.

- A record without a health check is healthy always; an alias only if it evaluates its target. A check that somebody
  disabled is healthy always, an inverted one never.
- Where nothing of a group is healthy, all of it counts as healthy: the PRIMARY of a failover pair is answered.
- Geolocation tries the country, then its continent, then the default, and takes the first that is healthy; when none
  is, the smallest place's record is answered, dead or not. A place without any record gets no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from ...routing.countries import COUNTRIES
from ...routing.records import Records
from ..flat import Item, Resolver, under, unpack
from .card import CARD


@dataclass(frozen=True, slots=True)
class _Zone:
    """The records by name, and who asks while what is up."""

    names: Mapping[str, list[Item]]
    items: Mapping[str, Item]
    up: Collection[str]
    places: tuple[str, ...]
    found: dict[str, tuple[bool, frozenset[str]]] = field(default_factory=dict)


def places(country: str) -> tuple[str, ...]:
    """Whose records are tried for a country's client, the smallest first; for an unknown one only the default's."""
    if country not in COUNTRIES or country in CARD.unsupported_countries:
        return ("default",)
    return (f"country {country}", f"continent {COUNTRIES[country]}", "default")


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    targets = {item.get("set_identifier"): item.get("alias") for item in unpack(records).values()}
    return tuple(dict.fromkeys(targets[place] for place in places(country) if place in targets))


def resolver(records: Records) -> Resolver:
    """The names of regions, edges or the static site behind what `api` answers; empty for no answer."""
    items = unpack(records)
    names: dict[str, list[Item]] = {}
    for item in under(items, "record").values():
        names.setdefault(item["name"], []).append(item)
    top = next(name for name in names if name.startswith("api."))

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        return _resolve(_Zone(names, items, up, places(country)), top)[1]

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)


def _resolve(zone: _Zone, name: str) -> tuple[bool, frozenset[str]]:
    """Whether a name is healthy, and what it answers."""
    if name not in zone.found:
        zone.found[name] = _choose(zone, zone.names[name])
    return zone.found[name]


def _choose(zone: _Zone, group: list[Item]) -> tuple[bool, frozenset[str]]:
    policy = group[0]["routing"]["policy"]
    if policy == "multivalue":
        good = [item for item in group if _healthy(zone, item)]
        return bool(good), frozenset().union(*(_names(zone, item) for item in good or group))
    if policy == "geolocation":
        by_place = {item["set_identifier"]: item for item in group}
        ranked: Iterable[Item] = [by_place[place] for place in zone.places if place in by_place]
    else:
        ranked = sorted(group, key=lambda item: item["routing"]["role"])
    candidates = list(ranked)
    for item in candidates:
        if _healthy(zone, item):
            return True, _names(zone, item)
    return False, _names(zone, candidates[0]) if candidates else frozenset()


def _healthy(zone: _Zone, item: Item) -> bool:
    if item.get("evaluate_target_health") and not _resolve(zone, item["alias"])[0]:
        return False
    return "health_check" not in item or _passes(zone, item["health_check"])


def _names(zone: _Zone, item: Item) -> frozenset[str]:
    if item.get("alias") in zone.names:
        return _resolve(zone, item["alias"])[1]
    return frozenset([item["set_identifier"].split()[0]])


def _passes(zone: _Zone, key: str) -> bool:
    check = zone.items[key]
    if check.get("disabled"):
        return not check.get("inverted")
    if check["type"] == "CALCULATED":
        return sum(_passes(zone, child) for child in check["children"]) >= int(check["threshold"])
    name, _slash, switch = key.removeprefix("health_check/").partition("/")
    if switch:
        return bool(zone.items[f"admission/{name}"]["value"])
    return name in zone.up
