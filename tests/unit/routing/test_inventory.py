# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of an inventory is told with its host and key, and nothing else is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import Problem, report
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.validate import validate
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import CLUSTER_NETWORKS

ROOT = Path(__file__).resolve().parents[3]
Data = dict[str, Any]
Hosts = dict[str, Data]
Spoil = Callable[[Hosts], object]


def facts(name: str, **values: object) -> Spoil:
    return lambda hosts: hosts[name].update(values)


def every(**values: object) -> Spoil:
    return lambda hosts: [host.update(values) for host in hosts.values()]


def drop(name: str, *keys: str) -> Spoil:
    return lambda hosts: [hosts[name].pop(key) for key in keys]


def group(name: str, add: str = "", remove: str = "") -> Spoil:
    def spoil(hosts: Hosts) -> None:
        hosts[name]["groups"] = sorted({*hosts[name]["groups"], add} - {remove, ""})

    return spoil


def rename(old: str, new: str) -> Spoil:
    def spoil(hosts: Hosts) -> None:
        hosts[new] = hosts.pop(old)

    return spoil


def both(*spoils: Spoil) -> Spoil:
    return lambda hosts: [spoil(hosts) for spoil in spoils]


CASES: dict[str, tuple[Spoil, list[tuple[str, str, str]]]] = {
    "two primaries": (
        both(group("us-west-2", "primary", "secondary")),
        [("", "groups.primary", "primary-count")],
    ),
    "no primary": (group("us-east-1", "secondary", "primary"), [("", "groups.primary", "primary-count")]),
    "primary and secondary": (group("us-east-1", "secondary"), [("us-east-1", "groups", "primary-or-secondary")]),
    "neither of them": (group("us-west-2", "", "secondary"), [("us-west-2", "groups", "primary-or-secondary")]),
    "a secondary that is no region": (group("static-1", "secondary"), [("static-1", "groups", "not-a-region")]),
    "two purposes": (
        group("edge-1", "clients"),
        [
            ("edge-1", "client_country", "variable-missing"),
            ("edge-1", "groups", "two-purposes"),
        ],
    ),
    "no provider": (group("us-west-2", "", "local"), [("us-west-2", "groups", "provider-group")]),
    "two providers": (group("us-west-2", "aws"), [("us-west-2", "groups", "provider-group")]),
    "provider against its group": (
        facts("us-west-2", region_provider="aws"),
        [("us-west-2", "region_provider", "provider-conflict")],
    ),
    "unknown provider": (
        facts("us-west-2", region_provider="openstack"),
        [("us-west-2", "region_provider", "variable-wrong-value")],
    ),
    "cloud_provider without a region": (every(cloud_provider="aws"), [("", "cloud_provider", "cloud-provider")]),
    "unknown cloud_provider": (every(cloud_provider="openstack"), [("", "cloud_provider", "variable-wrong-value")]),
    "missing geography": (
        drop("us-west-2", "region_geography"),
        [("us-west-2", "region_geography", "variable-missing")],
    ),
    "neither endpoint nor kubeconfig": (
        drop("us-west-2", "region_endpoint", "region_kubeconfig"),
        [("us-west-2", "region_endpoint", "variable-missing"), ("us-west-2", "region_kubeconfig", "variable-missing")],
    ),
    "no folder for what is kept": (
        lambda hosts: [facts.pop("local_state_dir") for facts in hosts.values()],
        [("", "local_state_dir", "variable-missing")],
    ),
    "a certificate from nowhere": (
        every(certificates_source="letsencrypt"),
        [("", "certificates_source", "variable-wrong-value")],
    ),
    "unknown geography": (
        facts("us-west-2", region_geography="moon"),
        [("us-west-2", "region_geography", "geography-unknown")],
    ),
    "weight is a text": (
        facts("us-west-2", region_weight="2"),
        [("us-west-2", "region_weight", "variable-wrong-value")],
    ),
    "negative weight": (facts("us-west-2", region_weight=-1), [("us-west-2", "region_weight", "variable-wrong-value")]),
    "no capacity": (
        facts("us-west-2", region_capacity_rps=0),
        [("us-west-2", "region_capacity_rps", "variable-wrong-value")],
    ),
    "label": (
        facts("us-west-2", region_labels={"team": "a b"}),
        [("us-west-2", "region_labels.team", "variable-wrong-value")],
    ),
    "label's name": (
        facts("us-west-2", region_labels={"-team": "ab"}),
        [("us-west-2", "region_labels.-team", "variable-wrong-value")],
    ),
    "alias of another region": (
        facts("us-west-2", region_context_aliases=["aws-us-east-1"]),
        [("us-west-2", "region_context_aliases", "alias-twice")],
    ),
    "alias is another region's name": (
        facts("us-west-2", region_context_aliases=["us-east-1"]),
        [("us-west-2", "region_context_aliases", "alias-twice")],
    ),
    "aliases are no list": (
        facts("us-west-2", region_context_aliases="west"),
        [("us-west-2", "region_context_aliases", "variable-wrong-value")],
    ),
    "subnet twice": (
        facts("us-west-2", node_subnet=1, node_address="10.77.1.2", region_endpoint="10.77.1.10"),
        [("us-west-2", "node_subnet", "subnet-twice")],
    ),
    "subnet out of range": (
        facts("us-west-2", node_subnet=255),
        [("us-west-2", "node_subnet", "variable-wrong-value")],
    ),
    "subnet of the host": (facts("us-west-2", node_subnet=0), [("us-west-2", "node_subnet", "variable-wrong-value")]),
    "subnet is a truth": (facts("us-west-2", node_subnet=True), [("us-west-2", "node_subnet", "variable-wrong-value")]),
    "no subnet": (
        both(
            drop("us-west-2", "node_subnet", "node_address", "region_endpoint"),
            facts(
                "us-west-2",
                undefined={
                    "node_address": "'node_subnet' is undefined",
                    "region_endpoint": "'node_subnet' is undefined",
                    "region_labels": "'team' is undefined",
                },
            ),
        ),
        [("us-west-2", "node_subnet", "variable-missing"), ("us-west-2", "region_labels", "variable-undefined")],
    ),
    "something undefined": (
        facts("us-west-2", undefined={"region_endpoint": "'zone' is undefined"}),
        [("us-west-2", "region_endpoint", "variable-undefined")],
    ),
    "address twice": (
        facts("us-west-2", region_endpoint="10.77.1.10"),
        [("us-west-2", "region_endpoint", "address-twice")],
    ),
    "mistyped": (facts("us-west-2", unknown=["region_wieght"]), [("us-west-2", "region_wieght", "variable-unknown")]),
    "far from everything": (facts("us-west-2", unknown=["xyz"]), [("us-west-2", "xyz", "variable-unknown")]),
    "no label": (rename("client-eu", "client_eu"), [("client_eu", "inventory_hostname", "name-form")]),
    "reserved": (rename("client-eu", "wan"), [("wan", "inventory_hostname", "name-reserved")]),
    "a group's name": (rename("client-eu", "edge"), [("edge", "inventory_hostname", "name-reserved")]),
    "too long with the instance": (rename("client-eu", "c" * 59), [("c" * 59, "inventory_hostname", "name-long")]),
    "client of nowhere": (drop("client-eu", "client_country"), [("client-eu", "client_country", "variable-missing")]),
    "client of Norway": (
        facts("client-eu", client_country=False),
        [("client-eu", "client_country", "variable-wrong-value")],
    ),
    "no edge": (
        both(lambda hosts: hosts.pop("edge-1"), lambda hosts: hosts.pop("edge-2")),
        [("", "groups.edge", "no-edge")],
    ),
    "no static site": (lambda hosts: hosts.pop("static-1"), [("", "groups.static_site", "static-site-count")]),
    "instance name": (every(local_instance_name="LLMV"), [("", "local_instance_name", "variable-wrong-value")]),
    "public prefix": (every(local_network_prefix="8.8"), [("", "local_network_prefix", "variable-wrong-value")]),
    "prefix without quotes": (
        every(local_network_prefix=10.77),
        [("", "local_network_prefix", "variable-wrong-value")],
    ),
    "relative folder": (every(local_state_dir="state"), [("", "local_state_dir", "variable-wrong-value")]),
    "the Services' network": (
        every(local_network_prefix="10.96"),
        [("", "local_network_prefix", "network-overlap")],
    ),
    "the pods' network": (every(local_network_prefix="10.244"), [("", "local_network_prefix", "network-overlap")]),
    "the pods' network of one region": (
        facts("us-west-2", region_cluster_pod_network="10.64.0.0/12"),
        [("", "local_network_prefix", "network-overlap")],
    ),
    "pods among Services": (
        facts("us-west-2", region_cluster_pod_network="10.96.128.0/17"),
        [("us-west-2", "region_cluster_service_network", "network-overlap")],
    ),
    "pods nowhere": (
        facts("us-west-2", region_cluster_pod_network="10.244.0.0"),
        [("us-west-2", "region_cluster_pod_network", "network-form")],
    ),
    "Services inside of a network": (
        facts("us-west-2", region_cluster_service_network="10.96.0.1/16"),
        [("us-west-2", "region_cluster_service_network", "network-form")],
    ),
    "Services of IPv6": (
        facts("us-west-2", region_cluster_service_network="fd00::/108"),
        [("us-west-2", "region_cluster_service_network", "network-form")],
    ),
    "pods undefined": (
        facts(
            "us-west-2", region_cluster_pod_network=None, undefined={"region_cluster_pod_network": "'x' is undefined"}
        ),
        [("us-west-2", "region_cluster_pod_network", "variable-undefined")],
    ),
    "cache in the state": (
        every(local_state_dir="/srv/llmv", local_cache_dir="/srv/llmv/cache"),
        [("", "local_cache_dir", "cache-in-state")],
    ),
    "cache in the state by a detour": (
        every(local_state_dir="/srv//llmv", local_cache_dir="/srv/x/../llmv"),
        [("", "local_cache_dir", "cache-in-state")],
    ),
    "skip flag": (every(skip_monitoring="maybe"), [("", "skip_monitoring", "variable-wrong-value")]),
    "registry with a scheme": (every(registry="https://r.example"), [("", "registry", "variable-wrong-value")]),
    "wave of none": (every(regional_deploy_wave_size=0), [("", "regional_deploy_wave_size", "variable-wrong-value")]),
    "everything may fail": (
        every(regional_deploy_max_failed_regions=4),
        [("", "regional_deploy_max_failed_regions", "max-failed")],
    ),
    "failures as a text": (
        every(regional_deploy_max_failed_regions="one"),
        [("", "regional_deploy_max_failed_regions", "variable-wrong-value")],
    ),
    "generated by chance": (every(secrets_generate="perhaps"), [("", "secrets_generate", "variable-wrong-value")]),
    "hosts disagree": (facts("edge-1", skip_monitoring=True), [("", "skip_monitoring", "differs")]),
    "no key for one": (
        facts("us-west-2", secrets={"generate": False, "jwt-secret": False}),
        [("us-west-2", "secrets_values.jwt-secret", "jwt-secret")],
    ),
    "no key for all": (every(secrets={"generate": False}), [("", "secrets_values.jwt-secret", "jwt-secret")]),
    "all drained": (every(region_weight=0), [("", "region_weight", "all-drained")]),
}

ALLOWED: dict[str, Spoil] = {
    "nothing spoilt": lambda hosts: None,
    "one region drained": facts("us-west-2", region_weight=0),
    "weights are ratios too": facts("us-west-2", region_weight=0.25),
    "flags from the command line": every(skip_monitoring="Yes"),
    "the same flag said in two ways": both(every(skip_monitoring="true"), facts("edge-1", skip_monitoring=True)),
    "provider of the group": every(cloud_provider="local"),
    "no provider chosen": every(cloud_provider=""),
    "registry with port and path": every(registry="10.77.210.10:5000/team"),
    "state in the cache": every(local_state_dir="/srv/cache/llmv", local_cache_dir="/srv/cache"),
    "folders beside each other": every(local_state_dir="/srv/llm", local_cache_dir="/srv/llm-cache"),
    "Services elsewhere": both(
        every(local_network_prefix="10.96"), every(region_cluster_service_network="10.112.0.0/16")
    ),
    "key given": every(secrets={"generate": False, "jwt-secret": True}),
    "three of four may fail": every(regional_deploy_max_failed_regions=3),
    "longest name": rename("client-eu", "c" * 58),
    "a host that is none of ours": lambda hosts: hosts.update({"Bastion_1": {"groups": ["all"]}}),
}


@pytest.mark.parametrize("name", CASES)
def test_faults(hosts: Hosts, policy: Data, name: str) -> None:
    spoil, expected = CASES[name]
    spoil(hosts)
    found = validate(hosts, policy)
    assert [(problem.host, problem.key, problem.id) for problem in found] == sorted(expected)
    assert all(problem.wrong and problem.allowed and problem.mend for problem in found)


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(hosts: Hosts, policy: Data, name: str) -> None:
    ALLOWED[name](hosts)
    assert validate(hosts, policy) == ()


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("10.0", True), ("10.255", True), ("172.16", True), ("172.31", True), ("192.168", True), ("100.64", True),
        ("100.127", True), ("198.18", True), ("10.256", False), ("172.15", False), ("172.32", False),
        ("192.167", False),
        ("100.63", False), ("100.128", False), ("198.20", False), ("10.77.0", False), ("10", False), ("127.0", False),
    ],
)  # fmt: skip
def test_an_instance_has_a_private_network(hosts: Hosts, policy: Data, prefix: str, allowed: bool) -> None:
    every(local_network_prefix=prefix)(hosts)
    assert (validate(hosts, policy) == ()) is allowed


def test_a_network_that_is_taken_is_told_with_what_is_allowed(hosts: Hosts, policy: Data) -> None:
    every(local_network_prefix="10.96")(hosts)
    (problem,) = validate(hosts, policy)
    assert problem.wrong == "10.96.0.0/16 overlaps 10.96.0.0/16, the regions' region_cluster_service_network"
    assert problem.allowed == "a /16 that meets neither pods nor Services, such as 10.77; not 10.96"


def test_networks_of_pods_and_services_are_the_roles_own() -> None:
    defaults = yaml.safe_load((ROOT / "roles/region_cluster/defaults/main.yml").read_text(encoding="utf-8"))
    assert {key: defaults[key] for key in CLUSTER_NETWORKS} == CLUSTER_NETWORKS


def test_an_empty_inventory_has_no_region(policy: Data) -> None:
    found = {(problem.id, problem.key) for problem in validate({}, policy) if problem.id != "region-unknown"}
    assert found == {("no-region", "groups.regions"), ("primary-count", "groups.primary")}


def test_a_mixed_fleet_keeps_each_regions_provider(hosts: Hosts, policy: Data) -> None:
    """cloud_provider selects; a region of another provider is none of its business, and clouds need no edge hosts."""
    for name in ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"):
        provider = "gcp" if name == "eu-west-1" else "aws"
        group(name, provider, "local")(hosts)
        group(name, "", "local_nodes")(hosts)
        hosts[name].update(region_provider=provider, cloud_provider="aws", undefined={"node_address": "no subnet"})
        for key in ("node_subnet", "node_address", "node_public_address"):
            del hosts[name][key]
    for name in ("edge-1", "edge-2", "static-1"):
        del hosts[name]
    assert [(problem.key, problem.id) for problem in validate(hosts, policy)] == [
        ("certificates_source", "certificate")
    ]
    every(certificates_source="files")(hosts)
    assert validate(hosts, policy) == ()
    hosts["eu-west-1"]["cloud_provider"] = "azure"
    assert {problem.id for problem in validate(hosts, policy)} == {"cloud-provider", "differs"}


def test_everything_is_told_at_once(hosts: Hosts, policy: Data) -> None:
    names = [
        "two primaries",
        "no capacity",
        "subnet of the host",
        "no static site",
        "skip flag",
        "mistyped",
        "no label",
    ]
    for name in names:
        CASES[name][0](hosts)
    found = {(problem.host, problem.key, problem.id) for problem in validate(hosts, policy)}
    assert found == {fault for name in names for fault in CASES[name][1]}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(sorted(CASES)), max_size=4, unique=True), data=st.data())
def test_the_order_of_hosts_never_matters(hosts: Hosts, policy: Data, names: list[str], data: st.DataObject) -> None:
    spoilt = copy.deepcopy(hosts)
    for name in names:
        try:
            CASES[name][0](spoilt)
        except KeyError:  # an earlier fault took away what this one spoils
            continue
    shuffled = dict(data.draw(st.permutations(list(spoilt.items()))))
    assert validate(shuffled, policy) == validate(spoilt, policy)


def test_a_report_reads_well() -> None:
    one = Problem("", "routing_policy.ttl", "x", "is wrong", "right", "right it")
    two = Problem("eu-west-1", "region_weight", "y", "is wrong", "right", "right it")
    assert report([one]).splitlines()[0] == "1 problem in inventory and policy:"
    assert report([two, one]).splitlines() == [
        "2 problems in inventory and policy:",
        "  routing_policy.ttl: is wrong [x]",
        "    allowed: right",
        "    mend: right it",
        "  eu-west-1: region_weight: is wrong [y]",
        "    allowed: right",
        "    mend: right it",
    ]
