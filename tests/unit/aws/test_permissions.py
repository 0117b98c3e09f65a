# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least permissions, made from the calls that a whole life of the front door makes against the emulators."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.adapters import open_adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import apply, plan, verify
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.publishers import publish
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake

from .conftest import Run
from .test_accelerator_front import SETTINGS as ACCELERATOR
from .test_route53 import REGIONS, SITE, Calls, calls, decision, table_of, zone  # noqa: F401 - fixtures

POLICY = Path(__file__).resolve().parents[3] / "docs/providers/aws-iam-policy.json"
WRITE = "LLM_VERIFIER_WRITE_POLICY"
SWITCHES = [{"bucket": "my-llm-verifier-routing-a", "location": "eu-central-1"},
            {"bucket": "my-llm-verifier-routing-b", "location": "us-east-2"}]  # fmt: skip
DNS: dict[str, Any] = {"switches": SWITCHES, "checker_networks": ["15.177.0.0/18"], "load_balancer": "llm-verifier.com"}
GLB: dict[str, Any] = {"endpoints": ACCELERATOR.endpoints, "wait_seconds": 1}

# Where a permission has another name than its call, or none: Route 53 tells anybody who its health checkers are.
NAMES: Mapping[str, tuple[str, ...]] = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:GetObject": ("s3:GetObject", "s3:ListBucket"),  # without it a missing object is "access denied"
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:DeleteObject": ("s3:DeleteObjectVersion",),
    "route53:GetCheckerIpRanges": (),
    # Deploying into a group of load balancers, addresses or instances looks at them.
    "globalaccelerator:CreateEndpointGroup": (
        "globalaccelerator:CreateEndpointGroup", "elasticloadbalancing:DescribeLoadBalancers",
        "ec2:DescribeAddresses", "ec2:DescribeInstances",
    ),
}  # fmt: skip
RESOURCES: Mapping[str, list[str]] = {
    "s3": ["arn:aws:s3:::*-llm-verifier-routing-*", "arn:aws:s3:::*-llm-verifier-routing-*/*"],
    "route53": ["arn:aws:route53:::healthcheck/*", "arn:aws:route53:::hostedzone/<zone>"],
}
# Calls that AWS grants for everything or not at all.
EVERYWHERE = {"route53:CreateHealthCheck", "route53:ListHealthChecks", "route53:ListHostedZonesByName"}


def statements(part: str, made: Calls) -> list[dict[str, Any]]:
    """What a part of the work needs: a statement a service, and one for what has no resource."""
    actions: set[str] = set()
    for service, _place, operation in made:
        name = f"{service}:{operation}"
        actions.update(NAMES.get(name, (name,)))
    by_resource: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(actions):
        where = ["*"] if action in EVERYWHERE else RESOURCES.get(action.partition(":")[0], ["*"])
        by_resource.setdefault(tuple(where), []).append(action)
    return [
        {"Sid": f"{part}{number}", "Effect": "Allow", "Action": found, "Resource": list(where)}
        for number, (where, found) in enumerate(sorted(by_resource.items()), 1)
    ]


def policy_of(parts: Mapping[str, Calls]) -> dict[str, Any]:
    found = [one for part, made in parts.items() for one in statements(part, made)]
    return {"Version": "2012-10-17", "Statement": found}


def taken(made: Calls) -> Calls:
    found = list(made)
    made.clear()
    return found


@pytest.fixture
def life(zone: str, account: Fake, calls: Calls, run: Run) -> dict[str, Calls]:  # noqa: F811
    """Publish, change, steer, verify, take away: the calls of each."""
    del zone
    account.deploy_seconds = 0
    table, edges = table_of(), replace(SITE, edges=())
    calls.clear()
    parts: dict[str, Calls] = {"Steer": [], "Publish": []}
    for present in (True, True):
        publish("global_accelerator", table, edges, GLB, present=present, check=False)
        publish("route53", table, edges, DNS, present=present, check=False)
        table = table_of(health={"interval_seconds": 20, "observation_age_seconds": 60})
    client = boto3.client("route53")
    check = client.list_health_checks()["HealthChecks"][0]
    client.update_health_check(HealthCheckId=check["Id"], Port=8443)
    del calls[-2:]  # those two are the test's own
    publish("route53", table, edges, DNS, check=False)
    options = {"name": "llm-verifier.com", "tags": {"a": "b"}, "flow_logs": {"enabled": True, "bucket": "logs"}}
    run("globalaccelerator_accelerator", **options)
    run("globalaccelerator_accelerator", **{**options, "tags": {}})
    arn = run("globalaccelerator_info")["accelerators"][0]["listeners"][0]["listener_arn"]
    run("globalaccelerator_listener", listener_arn=arn, client_affinity="SOURCE_IP")
    parts["Publish"] += taken(calls)
    for name, given in (("route53", DNS), ("global_accelerator", GLB)):
        adapter = open_adapter(name, table, edges, given)
        apply(adapter, plan(adapter, decision(1, eu_west_1=0)))
        assert verify(adapter, decision(1, eu_west_1=0), ["europe"], list(REGIONS)) == ()
    parts["Steer"] += taken(calls)
    publish("route53", table, edges, DNS, present=False, check=False)
    publish("global_accelerator", table, edges, GLB, present=False, check=False)
    parts["Publish"] += taken(calls)
    assert account.accelerators == {}
    return parts


def test_the_policy_is_what_the_calls_need_and_no_more(life: dict[str, Calls]) -> None:
    text = json.dumps(policy_of(life), indent=2) + "\n"
    if os.environ.get(WRITE):
        POLICY.write_text(text, encoding="utf-8")
    assert POLICY.read_text(encoding="utf-8") == text, f"run: {WRITE}=1 pytest {Path(__file__).name}"
    steering = {action for one in statements("Steer", life["Steer"]) for action in one["Action"]}
    changing = {action for action in steering if not action.partition(":")[2].startswith(("Get", "List", "Describe"))}
    assert changing == {"s3:PutObject", "globalaccelerator:TagResource", "globalaccelerator:UpdateEndpointGroup"}


def test_every_action_is_one_of_the_services(life: dict[str, Calls]) -> None:
    for service in ("s3", "route53", "globalaccelerator"):
        known = set(Loader().load_service_model(service, "service-2")["operations"])
        assert {name for parts in life.values() for owner, _place, name in parts if owner == service} <= known


def test_nothing_is_made_without_the_owners_tags(zone: str, account: Fake, calls: Calls) -> None:  # noqa: F811
    """Cost labels are on everything that can bear a tag: accelerators, health checks, buckets."""
    del zone, calls
    tags = {"team": "ml"}
    publish("global_accelerator", table_of(), SITE, {**GLB, "tags": tags}, check=False)
    publish("route53", table_of(), SITE, {**DNS, "tags": tags}, check=False)
    whole = {"llm-verifier:owner": "llm-verifier", **tags}
    assert [found for found in account.tags.values() if not whole.items() <= found.items()] == []
    client = boto3.client("route53")
    ids = [item["Id"] for item in client.list_health_checks()["HealthChecks"]]
    untagged = []
    for name in ids:
        found = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=name)["ResourceTagSet"]["Tags"]
        if not whole.items() <= {tag["Key"]: tag["Value"] for tag in found}.items():
            untagged.append(name)
    for item in SWITCHES:
        found = boto3.client("s3").get_bucket_tagging(Bucket=item["bucket"])["TagSet"]
        if not whole.items() <= {tag["Key"]: tag["Value"] for tag in found}.items():
            untagged.append(item["bucket"])
    assert ids and untagged == []
