# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled table, the failover budget and the country table."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import budget
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import (
    CompileError,
    compile_table,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import CONTINENTS, COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    ALGORITHMS,
    Geography,
    Health,
    Machine,
    Policy,
    Region,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import Card

GUIDE = {
    "us-east-1": "north-america",
    "us-west-2": "north-america",
    "eu-west-1": "europe",
    "ap-southeast-1": "asia",
}


def fleet(**weights: float) -> list[Region]:
    """The guide's regions; weights by name, with _ for -."""
    given = {name.replace("_", "-"): weight for name, weight in weights.items()}
    return [
        Region(name=name, geography=geography, order=order, weight=given.get(name, 1))
        for order, (name, geography) in enumerate(GUIDE.items())
    ]


def test_every_geography_lists_every_region(policy: dict[str, Any]) -> None:
    """The guide's primary and backup first, then the geography's own, then the inventory's order."""
    table = compile_table(Policy.from_dict(policy), fleet(), 7)
    assert table.generation == 7
    assert {route.name: " ".join(route.regions) for route in table.routes} == {
        "north-america": "us-east-1 us-west-2 eu-west-1 ap-southeast-1",
        "europe": "eu-west-1 us-east-1 us-west-2 ap-southeast-1",
        "asia": "ap-southeast-1 us-east-1 us-west-2 eu-west-1",
        "other": "us-east-1 us-west-2 eu-west-1 ap-southeast-1",
    }


def test_the_rest_goes_by_geography_then_weight_then_inventory(policy: dict[str, Any]) -> None:
    regions = [
        *fleet(ap_southeast_1=5),
        Region(name="eu-central-1", geography="europe", weight=0.5, order=9),
        Region(name="eu-north-1", geography="europe", weight=0.5, order=8),
    ]
    route = compile_table(Policy.from_dict(policy), regions, 1).route("europe")
    assert " ".join(route.regions) == "eu-west-1 us-east-1 eu-north-1 eu-central-1 ap-southeast-1 us-west-2"


def test_a_drained_region_comes_last(policy: dict[str, Any]) -> None:
    table = compile_table(Policy.from_dict(policy), fleet(eu_west_1=0), 1)
    assert table.route("europe").regions == ("us-east-1", "us-west-2", "ap-southeast-1", "eu-west-1")
    assert table.route("europe").shares == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("algorithm", "weights", "shares"),
    [
        ("geo", {"us_east_1": 9}, (1, 0, 0, 0)),
        ("weighted", {"eu_west_1": 3, "us_east_1": 1, "us_west_2": 0, "ap_southeast_1": 0}, (0.75, 0.25, 0, 0)),
        (
            "least_connections",
            {"eu_west_1": 3, "us_east_1": 1, "us_west_2": 2, "ap_southeast_1": 2},
            (0.375, 0.125, 0.25, 0.25),
        ),
        ("round_robin", {"eu_west_1": 3}, (0.25, 0.25, 0.25, 0.25)),
        ("round_robin", {"ap_southeast_1": 0, "us_west_2": 0}, (0.5, 0.5, 0, 0)),
        ("weighted", {name.replace("-", "_"): 0 for name in GUIDE}, (0.25, 0.25, 0.25, 0.25)),
    ],
)
def test_shares(policy: dict[str, Any], algorithm: str, weights: dict[str, float], shares: tuple[float, ...]) -> None:
    policy["algorithm"] = algorithm
    table = compile_table(Policy.from_dict(policy), fleet(**weights), 1)
    assert table.route("europe").shares == shares


@pytest.mark.parametrize(
    ("country", "geography"),
    [("US", "north-america"), ("IE", "europe"), ("SG", "asia"), ("BR", "other"), ("TR", "europe"), ("XK", "other")],
)
def test_a_country_wins_over_its_continent_and_the_unknown_get_the_default(
    policy: dict[str, Any], country: str, geography: str
) -> None:
    policy["geographies"]["europe"]["countries"] = ["TR"]
    assert compile_table(Policy.from_dict(policy), fleet(), 1).route_of(country).name == geography


@pytest.mark.parametrize(
    ("regions", "words"),
    [([], "at least one region"), ([*fleet(), fleet()[0]], "each once"), (fleet()[:2], "unknown regions: eu-west-1")],
)
def test_what_makes_no_table(policy: dict[str, Any], regions: list[Region], words: str) -> None:
    policy["geographies"] = {"europe": policy["geographies"]["europe"], "other": policy["geographies"]["other"]}
    with pytest.raises(CompileError, match=words):
        compile_table(Policy.from_dict(policy), regions, 1)


def test_one_default_geography_is_needed(policy: dict[str, Any]) -> None:
    policy["geographies"]["asia"]["default"] = True
    with pytest.raises(CompileError, match="2 default geographies"):
        compile_table(Policy.from_dict(policy), fleet(), 1)


def test_tables_are_asked_by_name(policy: dict[str, Any]) -> None:
    table = compile_table(Policy.from_dict(policy), fleet(), 1)
    assert table.region("eu-west-1").geography == "europe"
    for ask in (table.region, table.route):
        with pytest.raises(KeyError):
            ask("moon")


def test_regions_and_site_are_read_from_plain_data() -> None:
    region = Region.from_dict({"name": "a", "weight": 0, "labels": {"z": 1, "b": "c"}, "unheard": True})
    assert (region.weight, region.labels) == (0, (("b", "c"), ("z", "1")))
    machine = {"name": "edge-1", "address": "10.77.201.10", "node_address": "10.77.201.2"}
    site = Site.from_dict(
        {"edges": [machine], "static_site": [machine], "networks": {"10.2.0.0/16": "US", "10.1.0.0/16": "IE"}}
    )
    assert site.edges == (Machine(**machine),)
    assert site.static_site == Machine(**machine)
    assert site.networks == (("10.1.0.0/16", "IE"), ("10.2.0.0/16", "US"))
    assert Site.from_dict({}) == Site()


NAMES = st.sampled_from([f"region-{index}" for index in range(12)])
WEIGHTS = st.sampled_from([0.0, 0.1, 1.0, 1.0, 3.0, 250.0])


@st.composite
def tables(draw: st.DrawFn) -> tuple[Policy, list[Region]]:
    """A policy that validation would let through, and its regions."""
    names = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    continents = draw(st.permutations(sorted(CONTINENTS)))
    countries = draw(st.lists(st.sampled_from(sorted(COUNTRIES)), max_size=9, unique=True))
    orders = st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)
    geographies = (
        (
            "one",
            Geography(regions=tuple(draw(orders)), continents=tuple(continents[:2]), countries=tuple(countries[:4])),
        ),
        (
            "two",
            Geography(regions=tuple(draw(orders)), continents=tuple(continents[2:4]), countries=tuple(countries[4:])),
        ),
        ("rest", Geography(regions=tuple(draw(orders)), default=True)),
    )
    regions = [
        Region(
            name=name,
            weight=draw(WEIGHTS),
            order=draw(st.integers(0, 3)),
            geography=draw(st.sampled_from(["one", "two"])),
        )
        for name in names
    ]
    return Policy(version=1, algorithm=draw(st.sampled_from(ALGORITHMS)), geographies=geographies), regions


@settings(max_examples=60, deadline=None)
@given(case=tables())
def test_every_list_holds_every_region_once_and_shares_sum_to_one(case: tuple[Policy, list[Region]]) -> None:
    policy, regions = case
    serving = {region.name for region in regions if region.weight > 0}
    for route in compile_table(policy, regions, 1).routes:
        assert sorted(route.regions) == sorted(region.name for region in regions)
        assert abs(sum(route.shares) - 1) < 1e-9
        assert len(route.shares) == len(route.regions)
        assert min(route.shares) >= 0
        if serving:
            assert set(route.regions[: len(serving)]) == serving
            assert all(share == 0 for name, share in zip(route.regions, route.shares) if name not in serving)


@settings(max_examples=60, deadline=None)
@given(case=tables())
def test_every_country_has_one_geography(case: tuple[Policy, list[Region]]) -> None:
    table = compile_table(*case, 1)
    assert sorted(code for route in table.routes for code in route.countries) == sorted(COUNTRIES)
    assert all(code in table.route(name).countries for code, name in table.countries)


@settings(max_examples=60, deadline=None)
@given(case=tables(), data=st.data())
def test_the_order_of_inputs_never_matters(case: tuple[Policy, list[Region]], data: st.DataObject) -> None:
    policy, regions = case
    table = compile_table(policy, regions, 1)
    mixed = dataclasses.replace(policy, geographies=tuple(data.draw(st.permutations(policy.geographies))))
    other = compile_table(mixed, data.draw(st.permutations(regions)), 1)
    assert dataclasses.replace(other, policy=policy) == table


def test_all_249_countries_have_one_continent() -> None:
    assert len(COUNTRIES) == 249
    assert sum(len(codes) for codes in CONTINENTS.values()) == 249
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)
    continents = [COUNTRIES[code] for code in ("US", "IE", "SG", "BR", "ZA", "AU", "AQ", "NA")]
    assert continents == ["NA", "EU", "AS", "SA", "AF", "OC", "AN", "AF"]


def test_the_default_budget(policy: dict[str, Any]) -> None:
    """Answers move within 8 s of any loss, 20 s of errors; the last resolver's copy runs out within the objective."""
    lines = budget(Policy.from_dict(policy))
    assert [(line.kind, line.detection_seconds, line.answers_seconds, line.total_seconds) for line in lines] == [
        ("killed", 6, 7, 37),
        ("packets dropped", 7, 8, 38),
        ("frozen", 7, 8, 38),
        ("failing or slow", 19, 20, 50),
    ]
    assert all(line.within_objective for line in lines)


@pytest.mark.parametrize(
    ("interval", "timeout", "layer", "killed", "dropped", "soft"),
    [(10, 6.0, "dns", (30, 70), (36, 76), (19, 70)), (20, 0.0, "load_balancer", (90, 100), (91, 101), (19, 40)),
     (60, 40.0, "dns", (120, 160), (160, 200), (19, 70))],
)  # fmt: skip
def test_the_budget_of_a_cloud_is_that_of_its_own_health_checks(
    policy: dict[str, Any], interval: int, timeout: float, layer: str, killed: Any, dropped: Any, soft: Any
) -> None:
    card = Card(name="c", layer=layer, ordered=True, shares=False, check_seconds=(10, 30), publish_seconds=10,
                check_timeout_seconds=timeout, steer_seconds=11)  # fmt: skip
    read = dataclasses.replace(Policy.from_dict(policy), health=Health(interval_seconds=interval, timeout_seconds=1))
    lines = [(line.detection_seconds, line.total_seconds) for line in budget(read, card=card)]
    assert lines == [killed, dropped, dropped, soft]
    assert budget(read, card=dataclasses.replace(card, check_seconds=())) == budget(read)


def test_a_timeout_longer_than_the_interval_counts(policy: dict[str, Any]) -> None:
    read = dataclasses.replace(
        Policy.from_dict(policy),
        health=Health(interval_seconds=2, timeout_seconds=5, failures=3),
        recovery_time_objective_seconds=47,
    )
    killed, dropped, _frozen, soft = budget(read, tick_seconds=3)
    assert (killed.detection_seconds, dropped.detection_seconds) == (15, 20)
    assert soft.detection_seconds == read.health.window_seconds + 6
    assert (killed.within_objective, dropped.within_objective) == (True, False)
