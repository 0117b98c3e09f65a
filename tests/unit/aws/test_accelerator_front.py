# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy in Global Accelerator: published in the fake, read back from it, steered, and its cards kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.adapter import (
    GlobalAcceleratorAdapter,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.compile import (
    desired,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.fleet import Fleet
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.settings import (
    Settings,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import (
    BackendError,
    apply,
    plan,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.publishers import (
    DivergesError,
    publish,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import budget
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake, Fault

from .test_route53 import CARD as ROUTE53
from .test_route53 import REGIONS, SITE, Calls, calls, decision, policy, table_of, writes  # noqa: F401 - a fixture

SETTINGS = Settings(
    endpoints={name: f"arn:aws:elasticloadbalancing:{name}:111122223333:loadbalancer/app/a/0123456789abcdef"
               for name in REGIONS},
    wait_seconds=0,
)  # fmt: skip
EIP = "eipalloc-0123456789abcdef0"


def fleet() -> Fleet:
    return Fleet(table_of(), SITE, SETTINGS)


def adapter() -> GlobalAcceleratorAdapter:
    return GlobalAcceleratorAdapter(table_of(), SITE, SETTINGS)


def ends(account: Fake, region: str) -> dict[str, int]:
    group = next(item for item in account.groups.values() if item["EndpointGroupRegion"] == region)
    return {item["EndpointId"]: item["Weight"] for item in group["EndpointDescriptions"]}


@pytest.fixture
def published(account: Fake) -> Fake:
    """The policy, published."""
    fleet().publish(check=False)
    return account


def test_what_is_published_is_what_was_compiled(published: Fake) -> None:
    del published
    made = fleet()
    assert made.records(made.read()).items == desired(table_of(), SITE).items


def test_read_back_it_answers_as_compiled_under_every_eviction(published: Fake) -> None:
    """Every country and every set of healthy regions; what diverges is what the policy waives by name, no more."""
    del published
    for number in range(16):
        out = {name: 0.0 for place, name in enumerate(sorted(REGIONS)) if number >> place & 1}
        apply(adapter(), plan(adapter(), decision(number + 1, **{name.replace("-", "_"): 0.0 for name in out})))
        made = fleet()
        held = {"global_accelerator": made.records(made.read())}
        read, compiled = (compare(table_of(), SITE, ["global_accelerator"], out, held=some) for some in (held, {}))
        assert read.divergences == compiled.divergences and read.answers == compiled.answers
        if not out:
            assert {item.kind for item in read.divergences} == {"dead-region"} and not read.failures


def test_an_eviction_is_two_writes_and_a_ramp_is_a_dial(published: Fake) -> None:
    one = adapter()
    apply(one, plan(one, decision(1)))
    begun = len(published.writes())
    assert apply(one, plan(one, decision(2, eu_west_1=0)))
    assert published.writes()[begun:] == ["TagResource", "UpdateEndpointGroup"]
    assert ends(published, "eu-west-1") == {SETTINGS.endpoints["eu-west-1"]: 0}
    dials = {item["EndpointGroupRegion"]: item["TrafficDialPercentage"] for item in published.groups.values()}
    assert set(dials.values()) == {100.0}, "the dial keeps no failover traffic away"
    apply(one, plan(one, decision(3, eu_west_1=0.1)))
    dials = {item["EndpointGroupRegion"]: item["TrafficDialPercentage"] for item in published.groups.values()}
    assert dials["eu-west-1"] == 10 and ends(published, "eu-west-1") == {SETTINGS.endpoints["eu-west-1"]: 128}


def test_endpoints_of_others_stay_as_they_are(published: Fake) -> None:
    group = next(item for item in published.groups.values() if item["EndpointGroupRegion"] == "eu-west-1")
    group["EndpointDescriptions"].append({"EndpointId": EIP, "Weight": 7, "HealthState": "HEALTHY",
                                          "ClientIPPreservationEnabled": False})  # fmt: skip
    apply(adapter(), plan(adapter(), decision(1, eu_west_1=0)))
    assert not any(result.changed for result in fleet().publish(check=False)), "a run of the playbook undoes nothing"
    assert ends(published, "eu-west-1") == {SETTINGS.endpoints["eu-west-1"]: 0, EIP: 7}
    assert dict(adapter().answers(["europe"])[0].served) == {f"foreign-{EIP}": 1}


def test_health_is_what_the_service_says(published: Fake) -> None:
    for group in published.groups.values():
        if group["EndpointGroupRegion"] == "eu-west-1":
            group["EndpointDescriptions"][0]["HealthState"] = "UNHEALTHY"
    assert dict(adapter().answers(["europe"], times=8)[0].served) == {"us-east-1": 8}


def test_without_an_accelerator_nothing_is_steered(account: Fake) -> None:
    for act in (adapter().read, lambda: adapter().answers(["europe"])):
        with pytest.raises(BackendError, match=r"there is no accelerator llm-verifier\.com: publish it"):
            act()
    assert account.writes() == []
    account.faults = [Fault("AccessDeniedException", "", 99)]
    with pytest.raises(BackendError, match="AccessDenied"):
        adapter().read()


def test_what_the_policy_does_not_waive_is_not_published(account: Fake, calls: Calls) -> None:  # noqa: F811
    door: dict[str, Any] = {**policy()["front_door"], "waivers": []}
    with pytest.raises(DivergesError, match="dead-region"):
        publish("global_accelerator", table_of(front_door=door), SITE, {"endpoints": SETTINGS.endpoints}, check=False)
    assert calls == [] and account.accelerators == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoints": {}}, "us-east-1 has none"),
        ({"endpoints": {**SETTINGS.endpoints, "us-east-1": SETTINGS.endpoints["eu-west-1"]}}, "is in eu-west-1, not"),
        ({"endpoints": dict.fromkeys(REGIONS, EIP)}, "belongs to several regions"),
        ({"endpoints": dict.fromkeys(REGIONS, EIP), "waf": True}, "no application load balancer"),
    ],
)
def test_settings_are_refused_before_any_call(account: Fake, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GlobalAcceleratorAdapter(table_of(), SITE, replace(SETTINGS, **changes))
    with pytest.raises(ValueError, match="no settings colour"):
        Settings.from_dict({"colour": "red"})
    assert account.requests == []


def test_the_budget_is_that_of_the_clouds_own_checks() -> None:
    """Route 53: 3 checks of 10 s; an eviction waits for one more interval and for the checkers to tell each other."""
    read = table_of().policy

    def seconds(found: Collection[Any]) -> list[tuple[float, float]]:
        return [(line.detection_seconds, line.total_seconds) for line in found]

    assert seconds(budget(read, card=ROUTE53)) == [(30, 70), (36, 76), (36, 76), (19, 70)]
    assert [line.ttl_seconds for line in budget(read, card=adapter().card)] == [0, 0, 0, 0]
    slow = table_of(health={"interval_seconds": 60, "timeout_seconds": 1, "failures": 2, "observation_age_seconds": 90})
    assert budget(slow.policy, card=ROUTE53)[0].detection_seconds == 60
    assert json.dumps(budget(read, card=ROUTE53)[0].within_objective) == "false"
