# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of Global Accelerator: what the fake holds after each step; check mode calls nothing that writes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import api as api_module
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake, Fault

from .conftest import Run

OWN = {"llm-verifier:owner": "llm-verifier"}
LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/one/0123456789abcdef"
OTHER = LOAD_BALANCER.replace("/one/", "/two/")
ACCELERATOR = "globalaccelerator_accelerator"
LISTENER = "globalaccelerator_listener"
GROUP = "globalaccelerator_endpoint_group"
PORTS = [{"from_port": 443, "to_port": 443}]


def step(account: Fake, run: Run, module: str, changed: bool, **options: Any) -> dict[str, Any]:
    """Check mode first, which says the same and writes nothing; then for real."""
    before = len(account.writes())
    told = run(module, check=True, **options)
    assert told["changed"] is changed and len(account.writes()) == before, told
    done = run(module, **options)
    assert done["changed"] is changed, done
    assert (len(account.writes()) > before) is changed
    assert ("diff" in done) is changed and ("diff" in told) is changed
    return done


def only(table: dict[str, Any]) -> Any:
    (found,) = table.values()
    return found


@pytest.fixture
def accelerator(account: Fake, run: Run) -> str:
    """The ARN of one of ours."""
    del account
    found: str = run(ACCELERATOR, name="one")["accelerator"]["accelerator_arn"]
    return found


@pytest.fixture
def listener(accelerator: str, run: Run) -> str:
    """The ARN of one of ours."""
    found: str = run(LISTENER, accelerator_arn=accelerator, port_ranges=PORTS)["listener"]["listener_arn"]
    return found


def test_an_accelerator_in_twelve_steps(account: Fake, run: Run) -> None:
    made: dict[str, Any] = {"name": "one", "tags": {"team": "ml"}, "generation": 3}
    done = step(account, run, ACCELERATOR, True, **made)
    held = only(account.accelerators)
    assert (held["Name"], held["Enabled"], held["IpAddressType"]) == ("one", True, "IPV4")
    assert only(account.tags) == {**OWN, "team": "ml", "llm-verifier:generation": "3"}
    assert done["accelerator"]["status"] == "DEPLOYED" and len(done["accelerator"]["ip_addresses"]) == 2
    step(account, run, ACCELERATOR, False, **made)
    logs = {"enabled": True, "bucket": "logs", "prefix": "ga"}
    new = {"ip_address_type": "DUAL_STACK", "flow_logs": logs, "tags": {"cost": "x"}, "generation": 4}
    step(account, run, ACCELERATOR, True, **{**made, **new})
    assert only(account.accelerators)["IpAddressType"] == "DUAL_STACK"
    assert only(account.attributes) == {"FlowLogsEnabled": True, "FlowLogsS3Bucket": "logs", "FlowLogsS3Prefix": "ga"}
    assert only(account.tags) == {**OWN, "cost": "x", "llm-verifier:generation": "4"}
    step(account, run, ACCELERATOR, False, **{**made, **new})
    step(account, run, ACCELERATOR, False, name="one")  # what isn't said stays
    step(account, run, ACCELERATOR, True, name="one", state="absent")
    assert account.accelerators == {}
    assert account.writes()[-2:] == ["UpdateAccelerator", "DeleteAccelerator"], "it is disabled first"
    step(account, run, ACCELERATOR, False, name="one", state="absent")


def test_a_listener_in_twelve_steps(account: Fake, run: Run, accelerator: str) -> None:
    base: dict[str, Any] = {"accelerator_arn": accelerator, "port_ranges": PORTS}
    step(account, run, LISTENER, True, **base)
    assert only(account.listeners)["PortRanges"] == [{"FromPort": 443, "ToPort": 443}]
    step(account, run, LISTENER, False, **base)
    more = {**base, "port_ranges": [{"from_port": 80, "to_port": 80}, *PORTS], "client_affinity": "SOURCE_IP"}
    step(account, run, LISTENER, True, **more)
    held = only(account.listeners)
    assert len(held["PortRanges"]) == 2 and held["ClientAffinity"] == "SOURCE_IP" and held["Protocol"] == "TCP"
    step(account, run, LISTENER, False, **more)
    step(account, run, LISTENER, False, listener_arn=held["ListenerArn"])
    step(account, run, LISTENER, True, **base, state="absent")
    assert account.listeners == {}
    step(account, run, LISTENER, False, **base, state="absent")


def test_an_endpoint_group_in_twelve_steps(account: Fake, run: Run, listener: str) -> None:
    base: dict[str, Any] = {"listener_arn": listener, "endpoint_group_region": "eu-west-1"}
    check = {"health_check_path": "/api/health", "health_check_protocol": "HTTPS"}
    made = {**base, "endpoints": [{"endpoint_id": LOAD_BALANCER}], "traffic_dial": 50, **check}
    step(account, run, GROUP, True, **made)
    held = only(account.groups)
    assert held["EndpointDescriptions"][0]["Weight"] == 128 and held["TrafficDialPercentage"] == 50
    step(account, run, GROUP, False, **made)
    out = {**made, "endpoints": [{"endpoint_id": LOAD_BALANCER, "weight": 0}], "threshold_count": 2,
           "port_overrides": [{"listener_port": 443, "endpoint_port": 8443}]}  # fmt: skip
    step(account, run, GROUP, True, **out)
    held = only(account.groups)
    assert held["EndpointDescriptions"][0]["Weight"] == 0, "zero is a weight"
    assert held["TrafficDialPercentage"] == 50, "the dial is no way out"
    assert held["PortOverrides"] == [{"ListenerPort": 443, "EndpointPort": 8443}] and held["ThresholdCount"] == 2
    step(account, run, GROUP, False, **out)
    step(account, run, GROUP, False, **made)  # a weight that isn't said is somebody else's
    step(account, run, GROUP, True, **base, state="absent")
    assert account.groups == {}
    step(account, run, GROUP, False, **base, state="absent")


def test_other_endpoints_stay_unless_they_are_purged(account: Fake, run: Run, listener: str) -> None:
    base: dict[str, Any] = {"listener_arn": listener, "endpoint_group_region": "eu-west-1"}
    run(GROUP, **base, endpoints=[{"endpoint_id": LOAD_BALANCER, "weight": 7}])
    run(GROUP, **base, endpoints=[{"endpoint_id": OTHER}], purge_endpoints=False)
    weights = {item["EndpointId"]: item["Weight"] for item in only(account.groups)["EndpointDescriptions"]}
    assert weights == {LOAD_BALANCER: 7, OTHER: 128}
    run(GROUP, **base, endpoints=[{"endpoint_id": OTHER}])
    assert [item["EndpointId"] for item in only(account.groups)["EndpointDescriptions"]] == [OTHER]


def test_everything_is_told(account: Fake, run: Run, listener: str) -> None:
    run(GROUP, listener_arn=listener, endpoint_group_region="eu-west-1", endpoints=[{"endpoint_id": LOAD_BALANCER}])
    before = len(account.writes())
    (found,) = run("globalaccelerator_info", name="one")["accelerators"]
    (group,) = found["listeners"][0]["endpoint_groups"]
    assert group["endpoints"][0]["health_state"] == "HEALTHY" and found["tags"] == OWN
    assert run("globalaccelerator_info", accelerator_arn=found["accelerator_arn"])["accelerators"] == [found]
    assert run("globalaccelerator_info", owner="other")["accelerators"] == []
    assert run("globalaccelerator_info", name="two")["accelerators"] == [] and len(account.writes()) == before


def test_what_is_not_ours_is_not_touched(account: Fake, run: Run, listener: str) -> None:
    arn = listener.split("/listener/")[0]
    account.tags[arn] = {"llm-verifier:owner": "somebody"}
    tries: list[tuple[str, dict[str, Any]]] = [
        (ACCELERATOR, {"name": "one"}),
        (ACCELERATOR, {"accelerator_arn": arn, "state": "absent", "delete_listeners": True}),
        (LISTENER, {"listener_arn": listener, "client_affinity": "SOURCE_IP"}),
        (LISTENER, {"listener_arn": listener, "state": "absent"}),
        (GROUP, {"listener_arn": listener, "endpoint_group_region": "eu-west-1"}),
    ]
    before = account.writes()
    for module, options in tries:
        assert "belongs to 'somebody'" in run(module, **options)["msg"], options
    account.tags[arn] = {}
    assert "has no owner's tag" in run(ACCELERATOR, name="one")["msg"]
    assert run(ACCELERATOR, name="one", state="absent")["changed"] is False
    assert account.writes() == before and account.accelerators


def test_an_older_generation_is_refused(account: Fake, run: Run) -> None:
    run(ACCELERATOR, name="one", generation=5)
    before = account.writes()
    assert "generation 4 is older than 5" in run(ACCELERATOR, name="one", generation=4)["msg"]
    assert account.writes() == before


def test_all_that_is_below_goes_when_asked_for(account: Fake, run: Run, listener: str) -> None:
    run(GROUP, listener_arn=listener, endpoint_group_region="eu-west-1")
    assert "has 1 listeners" in run(ACCELERATOR, name="one", state="absent")["msg"]
    assert "has endpoint groups" in run(LISTENER, listener_arn=listener, state="absent")["msg"]
    assert account.groups
    begun = len(account.writes())
    run(ACCELERATOR, name="one", state="absent", delete_listeners=True)
    assert account.accelerators == account.listeners == account.groups == {}
    assert account.writes()[begun:] == [
        "UpdateAccelerator", "DeleteEndpointGroup", "DeleteListener", "DeleteAccelerator"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        (ACCELERATOR, {"name": "a b"}, ["isn't 1 to 64"]),
        (ACCELERATOR, {"name": "a", "tags": {"aws:x": "y"}}, ["aws:x is reserved"]),
        (LISTENER, {"listener_arn": "x", "port_ranges": [{"from_port": 9, "to_port": 1}]}, ["9 to 1 is no range"]),
        (LISTENER, {"listener_arn": "x", "port_ranges": PORTS * 2}, ["a port is named twice"]),
        (
            GROUP,
            {"listener_arn": "x", "endpoint_group_region": "eu-west-1", "traffic_dial": 500, "threshold_count": 11,
             "health_check_path": "api", "health_check_port": 0,
             "endpoints": [{"endpoint_id": "10.0.0.1", "weight": 256}, {"endpoint_id": LOAD_BALANCER},
                           {"endpoint_id": LOAD_BALANCER.replace("eu-west-1", "us-east-1")}]},
            ["500 is not within", "11 is not within", "'api' is no path", "'10.0.0.1' is no ARN", "256 of 10.0.0.1",
             "health_check_port: 0", "is in us-east-1, not in eu-west-1"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_once_and_before_any_call(
    account: Fake, run: Run, module: str, options: dict[str, Any], words: list[str]
) -> None:
    text = run(module, **options)["msg"]
    assert [word for word in words if word not in text] == []
    assert account.requests == []


@pytest.mark.parametrize("kind", ["ThrottlingException", "503", "500", "drop", "lost"])
def test_a_fault_on_the_way_is_tried_again_and_nothing_is_made_twice(account: Fake, run: Run, kind: str) -> None:
    account.faults = [Fault(kind, "CreateAccelerator", 2)]
    assert run(ACCELERATOR, name="one")["changed"] is True
    assert len(account.accelerators) == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("AccessDeniedException", "aws-iam-policy.json"),
        ("ExpiredTokenException", "log in again"),
    ],
)
def test_an_error_that_stays_names_the_call_and_a_rerun_finishes(
    account: Fake, run: Run, kind: str, words: str
) -> None:
    account.faults = [Fault(kind, "UpdateAcceleratorAttributes", 9)]
    options = {"name": "one", "flow_logs": {"enabled": True, "bucket": "logs"}}
    text = run(ACCELERATOR, **options)["msg"]
    assert "globalaccelerator update_accelerator_attributes" in text and words in text
    account.faults = []
    assert run(ACCELERATOR, **options)["changed"] is True
    assert len(account.accelerators) == 1 and only(account.attributes)["FlowLogsEnabled"]


def test_waiting_ends(account: Fake, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "POLL_SECONDS", 0.4)
    account.deploy_seconds = 60
    assert "not after 1 s" in run(ACCELERATOR, name="one", wait_timeout=1)["msg"]
    done = run(ACCELERATOR, name="one", wait=False, ip_address_type="DUAL_STACK")
    assert done["accelerator"]["status"] == "IN_PROGRESS"


def test_two_of_one_name_are_told(account: Fake, run: Run, accelerator: str) -> None:
    del accelerator
    other = {**only(account.accelerators), "AcceleratorArn": "arn:aws:globalaccelerator::1:accelerator/other"}
    account.accelerators[other["AcceleratorArn"]] = other
    account.tags[other["AcceleratorArn"]] = OWN
    assert "several accelerators 'one'" in run(ACCELERATOR, name="one")["msg"]
    assert "there is no arn:x" in run(ACCELERATOR, accelerator_arn="arn:x")["msg"]


def test_secrets_are_in_no_output(account: Fake, run: Run) -> None:
    del account
    text = str(run(ACCELERATOR, name="one", access_key="AKIA", secret_key="hush-hush", session_token="quiet-now"))
    assert "hush-hush" not in text and "quiet-now" not in text
