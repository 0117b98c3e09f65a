# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a region's requests would go if it were taken out, and how many of them fit there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from .model import Geography, Policy, Region


def receivers(
    policy: Policy, regions: Mapping[str, Region], admissions: Mapping[str, float], name: str
) -> dict[str, float]:
    """Who would get the requests of region `name`, each with the greatest ratio of them that it may get.

    Under `geo` that is, for every geography that it serves, the next admitted region of the list. Nobody counts
    requests by geography, so each receiver is taken to get all of them. Other algorithms spread them by share.
    """
    if policy.algorithm != "geo":
        rest = {
            other: (region.weight if policy.algorithm != "round_robin" else 1.0) * admissions[other]
            for other, region in regions.items()
            if other != name and region.weight > 0 and admissions[other] > 0
        }
        whole = sum(rest.values())
        return {other: part / whole for other, part in rest.items()}
    found = {}
    for geography_name, geography in policy.geographies:
        follower = _follower(_ordered(geography_name, geography, regions, admissions), admissions, name)
        if follower:
            found[follower] = 1.0
    return found


def _ordered(
    name: str, geography: Geography, regions: Mapping[str, Region], admissions: Mapping[str, float]
) -> Iterator[str]:
    """The admitted regions of a geography in `compile.ordered_regions`' order; what nobody asks for isn't sorted."""
    listed = [other for other in geography.regions if other in regions]
    yield from (other for other in listed if regions[other].weight > 0 and admissions[other] > 0)
    rest = (other for other in regions.values() if other.name not in listed and other.weight > 0)
    key = [(region.geography != name, -region.weight, region.order, region.name) for region in rest]
    yield from (other for *_order, other in sorted(key) if admissions[other] > 0)


def _follower(order: Iterator[str], admissions: Mapping[str, float], name: str) -> str:
    """Who takes over from `name`; nobody where it doesn't serve."""
    first = ""
    for other in order:
        if other == name:
            break
        if admissions[other] >= 1:
            return ""
        first = first or other
    else:
        return ""
    partly = ""
    for other in order:
        if admissions[other] >= 1:
            return other
        partly = partly or other
    return first or partly


def movable(
    policy: Policy,
    regions: Mapping[str, Region],
    admissions: Mapping[str, float],
    loads: Mapping[str, float | None],
    name: str,
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
    for other, part in receivers(policy, regions, admissions, name).items():
        capacity, taken = regions[other].capacity_rps, loads.get(other)
        if capacity > 0 and taken is not None:
            left = capacity * (1 - policy.safety.capacity_headroom) - taken
            room = min(room, left / (whole * part))
    return min(1.0, room)
