# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk leaves nothing out: it finds what asking every back end for every country and every set would find."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import pack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare, subjects
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    ALGORITHMS,
    Machine,
    Region,
    RoutingTable,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.simulate import (
    UNKNOWN,
    Report,
    Subject,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.steering import BACKENDS as NAMES

from .conftest import MakeTable, naive_divergence, naive_route53

Found = dict[tuple[str, str], tuple[set[str], int, int]]
"""Kind and geography to the countries, the number of sets of the worst country, and the most names up."""

PLACES = {"us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia"}
CHAINS = (["load_balancer", "regions", "static_site"], ["regions", "static_site"], ["load_balancer", "static_site"])
RATIOS = st.sampled_from([0.0, 0.1, 0.5, 1.0])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """What differs between small policies: regions, their order and weights, the door, a decision."""
    names = draw(st.permutations(sorted(PLACES)))[: draw(st.integers(1, 3))]
    return {
        "names": names,
        "weights": draw(st.tuples(*[st.sampled_from([1.0, 1.0, 3.0, 0.0])] * len(names))),
        "lists": draw(st.lists(st.permutations(names), min_size=4, max_size=4)),
        "algorithm": draw(st.sampled_from(ALGORITHMS)),
        "chain": draw(st.sampled_from(CHAINS)),
        "steering": draw(st.booleans()),
        "admissions": draw(st.dictionaries(st.sampled_from(names), RATIOS)),
        "edges": draw(st.integers(1, 2)),
        "backend": draw(st.sampled_from(NAMES)),
    }


def made(make_table: MakeTable, drawn: dict[str, Any]) -> tuple[RoutingTable, Site]:
    policy = make_table().policy
    door = replace(policy.front_door, chain=tuple(drawn["chain"]), waivers=())
    door = door if drawn["steering"] else replace(door, steering=())
    geographies = tuple(
        (name, replace(geography, regions=tuple(listed)))
        for (name, geography), listed in zip(policy.geographies, drawn["lists"], strict=True)
    )
    regions = [
        Region(name=name, geography=PLACES[name], endpoint=f"10.1.{order}.10", order=order, weight=weight)
        for order, (name, weight) in enumerate(zip(drawn["names"], drawn["weights"], strict=True), 1)
    ]
    policy = replace(policy, front_door=door, geographies=geographies, algorithm=drawn["algorithm"])
    edges = tuple(Machine(name=f"edge-{number}", address=f"10.1.20{number}.10") for number in range(drawn["edges"]))
    return compile_table(policy, regions, 7), Site(
        edges=edges, static_site=Machine(name="static-1", address="10.1.211.10")
    )


def naive(table: RoutingTable, site: Site, subject: Subject, evicted: list[str]) -> Found:
    """Everything asked, one after the other."""
    names = [region.name for region in table.regions]
    edges = [edge.name for edge in site.edges] if subject.sees_edges else []
    sets = {frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)}
    sets |= {some | frozenset(few) for some in sets if some for few in ([], edges[:1], edges)}
    found: Found = {}
    for country in (*COUNTRIES, UNKNOWN):
        known = country in COUNTRIES and country not in subject.unsupported
        geography = table.route_of(country).name if known else table.default
        own: dict[str, list[int]] = {}
        for up in sets:
            kind = naive_divergence(subject.expected(up, country, geography), subject.answer(up, country), up, evicted)
            if kind:
                own.setdefault(kind, []).append(len(up))
        for kind, sizes in own.items():
            countries, most, largest = found.get((kind, geography), (set(), 0, 0))
            found[kind, geography] = ({*countries, country}, max(most, len(sizes)), max(largest, *sizes, 0))
    return found


def walked(report: Report, subject: Subject, evicted: list[str]) -> Found:
    """The same from a report, whose examples must be true."""
    for item in report.divergences:
        up = frozenset(item.up)
        assert subject.expected(up, item.country, item.geography) == frozenset(item.expected)
        assert subject.answer(up, item.country) == frozenset(item.answered)
        assert naive_divergence(frozenset(item.expected), frozenset(item.answered), up, evicted) == item.kind
    return {(item.kind, item.geography): (set(item.countries), item.sets, len(item.up)) for item in report.divergences}


@settings(deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=policies())
def test_a_walk_finds_what_asking_everything_finds(make_table: MakeTable, drawn: dict[str, Any]) -> None:
    table, site = made(make_table, drawn)
    name, admissions = drawn["backend"], drawn["admissions"]
    evicted = [region.name for region in table.regions if region.weight <= 0 or admissions.get(region.name, 1.0) <= 0]
    (subject,) = subjects(table, site, [name], admissions)
    report = compare(table, site, [name], admissions)
    assert walked(report, subject, evicted) == naive(table, site, subject, evicted)


@pytest.mark.parametrize("name", ["cloud_dns", "global_accelerator", "front_door"])
def test_so_it_does_where_there_is_much_to_find(make_table: MakeTable, site: Site, name: str) -> None:
    table = make_table(door={"steering": {}, "waivers": []})
    (subject,) = subjects(table, site, [name])
    found = naive(table, site, subject, [])
    assert len(found) >= 4 and walked(compare(table, site, [name]), subject, []) == found


def test_and_so_for_the_naive_route53(make_table: MakeTable, site: Site) -> None:
    table, alone = make_table(door={"chain": ["regions", "static_site"]}), replace(site, edges=())
    held = {"route53": pack(1, naive_route53(table))}
    (subject,) = subjects(table, alone, ["route53"], held=held)
    found = naive(table, alone, subject, [])
    assert ("dead-region", "north-america") in found
    assert walked(compare(table, alone, ["route53"], held=held), subject, []) == found
