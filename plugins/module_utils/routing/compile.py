# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy and regions in, the table that every back end is rendered from out."""

from __future__ import annotations

from collections.abc import Iterable

from .countries import COUNTRIES
from .errors import RoutingError
from .model import Geography, GeographyRoute, Policy, Region, RoutingTable


class CompileError(RoutingError):
    """Policy and regions don't make a table; `validate` tells why."""


def country_table(policy: Policy) -> dict[str, str]:
    """Every ISO 3166 country's geography: its own entry first, then its continent's, then the default one."""
    default = default_geography(policy)
    by_continent = {code: name for name, geography in policy.geographies for code in geography.continents}
    by_country = {code: name for name, geography in policy.geographies for code in geography.countries}
    return {code: by_country.get(code, by_continent.get(part, default)) for code, part in COUNTRIES.items()}


def default_geography(policy: Policy) -> str:
    """The name of the default geography. Raises CompileError unless there is exactly one."""
    names = [name for name, geography in policy.geographies if geography.default]
    if len(names) != 1:
        raise CompileError(f"{len(names)} default geographies instead of one")
    return names[0]


def ordered_regions(name: str, geography: Geography, regions: Iterable[Region]) -> tuple[str, ...]:
    """All regions once: the policy's list, then the geography's own, then the others by weight and inventory order.

    Drained regions (weight 0) come last in the same order, so they serve only when nothing else does.
    Raises CompileError for a region of the list that doesn't exist.
    """
    known = {region.name: region for region in regions}
    unknown = [region for region in geography.regions if region not in known]
    if unknown:
        raise CompileError(f"geography {name} names unknown regions: {', '.join(unknown)}")
    listed = [known[region] for region in geography.regions]
    rest = sorted(
        (region for region in known.values() if region.name not in geography.regions),
        key=lambda region: (region.geography != name, -region.weight, region.order, region.name),
    )
    everything = listed + rest
    serving = [region.name for region in everything if region.weight > 0]
    return (*serving, *(region.name for region in everything if region.weight <= 0))


def shares(algorithm: str, order: tuple[str, ...], regions: Iterable[Region]) -> tuple[float, ...]:
    """The ratio of requests that each region of `order` gets while all serve; they sum to 1.

    `geo` gives everything to the first; `round_robin` the same to each that isn't drained; `weighted` and
    `least_connections` by weight. When all are drained they count alike.
    """
    weights = {region.name: region.weight for region in regions}
    drained = all(weights[name] <= 0 for name in order)
    if algorithm == "geo":
        wanted = [1.0 if index == 0 else 0.0 for index in range(len(order))]
    elif drained:
        wanted = [1.0] * len(order)
    elif algorithm == "round_robin":
        wanted = [1.0 if weights[name] > 0 else 0.0 for name in order]
    else:
        wanted = [float(max(weights[name], 0)) for name in order]
    whole = sum(wanted)
    return tuple(weight / whole for weight in wanted)


def compile_table(policy: Policy, regions: Iterable[Region], generation: int) -> RoutingTable:
    """Make the table. The order in which regions and geographies are given never matters.

    Raises CompileError when there is no region, a region twice, an unknown one, or not one default geography.
    """
    fleet = tuple(sorted(regions, key=lambda region: (region.order, region.name)))
    if not fleet or len({region.name for region in fleet}) != len(fleet):
        raise CompileError("a table needs at least one region, each once")
    countries = country_table(policy)
    routes = []
    for name, geography in sorted(policy.geographies):
        order = ordered_regions(name, geography, fleet)
        routes.append(
            GeographyRoute(
                name=name,
                regions=order,
                shares=shares(policy.algorithm, order, fleet),
                countries=tuple(code for code, owner in countries.items() if owner == name),
                default=geography.default,
            )
        )
    return RoutingTable(
        generation=generation,
        policy=policy,
        regions=fleet,
        routes=tuple(routes),
        default=default_geography(policy),
        countries=tuple(countries.items()),
    )
