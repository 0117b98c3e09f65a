# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every country, every set of what is up: what back ends would answer is what the policy says, or has a name."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.expectation import shares_served
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import pack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import BACKENDS, compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.cases import Case, Up, set_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import CompileError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.simulate import (
    DIVERGENCES,
    MOST_REGIONS,
    SAMPLE,
    UNKNOWN,
    Report,
    Subject,
    Wanted,
    divide,
    region_sets,
    situations,
    walk,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.steering import BACKENDS as NAMES

from .conftest import EDGES, REGIONS, MakeTable, naive_divergence, naive_route53

LISTS = [name for name in NAMES if BACKENDS[name].card.ordered]
NEAREST = [name for name in NAMES if not BACKENDS[name].card.ordered]
EVICTIONS = [set(some) for size in range(len(REGIONS) + 1) for some in combinations(REGIONS, size)]


def told(report: Report) -> set[tuple[str, str]]:
    return {(found.backend, found.kind) for found in report.failures}


def test_back_ends_that_follow_lists_do_what_the_policy_says(make_table: MakeTable, site: Site) -> None:
    report = compare(make_table(), site, LISTS)
    assert report.divergences == () and report.sets == 46 and not report.sampled
    for name in LISTS:
        asked = [code for item in report.answers if item.backend == name for code in item.countries]
        assert sorted(asked) == sorted([*COUNTRIES, UNKNOWN])


@pytest.mark.parametrize("evicted", EVICTIONS, ids=lambda some: "-".join(sorted(some)) or "none")
def test_so_they_do_under_every_eviction(make_table: MakeTable, site: Site, evicted: set[str]) -> None:
    assert compare(make_table(), site, LISTS, dict.fromkeys(evicted, 0.0)).divergences == ()


@pytest.mark.parametrize(
    ("weights", "changes"),
    [
        ({}, {"algorithm": "weighted"}),
        ({"eu-west-1": 0}, {}),
        ({"eu-west-1": 0, "us-east-1": 3}, {"algorithm": "round_robin"}),
        (dict.fromkeys(REGIONS, 0), {"algorithm": "least_connections"}),
        ({}, {"door": {"chain": ["regions", "static_site"]}}),
        ({}, {"door": {"chain": ["regions", "load_balancer", "static_site"]}}),
        ({}, {"door": {"chain": ["load_balancer", "static_site"]}}),
    ],
)
@pytest.mark.parametrize("admissions", [{}, {"us-east-1": 0.0}, {"us-east-1": 0.5, "ap-southeast-1": 0.1}])
def test_so_they_do_under_other_policies(
    make_table: MakeTable, site: Site, weights: Any, changes: dict[str, Any], admissions: dict[str, float]
) -> None:
    report = compare(make_table(weights, **changes), site, LISTS, admissions)
    assert told(report) == set()


def test_so_they_do_with_ten_regions_of_unlike_weight(make_table: MakeTable, site: Site) -> None:
    more = {"eu-central-1": "europe", "eu-north-1": "europe", "sa-east-1": "other", "ap-south-1": "asia"}
    table = make_table({"eu-north-1": 5, "sa-east-1": 0.5, "ap-south-1": 0}, more)
    assert told(compare(table, site, LISTS, {"eu-north-1": 0, "eu-west-1": 0})) == set()


def test_nearest_must_be_asked_for(make_table: MakeTable, site: Site) -> None:
    report = compare(make_table(door={"steering": {}}), site, NEAREST)
    assert {(name, "other-region") for name in NEAREST} <= told(report)


def test_what_nearest_still_does_otherwise_is_waived_by_name_alone(make_table: MakeTable, site: Site) -> None:
    known = {("global_accelerator", "dead-region"), ("cloud_dns", "dead-region")}
    assert told(compare(make_table(), site)) == set()
    assert told(compare(make_table(door={"waivers": []}), site)) == known
    europe = {"backend": "cloud_dns", "divergence": "dead-region/europe", "reason": "so it is"}
    report = compare(make_table(door={"waivers": [europe]}), site, ["cloud_dns"])
    assert {item.geography for item in report.failures} == {"asia", "north-america", "other"}
    assert [item.reason for item in report.divergences if item.geography == "europe"] == ["so it is"]
    needless = {**europe, "divergence": "no-answer"}
    assert [item.divergence for item in compare(make_table(door={"waivers": [needless]}), site).unused] == ["no-answer"]


def test_without_a_static_site_nothing_is_promised_when_all_is_down(make_table: MakeTable, site: Site) -> None:
    alone = replace(site, static_site=None)
    lists = [name for name in LISTS if BACKENDS[name].card.layer == "dns"]
    assert told(compare(make_table(door={"waivers": []}), alone, [*lists, "cloud_dns"])) == set()


def test_a_walk_needs_neither_edges_nor_a_static_site(make_table: MakeTable, bare: Site) -> None:
    names = [name for name in NAMES if name != "gdnsd"]
    kinds = {kind for _name, kind in told(compare(make_table(door={"waivers": []}), bare, names))}
    assert kinds == {"dead-region", "no-answer"}, "load balancers have nothing to show when all is down"
    only = compare(make_table(door={"chain": ["static_site"]}), Site(static_site=Machine(name="s", address="10.0.0.9")),
                   ["route53", "traffic_manager"])  # fmt: skip
    assert told(only) == set()


@pytest.mark.parametrize("algorithm", ["geo", "weighted"])
def test_shares_under_a_decision_sum_to_one(make_table: MakeTable, algorithm: str) -> None:
    table = make_table({"us-west-2": 3}, algorithm=algorithm)
    admissions = {"eu-west-1": 0.25, "ap-southeast-1": 0.0}
    for alive in EVICTIONS:
        shares = shares_served(table, admissions, "europe", alive)
        assert sum(shares.values()) == pytest.approx(1) and set(shares) <= (alive or {"static"})
        assert not shares.get("ap-southeast-1") or alive == {"ap-southeast-1"}
    if algorithm == "geo":
        everything = shares_served(table, admissions, "europe", REGIONS)
        assert everything == {"eu-west-1": 0.25, "us-east-1": 0.75}
        assert shares_served(table, admissions, "europe", ["eu-west-1"]) == {"eu-west-1": 1.0}


def test_the_naive_route53_is_refused_with_its_counter_example(make_table: MakeTable, site: Site) -> None:
    table = make_table(door={"chain": ["regions", "static_site"]})
    held = {"route53": pack(1, naive_route53(table))}
    report = compare(table, replace(site, edges=()), ["route53"], held=held)
    found = next(item for item in report.failures if item.id == "dead-region/north-america")
    # us-east-1 alone is down: the default is us-east-1 too, so all is unhealthy and the smallest place's is answered.
    assert found.up == ("ap-southeast-1", "eu-west-1", "us-west-2")
    assert (found.expected, found.answered) == (("us-west-2",), ("us-east-1",))
    assert found.country in found.countries and "US" in found.countries
    assert not [item for item in report.failures if "NA" in item.geography and item.answered == ("us-west-2",)]


def test_an_unknown_back_end_and_an_unknown_place_are_told(make_table: MakeTable, site: Site) -> None:
    with pytest.raises(KeyError, match="bind"):
        compare(make_table(), site, ["bind"])
    with pytest.raises(CompileError, match="where moon-1 lies is unknown"):
        compare(make_table(more={"moon-1": "other"}), site, ["front_door"])


def test_the_counter_example_is_the_plainest_of_all_classes(make_table: MakeTable) -> None:
    def answer(up: Up, country: str) -> frozenset[str]:
        wrong = len(up) == 1 if country != "IE" else True
        return frozenset(["nowhere"]) if wrong else frozenset(["us-east-1"])

    subject = Subject(
        name="gdnsd",
        unsupported=(),
        sees_edges=False,
        answer=answer,
        expected=lambda _up, _country, _geography: frozenset(["us-east-1"]),
        treatment=lambda country: country == "IE",
    )
    found = {item.geography: item for item in walk(make_table(), [subject]).divergences}
    assert (found["europe"].country, found["europe"].up, found["europe"].sets) == ("IE", tuple(sorted(REGIONS)), 16)
    assert len(found["europe"].countries) > 40 and len(found["asia"].up) == 1 and found["asia"].sets == 4


def test_sets_are_all_up_to_twelve_regions_and_a_fixed_sample_above() -> None:
    few, many = [f"r{number}" for number in range(MOST_REGIONS)], [f"r{number}" for number in range(40)]
    assert len(region_sets(few)) == 2 ** len(few)
    sample = region_sets(many)
    assert len(sample) > SAMPLE and sample == region_sets(many)
    assert {frozenset(many), frozenset(), frozenset(["r7"]), frozenset(many) - {"r7"}} <= set(sample)
    assert list(map(len, sample)) == sorted(map(len, sample), reverse=True)
    assert {len(some) // 10 for some in sample} == {0, 1, 2, 3, 4}, "sets of every size"


def test_a_sampled_fleet_is_walked_too(make_table: MakeTable, site: Site) -> None:
    more = dict.fromkeys(("eu-west-2", "eu-west-3", "eu-central-1", "eu-central-2", "eu-north-1"), "europe")
    more |= {"eu-south-1": "europe", "eu-south-2": "europe", "ca-central-1": "north-america", "sa-east-1": "other"}
    report = compare(make_table(more=more), site, ["gdnsd", "route53"])
    assert report.sampled and told(report) == set()


def test_situations_hold_each_region_down_and_the_edges_down() -> None:
    names = [words for words, _up in situations(["a", "b"], EDGES)]
    assert names == [
        "all up", "a down", "b down", "no region", "edges down, all up", "edges down, a down", "edges down, b down",
        "edges down, no region",
    ]  # fmt: skip
    assert [words for words, _up in situations(["a"], ())] == ["all up", "a down", "no region"]


@pytest.mark.parametrize(
    ("expected", "answered", "kind"),
    [
        ("a", "a", ""), ("", "z", ""), ("a", "", "no-answer"), ("a", "z", "dead-region"), ("a", "a z", "dead-region"),
        ("a", "static", "static-too-early"), ("a", "b", "evicted-region"), ("a", "c", "other-region"),
        ("a c", "a", "other-shares"), ("static", "z", "dead-region"),
    ],
)  # fmt: skip
def test_kinds_of_divergences(expected: str, answered: str, kind: str) -> None:
    wanted, said, up = frozenset(expected.split()), frozenset(answered.split()), frozenset("abc")
    found = list(divide(Case(1, said), set_table([up]), Wanted(bool(wanted), dict.fromkeys(wanted, 1)), ["b"]))
    assert found == ([(kind, 1)] if kind else []) and (kind in DIVERGENCES or not kind)
    assert naive_divergence(wanted, said, up, ["b"]) == kind
    assert re.fullmatch(r"[a-z-]*", kind)
