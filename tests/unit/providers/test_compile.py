# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the compilers publish, what an eviction changes of it, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import under, unpack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.compile import locations
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import BACKENDS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.traffic_manager.card import GROUPINGS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import CompileError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Region,
    RoutingTable,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.steering import BACKENDS as NAMES

from .conftest import MakeTable

ROOT = Path(__file__).resolve().parents[3]
CLOUDS = ("route53", "global_accelerator", "cloud_dns", "google_lb", "traffic_manager", "front_door")


def held(
    name: str, table: RoutingTable, site: Site, admissions: Mapping[str, float] | None = None
) -> Mapping[str, Any]:
    return unpack(BACKENDS[name].desired(table, site, admissions or {}))


def test_the_table_holds_every_back_end_and_its_page() -> None:
    assert tuple(BACKENDS) == NAMES
    for name in CLOUDS:
        card = BACKENDS[name].card
        page = (ROOT / f"docs/providers/{name}.md").read_text(encoding="utf-8")
        assert card.source and set(card.unsupported_countries) <= set(COUNTRIES)
        assert all(code in page for code in card.unsupported_countries)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("route53", {"admission/eu-west-1"}),
        ("traffic_manager", {"endpoint/region-eu-west-1/eu-west-1"}),
        ("global_accelerator", {"endpoint/eu-west-1"}),
        ("google_lb", {"backend/eu-west-1"}),
        ("front_door", {"origin/eu-west-1"}),
        ("cloud_dns", {"record/api.llm-verifier.com/A"}),
    ],
)
def test_an_eviction_changes_one_record(make_table: MakeTable, site: Site, name: str, keys: set[str]) -> None:
    table = make_table({"eu-west-1": 7})
    before, after = held(name, table, site), held(name, table, site, {"eu-west-1": 0.0})
    assert before.keys() == after.keys()
    assert {key for key in before if before[key] != after[key]} == keys


@pytest.mark.parametrize("name", CLOUDS)
def test_when_all_are_evicted_something_is_left(make_table: MakeTable, site: Site, name: str) -> None:
    table = make_table()
    records = BACKENDS[name].desired(table, site, dict.fromkeys((region.name for region in table.regions), 0.0))
    assert BACKENDS[name].resolver(records)({"eu-west-1"}, "IE") == {"eu-west-1"}


@pytest.mark.parametrize("name", CLOUDS)
def test_regions_without_an_address_are_refused(make_table: MakeTable, site: Site, name: str) -> None:
    table = make_table()
    blank = replace(table, regions=(replace(table.regions[0], endpoint=""), *table.regions[1:]))
    with pytest.raises(CompileError, match="regions without an endpoint: us-east-1"):
        BACKENDS[name].desired(blank, site, {})


def test_route53_has_a_pair_at_every_name_and_shallow_lists(make_table: MakeTable, site: Site) -> None:
    records = under(held("route53", make_table(), site), "record")
    names: dict[str, list[str]] = {}
    for item in records.values():
        if item.get("routing", {}).get("policy") == "failover":
            names.setdefault(item["name"], []).append(item["routing"]["role"])
    assert all(sorted(roles) == ["PRIMARY", "SECONDARY"] for roles in names.values())
    aliases = {(item["name"], item["alias"]) for item in records.values() if "alias" in item}
    depth, reached = 0, {"api.llm-verifier.com"}
    while reached:
        depth, reached = depth + 1, {alias for name, alias in aliases if name in reached}
    assert depth <= 6, "the edges, four regions twice and the static site are ten leaves: four halvings below a name"
    identifiers = [(item["name"], item["set_identifier"]) for item in records.values() if "set_identifier" in item]
    assert len(identifiers) == len(set(identifiers))


def test_route53_checks_everything_but_the_static_site(make_table: MakeTable, site: Site) -> None:
    items = held("route53", make_table(health={"interval_seconds": 20}), site)
    answers = [item for item in under(items, "record").values() if "values" in item and "set_identifier" in item]
    assert {item["set_identifier"] for item in answers if "health_check" not in item} == {"static"}
    assert all(item["health_check"] in items for item in answers if "health_check" in item)
    checks = under(items, "health_check").values()
    assert {item["interval"] for item in checks if item["type"] == "HTTPS"} == {30}
    assert {item["interval"] for item in checks if "search" in item} == {10}, "evictions don't wait for a slow policy"


def test_route53_takes_names_as_aliases_and_refuses_what_it_can_t_hold(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    named = replace(table, regions=tuple(replace(item, endpoint=f"{item.name}.elb.aws") for item in table.regions))
    aliases = [item["alias"] for item in under(held("route53", named, site), "record").values() if "alias" in item]
    assert "eu-west-1.elb.aws" in aliases
    six = replace(table, regions=tuple(replace(item, endpoint="2001:db8::1") for item in table.regions))
    with pytest.raises(CompileError, match="IPv4"):
        BACKENDS["route53"].desired(six, site, {})
    with pytest.raises(CompileError, match="several edges by their addresses"):
        BACKENDS["route53"].desired(table, replace(site, edges=(Machine(name="e", address="lb.x.org"),)), {})


def test_route53_counts_its_records_of_a_name(make_table: MakeTable, site: Site) -> None:
    half = sorted(COUNTRIES)[::2]
    geographies = {
        "some": {"countries": half, "regions": ["eu-west-1"]}, "other": {"default": True, "regions": ["us-east-1"]},
    }  # fmt: skip
    with pytest.raises(CompileError, match="at most 100 geolocation records of a name"):
        BACKENDS["route53"].desired(make_table(geographies=geographies), site, {})


def test_refused_countries_have_no_record(make_table: MakeTable, site: Site) -> None:
    places = locations(make_table())
    assert not [code for code in BACKENDS["route53"].card.unsupported_countries if f"country {code}" in places]
    assert places["country TR"] == "asia" and places["continent EU"] == "europe"
    mapped = [
        code
        for key, item in held("traffic_manager", make_table(), site).items()
        if key.startswith("endpoint/api/")
        for code in item["geo_mapping"]
    ]
    assert len(mapped) == len(set(mapped)) and set(mapped) - {"WORLD"} <= set(GROUPINGS)
    assert "WORLD" in mapped and BACKENDS["traffic_manager"].card.unsupported_countries == ("EH",)


def test_traffic_manager_has_no_profile_that_nobody_is_mapped_to(make_table: MakeTable) -> None:
    geographies = {
        "sahara": {"countries": ["EH"], "regions": ["eu-west-1"]}, "other": {"default": True, "regions": ["us-east-1"]},
    }  # fmt: skip
    items = held("traffic_manager", make_table(geographies=geographies), Site())
    assert [key for key in items if key.startswith("endpoint/api/")] == ["endpoint/api/other"]


@pytest.mark.parametrize(("interval", "found", "timeout"), [(2, 10, 5), (10, 10, 9), (60, 30, 10)])
def test_traffic_manager_probes_as_it_can(
    make_table: MakeTable, site: Site, interval: int, found: int, timeout: int
) -> None:
    health = {"interval_seconds": interval, "timeout_seconds": interval - 1, "failures": 3}
    monitor = held("traffic_manager", make_table(health=health), site)["profile/api"]["monitor"]
    assert (monitor["interval"], monitor["timeout"], monitor["tolerated_failures"]) == (found, timeout, 2)


def test_front_door_and_traffic_manager_have_limits(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    many = tuple(Region(name=f"r{number}", endpoint="10.0.0.1", location="eastus") for number in range(300))
    for name in ("front_door", "traffic_manager"):
        with pytest.raises(CompileError, match=f"{name} takes at most"):
            BACKENDS[name].desired(replace(table, regions=many), site, {})


def test_ramps_are_dials_and_scalers(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    dials = {ratio: held("global_accelerator", table, site, {"eu-west-1": ratio}) for ratio in (0.001, 0.5, 1.0)}
    assert [items["endpoint_group/eu-west-1"]["traffic_dial"] for items in dials.values()] == [1, 50, 100]
    assert all(items["endpoint/eu-west-1"]["weight"] == 128 for items in dials.values())
    out = held("global_accelerator", table, site, {"eu-west-1": 0.0})
    assert out["endpoint/eu-west-1"]["weight"] == 0 and out["endpoint_group/eu-west-1"]["traffic_dial"] == 100
    scaled = held("google_lb", table, site, {"eu-west-1": 0.01, "us-east-1": 0.5})
    assert [scaled[f"backend/{name}"]["capacity_scaler"] for name in ("eu-west-1", "us-east-1")] == [0.1, 0.5]


def test_cloud_dns_answers_each_region_from_a_location_of_google(make_table: MakeTable, site: Site) -> None:
    table = make_table(more={"europe-west1": "europe"})
    policy = held("cloud_dns", table, site)["record/api.llm-verifier.com/A"]["routing_policy"]
    assert set(policy["primary_backup"]["primary"]) == {"edge-1", "edge-2"}
    geo = policy["primary_backup"]["backup_geo"]
    assert {tuple(names): code for code, names in geo.items()}[("europe-west1",)] == "europe-west1"
    assert sorted(name for names in geo.values() for name in names) == sorted(region.name for region in table.regions)
    bare = held("cloud_dns", table, Site())["record/api.llm-verifier.com/A"]["routing_policy"]
    assert bare == {"geo": geo}
    static = replace(site, edges=())
    door = {"chain": ["load_balancer", "static_site"]}
    only = held("cloud_dns", make_table(door=door), static)["record/api.llm-verifier.com/A"]["routing_policy"]
    assert only == {"geo": {"us-central1": {"static": "10.1.211.10"}}}


def test_keys_are_plain(make_table: MakeTable, site: Site) -> None:
    """Names of records are what the later calls need: letters, digits, dots, hyphens, slashes and a star."""
    for name in CLOUDS:
        assert all(re.fullmatch(r"[a-zA-Z0-9_./* -]+", key) for key in held(name, make_table(), site))
