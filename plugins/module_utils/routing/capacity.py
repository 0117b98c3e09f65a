# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a region's requests would go if it were taken out, and how many of them fit there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from math import inf

from .decision import drawn
from .model import Geography, Policy, Region


def receivers(
    policy: Policy,
    regions: Mapping[str, Region],
    admissions: Mapping[str, float],
    name: str,
    spared: Collection[str] = (),
) -> dict[str, float]:
    """Who would get the requests of region `name`, each with the greatest ratio of them that it may get.

    Under `geo` that is, for every geography that it serves, the next admitted regions of the list. Nobody counts
    requests by geography, so each is taken to be the only one. Other algorithms spread them by share, to all but those
    that are `spared`.
    """
    found: dict[str, float] = {}
    if policy.algorithm != "geo":
        rest = {
            other: standing(policy, region) * admissions[other]
            for other, region in regions.items()
            if other != name and other not in spared and region.weight > 0 and admissions[other] > 0
        }
        whole = sum(rest.values())
        return {other: part / whole for other, part in rest.items()}
    for geography_name, geography in policy.geographies:
        order = _ordered(geography_name, geography, regions, admissions)
        for other, part in _takers(order, admissions, name):
            found[other] = max(part, found.get(other, 0.0))
    return found


def standing(policy: Policy, region: Region) -> float:
    """What a region that isn't drained counts with where requests are spread over all, as `compile.shares` has it."""
    return 1.0 if policy.algorithm == "round_robin" else region.weight


def _ordered(
    name: str, geography: Geography, regions: Mapping[str, Region], admissions: Mapping[str, float]
) -> Iterator[str]:
    """The admitted regions of a geography in `compile.ordered_regions`' order; what nobody asks for isn't sorted."""
    listed = [other for other in geography.regions if other in regions]
    yield from (other for other in listed if regions[other].weight > 0 and admissions[other] > 0)
    rest = (other for other in regions.values() if other.name not in listed and other.weight > 0)
    key = [(region.geography != name, -region.weight, region.order, region.name) for region in rest]
    yield from (other for *_order, other in sorted(key) if admissions[other] > 0)


def _takers(order: Iterator[str], admissions: Mapping[str, float], name: str) -> Iterator[tuple[str, float]]:
    """Who gains by how much of what `name` has in a list; nobody where it doesn't serve."""
    reached = []
    for other in order:
        reached.append(other)
        if other != name and admissions[other] >= 1:
            break
    before = drawn(reached, admissions)
    after = drawn((other for other in reached if other != name), admissions)
    for other, share in after.items():
        if share > before[other]:
            yield other, (share - before[other]) / before[name]


def movable(
    policy: Policy,
    regions: Mapping[str, Region],
    admissions: Mapping[str, float],
    loads: Mapping[str, float | None],
    name: str,
    spared: Collection[str] = (),
) -> float:
    """The ratio of the normal requests of region `name` that its receivers can still take; below 0 if overloaded.

    A receiver takes what its `capacity_rps` leaves after `safety.capacity_headroom`. A capacity of 0 and a load that
    nobody counts are unknown and not judged: then 1.
    """
    load = loads.get(name)
    if not load:
        return 1.0
    whole = load / admissions[name]
    room = inf
    for other, part in receivers(policy, regions, admissions, name, spared).items():
        capacity, taken = regions[other].capacity_rps, loads.get(other)
        if capacity > 0 and taken is not None:
            left = capacity * (1 - policy.safety.capacity_headroom) - taken
            room = min(room, left / (whole * part))
    return min(1.0, room)
