# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter routing_inputs picks, and that a secret's value is never among it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleFilterError, AnsibleUndefinedVariable
from jinja2 import StrictUndefined

from ansible_collections.llm_verifier.multi_region.plugins.filter.routing_inputs import FilterModule
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import SECRETS_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
FILTER = FilterModule().filters()["routing_inputs"]
GROUPS = {
    "all": ["us-east-1", "eu-west-1", "edge-1", "static-1", "client-eu", "client-nowhere"],
    "regions": ["us-east-1", "eu-west-1"],
    "primary": ["us-east-1"],
    "local_nodes": ["us-east-1", "eu-west-1", "edge-1", "static-1", "client-eu"],
    "edge": ["edge-1"],
    "static_site": ["static-1"],
    "clients": ["client-eu", "client-nowhere", "client-gone"],
}


def inventory() -> dict[str, dict[str, Any]]:
    """Host variables with more in them than the filter may show."""
    door = {"networks": {"10.5.0.0/16": "SG"}, "trusted_proxies": ["10.6.0.0/24"]}
    common = {
        "routing_policy": {"front_door": door},
        "ansible_password": "hunter2",
        "secrets_values": {"jwt-secret": "s3cret"},
    }
    made: dict[str, dict[str, Any]] = {}
    for subnet, name in enumerate(GROUPS["all"], start=1):
        made[name] = {
            **common,
            "node_subnet": subnet,
            "node_address": f"10.77.{subnet}.2",
            "node_public_address": f"10.77.{subnet}.10",
            "node_network": f"10.77.{subnet}.0/24",
        }
    for name in GROUPS["regions"]:
        made[name] |= {"region_geography": "europe", "region_weight": 0, "region_labels": {"team": "ml"}}
    made["client-eu"]["client_country"] = "IE"
    return made


def test_it_picks_regions_front_door_and_networks() -> None:
    found = FILTER(inventory(), GROUPS)
    assert [(region["name"], region["order"], region["primary"], region["weight"]) for region in found["regions"]] == [
        ("us-east-1", 0, True, 0),
        ("eu-west-1", 1, False, 0),
    ]
    assert found["edges"] == [{"name": "edge-1", "address": "10.77.3.10", "node_address": "10.77.3.2"}]
    assert [machine["name"] for machine in found["static_site"]] == ["static-1"]
    assert found["networks"] == {"10.5.0.0/16": "SG", "10.77.5.0/24": "IE"}, "client-nowhere has no country"
    assert found["trusted_proxies"] == ["10.6.0.0/24"]
    assert found["groups"]["clients"] == ["client-eu", "client-nowhere"]
    assert found["hosts"]["eu-west-1"]["groups"] == ["all", "local_nodes", "regions"]


def test_no_secret_is_in_it() -> None:
    found = FILTER(inventory(), GROUPS)
    assert "s3cret" not in repr(found)
    assert "hunter2" not in repr(found)
    assert found["hosts"]["eu-west-1"]["secrets"] == {"jwt-secret": True, "generate": True}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"secrets_values": {"jwt-secret": ""}, "secrets_generate": False}, {"generate": False}),
        ({"secrets_values": None, "secrets_generate": "no"}, {"generate": False}),
        ({"secrets_values": {}, "secrets_generate": "yes"}, {"generate": True}),
        ({"secrets_values": {}, "secrets_region_values": {"jwt-secret": "x"}}, {"jwt-secret": True, "generate": True}),
        ({"secrets_values": {}, "secrets_files": {"jwt-secret": "/a"}}, {"jwt-secret": True, "generate": True}),
        ({"secrets_values": {}, "secrets_environment": {"a": "SET", "b": "EMPTY"}}, {"a": True, "generate": True}),
    ],
)
def test_secrets_are_named_and_counted(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], expected: dict[str, bool]
) -> None:
    monkeypatch.setenv("SET", "x")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("JWT_SECRET", raising=False)
    hostvars = inventory()
    hostvars["eu-west-1"] |= values
    assert FILTER(hostvars, GROUPS)["hosts"]["eu-west-1"]["secrets"] == expected


def test_the_environment_is_looked_at_as_the_role_does(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = yaml.safe_load((ROOT / "roles/secrets/defaults/main.yml").read_text(encoding="utf-8"))
    assert SECRETS_ENVIRONMENT.items() <= defaults["secrets_environment"].items()
    monkeypatch.setenv("JWT_SECRET", "x")
    hostvars = inventory()
    hostvars["eu-west-1"]["secrets_values"] = {}
    for own, given in (({}, True), ({"openai-api-key": "OTHER"}, True), ({"jwt-secret": ""}, None)):
        hostvars["eu-west-1"]["secrets_environment"] = own  # adds to the default names; an empty one asks for nothing
        assert FILTER(hostvars, GROUPS)["hosts"]["eu-west-1"]["secrets"].get("jwt-secret") is given


@pytest.mark.parametrize(
    "policy", [None, {"front_door": None}, {"front_door": {"networks": [], "trusted_proxies": "x"}}]
)
def test_a_wrong_policy_is_left_to_validation(policy: object) -> None:
    hostvars = inventory()
    for facts in hostvars.values():
        facts["routing_policy"] = policy
    found = FILTER(hostvars, GROUPS)
    assert found["networks"] == {"10.77.5.0/24": "IE"}
    assert found["trusted_proxies"] == []


def test_mistyped_variables_are_seen_and_others_left_alone() -> None:
    hostvars = inventory()
    hostvars["eu-west-1"] |= {"region_wieght": 3, "region_cluster_version": 1, "weight": 1}
    assert FILTER(hostvars, GROUPS)["hosts"]["eu-west-1"]["unknown"] == ["region_wieght"]


class Failing(dict[str, Any]):
    """Host variables whose templates fail when they are read."""

    def __getitem__(self, name: str) -> Any:
        if name == "region_endpoint":
            raise AnsibleUndefinedVariable("'zone' is undefined")
        if name == "region_labels":
            return {"team": [StrictUndefined(name="team")]}
        if name == "secrets_values":
            raise AnsibleError("no vault password for s3cret")
        return super().__getitem__(name)


def test_what_can_not_be_worked_out_is_told_without_secrets() -> None:
    hostvars = inventory()
    hostvars["eu-west-1"] = Failing(hostvars["eu-west-1"] | {"region_endpoint": ""})
    found = FILTER(hostvars, GROUPS)["hosts"]["eu-west-1"]
    assert found["undefined"] == {
        "region_endpoint": "'zone' is undefined",
        "region_labels": "'team' is undefined",
        "secrets_values": "can't be decrypted or worked out",
    }
    assert "region_endpoint" not in found


@pytest.mark.parametrize("arguments", [(None, GROUPS), ({}, ["all"])])
def test_it_says_how_it_is_used(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match=r"hostvars \| routing_inputs"):
        FILTER(*arguments)
