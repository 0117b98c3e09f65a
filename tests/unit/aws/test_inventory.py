# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/aws by the playbooks: plans, publishes, does nothing the second time, is steered, and goes again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.adapters import open_adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import apply, plan, verify
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake
from ansible_collections.llm_verifier.multi_region.tests.aws.moto_account import requests

from .conftest import Run
from .test_route53 import REGIONS, decision

ROOT = Path(__file__).resolve().parents[3]
VARIABLES = ROOT / "inventories/aws/group_vars/all"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((VARIABLES / f"{name}.yml").read_text(encoding="utf-8"))
    return found


def settings(private: bool = True) -> dict[str, Any]:
    """The inventory's own, filled in."""
    found: dict[str, Any] = read("front_door")["dns_cloud_settings"]
    switches = [{**item, "bucket": item["bucket"].replace("<yours>", "my")} for item in found["switches"]]
    return {**found, "owner": "llm-verifier", "tags": {}, "switches": switches, "private": private,
            "load_balancer": "llm-verifier.com", "checker_networks": ["15.177.0.0/18"]}  # fmt: skip


def play(*words: str, **variables: Any) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/aws",
               "playbooks/90_global_lb.yml", "-e", json.dumps(variables), *words]  # fmt: skip
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def changed(output: str) -> int:
    found = re.search(r"localhost +: ok=\d+ +changed=(\d+) .*failed=0 ", output)
    assert found, output
    return int(found[1])


def writes(url: str) -> list[tuple[str, str]]:
    return [item for item in requests(url) if item[0] not in ("GET", "HEAD")]


@pytest.fixture
def zone(amazon: str, account: Fake) -> str:
    """The domain's zone, and nothing else."""
    boto3.client("route53").create_hosted_zone(Name="llm-verifier.com", CallerReference="1")
    account.deploy_seconds = 0
    return amazon


def test_the_inventory_plans_publishes_and_rests(zone: str, account: Fake) -> None:
    given = {"dns_cloud_settings": settings()}
    before = writes(zone)
    status, output = play("--check", "--diff", **given)
    assert status == 0 and changed(output) == 2, output
    assert "+ eu-west-1" in output and "+ record/api.llm-verifier.com/A/default" in output
    assert account.writes() == [] and writes(zone) == before
    status, output = play(**given)
    assert status == 0 and changed(output) == 2, output
    assert len(account.groups) == 4 and all(item["EndpointDescriptions"] for item in account.groups.values())
    steered(account)
    done = len(account.writes()), writes(zone)
    status, output = play(**given)
    assert status == 0 and changed(output) == 0, f"a second run changes nothing and undoes no eviction: {output}"
    assert (len(account.writes()), writes(zone)) == done
    status, output = play(**given, dns_cloud_state="absent", global_lb_cloud_state="absent")
    assert status == 0 and changed(output) == 2, output
    left = boto3.client("route53").list_health_checks()["HealthChecks"], boto3.client("s3").list_buckets()["Buckets"]
    assert account.accelerators == {} and left == ([], [])


def steered(account: Fake) -> None:
    """Evict through the table of adapters; both back ends follow."""
    regions = [Region(name=name, geography=place, endpoint=f"203.0.113.{order}", order=order)
               for order, (name, place) in enumerate(REGIONS.items(), 1)]  # fmt: skip
    table = compile_table(Policy.from_dict(read("routing_policy")["routing_policy"]), regions, 1)
    endpoints = read("front_door")["global_lb_cloud_settings"]["endpoints"]
    wanted = decision(1, eu_west_1=0)
    for name, given in (("route53", settings()), ("global_accelerator", {"endpoints": endpoints})):
        adapter = open_adapter(name, table, Site(), given)
        assert apply(adapter, plan(adapter, wanted))
        assert verify(adapter, wanted, ["europe", "asia"], list(REGIONS)) == ()
        assert adapter.answers(["europe"])[0].served == (("us-east-1", 1),)
    held = {item["EndpointGroupRegion"]: item["EndpointDescriptions"] for item in account.groups.values()}
    weights = {name: ends[0]["Weight"] for name, ends in held.items()}
    assert weights == {**dict.fromkeys(REGIONS, 128), "eu-west-1": 0}


def test_what_is_not_filled_in_is_refused_before_any_call(zone: str, account: Fake, run: Run) -> None:
    site = {"regions": [{"name": name, "geography": place, "endpoint": f"203.0.113.{order}", "order": order}
                        for order, (name, place) in enumerate(REGIONS.items(), 1)]}  # fmt: skip
    policy, raw = read("routing_policy")["routing_policy"], read("front_door")["dns_cloud_settings"]
    before, begun = requests(zone), len(account.requests)

    def told(backend: str, **given: Any) -> str:
        return str(run("front_door_publish", backend=backend, policy=policy, site=site, settings=given)["msg"])

    text = told("route53", switches=raw["switches"])
    assert "<yours>-llm-verifier-routing-euc1" in text
    filled = {**settings(private=False), "load_balancer": ""}
    text = told("route53", **filled)
    assert "203.0.113.100 isn't reached from the Internet" in text and "health_check" not in text.split("problems")[0]
    for place in ("cn-north-1", "us-gov-west-1"):
        assert place in told("route53", switches=[{"bucket": "abc", "location": place}])
    endpoints = {name: f"arn:aws:elasticloadbalancing:{name}:1:loadbalancer/net/a/1" for name in REGIONS}
    assert told("global_accelerator", endpoints=endpoints, waf=True).count("no application load balancer") == 4
    assert "another partition" in told("global_accelerator", endpoints={"us-east-1": "arn:aws-cn:x"})
    assert requests(zone) == before and len(account.requests) == begun


def test_inventories_without_a_cloud_publish_nothing() -> None:
    roles = [ROOT / f"roles/{role}/defaults/main.yml" for role in ("dns", "global_lb")]
    defaults = {key: value for path in roles for key, value in yaml.safe_load(path.read_text()).items()}
    assert defaults["dns_cloud_backend"] == defaults["global_lb_cloud_backend"] == ""
    local = [path.read_text() for path in (ROOT / "inventories/local").rglob("*.yml")]
    assert not [text for text in local if "_cloud_backend" in text]
