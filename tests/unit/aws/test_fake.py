# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake keeps to botocore's model and to the guide, or what runs against it shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import _DOES, Fake, Fault
from ansible_collections.llm_verifier.multi_region.tests.aws.service_model import Model

LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/one/0123456789abcdef"


_SESSION = boto3.Session()


def client(region: str = "us-west-2", checks: bool = True) -> Any:
    """boto3 as it is, with or without its own check of parameters."""
    settings = Config(parameter_validation=checks, retries={"total_max_attempts": 1}, read_timeout=1)
    return _SESSION.client("globalaccelerator", region_name=region, config=settings)


def refused(act: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        act(**given)
    code: str = caught.value.response["Error"]["Code"]
    return code


@pytest.fixture
def group(account: Fake) -> str:
    """An endpoint group with nothing in it."""
    del account
    arn = client().create_accelerator(Name="one")["Accelerator"]["AcceleratorArn"]
    ports = [{"FromPort": 443, "ToPort": 443}]
    listener = client().create_listener(AcceleratorArn=arn, PortRanges=ports, Protocol="TCP")["Listener"]
    made = client().create_endpoint_group(ListenerArn=listener["ListenerArn"], EndpointGroupRegion="eu-west-1")
    found: str = made["EndpointGroup"]["EndpointGroupArn"]
    return found


def test_every_operation_of_the_fake_is_the_models() -> None:
    model = Model("globalaccelerator")
    assert set(_DOES) <= set(model.operations) and len(_DOES) == 20


@pytest.mark.parametrize(
    "given",
    [
        {"TrafficDialPercentage": 500.0},
        {"TrafficDialPercentage": -1.0},
        {"HealthCheckIntervalSeconds": 5},
        {"ThresholdCount": 11},
        {"HealthCheckPath": "no path"},
        {"HealthCheckProtocol": "ICMP"},
        {"EndpointConfigurations": [{"EndpointId": LOAD_BALANCER, "Weight": 256}]},
        {"EndpointConfigurations": [{"EndpointId": "10.0.0.1"}]},
        {"EndpointConfigurations": [{"EndpointId": LOAD_BALANCER}] * 2},
        {"EndpointConfigurations": [{"EndpointId": LOAD_BALANCER.replace("eu-west-1", "us-east-1")}]},
    ],
    ids=str,
)
def test_what_the_model_forbids_is_refused(account: Fake, group: str, given: Mapping[str, Any]) -> None:
    before = str(account.groups)
    act = client(checks=False).update_endpoint_group
    assert refused(act, EndpointGroupArn=group, **given) == "InvalidArgumentException"
    assert str(account.groups) == before


@pytest.mark.parametrize("given", [{}, {"Name": 5}, {"Name": "a" * 300}], ids=str)
def test_types_and_required_members_are_seen(account: Fake, given: Mapping[str, Any]) -> None:
    act = client(checks=False).create_accelerator
    assert refused(act, **given) == "InvalidArgumentException"
    assert account.accelerators == {}


def test_unknown_members_are_seen() -> None:
    faults = Model("globalaccelerator").faults("Tag", {"Key": "k", "Value": "v", "Colour": "red"})
    assert list(faults) == [".Colour is unknown"]


def test_it_answers_in_its_own_region_alone(account: Fake) -> None:
    del account
    assert refused(client("eu-west-1").list_accelerators) == "UnrecognizedClientException"


def test_a_token_makes_one_accelerator(account: Fake) -> None:
    first = client().create_accelerator(Name="one", IdempotencyToken="t")
    again = client().create_accelerator(Name="one", IdempotencyToken="t")
    assert first["Accelerator"] == again["Accelerator"] and len(account.accelerators) == 1
    assert refused(client().create_accelerator, Name="two", IdempotencyToken="t") == "InvalidArgumentException"


def test_things_go_in_order(account: Fake, group: str) -> None:
    account.deploy_seconds = 60
    arn, listener = group.split("/listener/")[0], group.split("/endpoint-group/")[0]
    assert refused(client().delete_accelerator, AcceleratorArn=arn) == "AcceleratorNotDisabledException"
    assert client().update_accelerator(AcceleratorArn=arn, Enabled=False)["Accelerator"]["Status"] == "IN_PROGRESS"
    assert refused(client().delete_accelerator, AcceleratorArn=arn) == "AssociatedListenerFoundException"
    assert refused(client().delete_listener, ListenerArn=listener) == "AssociatedEndpointGroupFoundException"
    client().delete_endpoint_group(EndpointGroupArn=group)
    client().delete_listener(ListenerArn=listener)
    assert refused(client().delete_accelerator, AcceleratorArn=arn) == "TransactionInProgressException"
    account.settle()
    client().delete_accelerator(AcceleratorArn=arn)
    assert refused(client().describe_accelerator, AcceleratorArn=arn) == "AcceleratorNotFoundException"
    assert account.accelerators == account.listeners == account.groups == account.tags == {}


def test_listings_come_in_pages(account: Fake) -> None:
    account.page = 2
    for number in range(5):
        client().create_accelerator(Name=f"a{number}")
    pages = list(client().get_paginator("list_accelerators").paginate())
    assert [len(page["Accelerators"]) for page in pages] == [2, 2, 1]
    assert refused(client().list_accelerators, NextToken="x") == "InvalidNextTokenException"


@pytest.mark.parametrize("kind", ["ThrottlingException", "503", "500", "hang", "drop", "lost"])
def test_faults_are_seen_and_pass(account: Fake, kind: str) -> None:
    account.faults = [Fault(kind, "ListAccelerators")]
    with pytest.raises(Exception):  # noqa: B017 - which one is botocore's affair
        client().list_accelerators()
    assert client().list_accelerators()["Accelerators"] == []
    assert account.quotas["accelerators"] == 20
    account.quotas["accelerators"] = 0
    assert refused(client().create_accelerator, Name="one") == "LimitExceededException"
