# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented traps of each back end, from records that a person might write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.cloud_dns import simulate as cloud_dns
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import pack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.front_door import (
    simulate as front_door,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import simulate as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator import (
    simulate as accelerator,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.google_lb import simulate as google_lb
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import simulate as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.memory import simulate as memory
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.places import by_distance, distance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53 import simulate as route53
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import BACKENDS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.traffic_manager import (
    simulate as traffic_manager,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import Records

from .conftest import MakeTable

Items = dict[str, dict[str, Any]]


def zone(*records: Mapping[str, Any]) -> Records:
    """Route 53 records; every name of a region has a check."""
    items: Items = {f"health_check/{name}": {"type": "HTTPS"} for name in ("a", "b")}
    items |= {f"record/{number}": dict(record) for number, record in enumerate(records)}
    return pack(1, items)


def pair(role: str, region: str, check: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "api.x.org", "set_identifier": region}
    found["routing"] = {"policy": "failover", "role": role}
    return {**found, "health_check": f"health_check/{region}"} if check else found


def test_route53_believes_a_primary_without_a_check() -> None:
    checked = zone(pair("PRIMARY", "a"), pair("SECONDARY", "b"))
    assert route53.answer(checked, {"b"}, "US") == {"b"}
    assert route53.answer(checked, set(), "US") == {"a"}, "the primary, when both are bad"
    assert route53.answer(zone(pair("PRIMARY", "a", check=False), pair("SECONDARY", "b")), {"b"}, "US") == {"a"}


def place(where: str, region: str) -> dict[str, Any]:
    return {
        "name": "api.x.org", "set_identifier": where, "alias": f"{region}.x.org", "evaluate_target_health": True,
        "routing": {"policy": "geolocation"},
    }  # fmt: skip


def region(name: str) -> dict[str, Any]:
    return {"name": f"{name}.x.org", "set_identifier": name, "routing": {"policy": "multivalue"},
            "health_check": f"health_check/{name}"}  # fmt: skip


def test_route53_goes_to_the_larger_place_and_back_to_the_smallest() -> None:
    records = zone(place("continent NA", "a"), place("default", "b"), region("a"), region("b"))
    assert route53.answer(records, {"a", "b"}, "US") == {"a"}
    assert route53.answer(records, {"b"}, "US") == {"b"}
    assert route53.answer(records, set(), "US") == {"a"}, "the smallest place, dead as it is"
    assert route53.answer(zone(place("continent NA", "a"), region("a")), {"a"}, "FR") == frozenset()
    assert route53.answer(records, {"a", "b"}, "EH") == {"b"}, "a country that it doesn't know"


def test_traffic_manager_answers_the_dead_and_nobody_elsewhere() -> None:
    profile: dict[str, Any] = {"method": "Geographic"}
    plain = {"type": "external", "status": "Enabled", "geo_mapping": ["GEO-AS"]}
    records = pack(1, {"profile/api": profile, "endpoint/api/asia": plain})
    assert traffic_manager.answer(records, set(), "SG") == {"asia"}, "healthy or not"
    assert traffic_manager.answer(records, {"asia"}, "AE") == frozenset(), "the Middle East is no part of Asia"
    assert traffic_manager.answer(records, {"asia"}, "FR") == frozenset()
    world = {**plain, "geo_mapping": ["WORLD"]}
    assert traffic_manager.answer(pack(1, {"profile/api": profile, "endpoint/api/all": world}), set(), "ZZ") == {"all"}
    off = {**plain, "status": "Disabled"}
    assert traffic_manager.answer(pack(1, {"profile/api": profile, "endpoint/api/asia": off}), {"asia"}, "SG") == set()


def group(dial: int) -> dict[str, Any]:
    return {"traffic_dial": dial}


def endpoint(code: str, weight: int = 128) -> dict[str, Any]:
    return {"group": code, "weight": weight}


def test_global_accelerator_ignores_the_dial_and_fails_open_after_three() -> None:
    codes = ("eu-west-1", "us-east-1", "us-west-2", "ap-southeast-1", "ap-southeast-2")
    items: Items = {f"endpoint_group/{code}": group(100) for code in codes}
    items |= {f"endpoint/{code}": endpoint(code) for code in codes}
    everything = pack(1, items)
    assert accelerator.answer(everything, set(codes), "IE") == {"eu-west-1"}
    assert accelerator.answer(everything, {"ap-southeast-2"}, "IE") == {"eu-west-1"}, "dead, beyond three"
    dialled = pack(1, {**items, "endpoint_group/us-east-1": group(0)})
    assert accelerator.answer(dialled, {"us-east-1", "us-west-2"}, "IE") == {"us-east-1"}
    weighed = pack(1, {**items, "endpoint/us-east-1": endpoint("us-east-1", 0)})
    assert accelerator.answer(weighed, {"us-east-1", "us-west-2"}, "IE") == {"us-west-2"}
    ramp = pack(1, {**items, "endpoint_group/eu-west-1": group(10)})
    assert accelerator.answer(ramp, set(codes), "IE") == {"eu-west-1", "us-east-1"}
    low = pack(1, {**items, **{f"endpoint_group/{code}": group(10) for code in codes}})
    assert accelerator.answer(low, set(codes), "IE") == set(codes)


def test_front_door_takes_all_as_good_when_all_are_bad() -> None:
    origin = {"priority": 1, "enabled_state": "Enabled"}
    items = {"origin/a": {**origin, "location": "eastus"}, "origin/b": {**origin, "location": "northeurope"}}
    assert front_door.answer(pack(1, items), set(), "IE") == {"b"}
    items["origin/b"] = {**items["origin/b"], "enabled_state": "Disabled"}
    assert front_door.answer(pack(1, items), {"b"}, "IE") == {"a"}
    assert front_door.answer(pack(1, {}), set(), "IE") == frozenset()


def test_google_gives_scaler_zero_nothing_and_spills_over_a_low_one() -> None:
    def service(near: float, **url_map: Any) -> Records:
        far = {"location": "us-east4", "capacity_scaler": 1.0}
        own = {"location": "europe-west1", "capacity_scaler": near}
        return pack(1, {"backend/near": own, "backend/far": far, "url_map": url_map})

    assert google_lb.answer(service(0.0), {"near"}, "FR") == frozenset(), "503, even as the last one alive"
    assert google_lb.answer(service(0.0, custom_error_response={}), {"near"}, "FR") == {"static"}
    assert google_lb.answer(service(0.3), {"near", "far"}, "FR") == {"near", "far"}
    assert google_lb.answer(service(1.0), {"near", "far"}, "FR") == {"near"}


def test_cloud_dns_falls_back_to_the_nearest_and_never_to_the_static_site() -> None:
    geo = {"europe-west1": {"eu": "x"}, "us-east4": {"us": "y"}}
    both = {"primary_backup": {"primary": {"edge": "z"}, "backup_geo": geo}}
    records = pack(1, {"record/api.x.org/A": {"routing_policy": both}})
    assert cloud_dns.answer(records, {"edge", "us"}, "FR") == {"edge"}
    assert cloud_dns.answer(records, {"us"}, "FR") == {"us"}
    assert cloud_dns.answer(records, set(), "FR") == {"eu"}
    alone = {"primary_backup": {"primary": {"edge": "z"}, "backup_geo": {}}}
    assert cloud_dns.answer(pack(1, {"record/api.x.org/A": {"routing_policy": alone}}), set(), "FR") == {"edge"}


def spoilt(name: str, records: Records, old: str, new: str) -> Records:
    """Records whose texts say something else."""
    assert any(old in text for _key, text in records.items), f"{name} doesn't hold {old}"
    return Records(generation=1, items=tuple((key, text.replace(old, new)) for key, text in records.items))


def test_gdnsd_answers_the_first_of_a_list_that_is_down(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    records = BACKENDS["gdnsd"].desired(table, site, {})
    assert gdnsd.answer(records, set(), "IE") == {"static"}
    without = Site(edges=site.edges)
    records = BACKENDS["gdnsd"].desired(table, without, {})
    assert gdnsd.answer(records, set(), "IE") == frozenset(), "the load balancer, with no edge to name"
    door = {"chain": ["regions", "static_site"]}
    records = BACKENDS["gdnsd"].desired(make_table(door=door), without, {})
    assert gdnsd.answer(records, set(), "IE") == {"eu-west-1"}


def test_memory_does_what_the_policy_says(make_table: MakeTable, site: Site) -> None:
    records = BACKENDS["memory"].desired(make_table(), site, {"eu-west-1": 0.1})
    assert memory.answer(records, {"eu-west-1", "us-west-2"}, "IE") == {"eu-west-1", "us-west-2"}
    assert memory.answer(records, set(), "IE") == {"static"}


def test_haproxy_is_read_from_its_own_rules(make_table: MakeTable, site: Site) -> None:
    records = BACKENDS["haproxy"].desired(make_table(), site, {"eu-west-1": 0.1})
    everything = {"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"}
    assert haproxy.answer(records, everything, "IE") == {"eu-west-1", "us-east-1"}
    assert haproxy.answer(records, {"edge-1"}, "IE") == {"static"}
    weights = dict.fromkeys(everything, 0.0)
    weighted = BACKENDS["haproxy"].desired(make_table(algorithm="weighted"), site, {**weights, "us-west-2": 1})
    assert haproxy.answer(weighted, everything, "IE") == {"us-west-2"}
    assert haproxy.answer(weighted, everything - {"us-west-2"}, "IE") == {"eu-west-1"}, "the order of last resort"
    strange = spoilt("haproxy", weighted, "nbsrv eq 0", "nbsrv lt 1")
    with pytest.raises(ValueError, match="isn't understood here: nbsrv lt 1"):
        haproxy.answer(strange, everything - {"us-west-2"}, "IE")


def test_distances_are_those_of_a_globe() -> None:
    assert by_distance("IE", ["us-west-2", "eu-west-1", "us-east-1"]) == ("eu-west-1", "us-east-1", "us-west-2")
    assert by_distance("ZZ", ["b", "a"]) == ("a", "b")
    assert distance((0, 179), (0, -179)) == pytest.approx(distance((0, 1), (0, -1)))
    assert distance((0, 0), (0, 180)) == pytest.approx(3.14159, abs=1e-4)


@pytest.mark.parametrize("name", BACKENDS)
def test_records_are_canonical_and_the_same_for_the_same_policy(make_table: MakeTable, site: Site, name: str) -> None:
    table = make_table()
    records = BACKENDS[name].desired(table, site, {"eu-west-1": 0.0})
    assert records == BACKENDS[name].desired(table, site, {"eu-west-1": 0.0}) and records.generation == 7
    assert list(records.items) == sorted(records.items)
    for _key, text in records.items:
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
