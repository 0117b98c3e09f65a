# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Global Accelerator on 127.0.0.1, driven by botocore's own service model; nothing else emulates this service.

Requests are checked against the model (types, required, min, max, enum, pattern; botocore's own check lets a traffic
dial of 500 through), answers and errors too. Rules across resources are the guide's. It is ours, so it shows that we
keep to the model and the guide, and not what AWS does.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .service_model import Model, Refused

ACCOUNT = "111122223333"
HOME = "us-west-2"
ENDPOINT = re.compile(
    r"eipalloc-[0-9a-f]{8,17}|i-[0-9a-f]{8,17}"
    r"|arn:aws:elasticloadbalancing:(?P<region>[a-z0-9-]+):\d{12}:loadbalancer/(app|net)/[^/]+/[0-9a-f]+"
)
State = dict[str, Any]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of an operation (any when it is empty).

    `kind` is an error's code; "500" and "503" are statuses without a code; "hang" never answers; "drop" ends the
    connection before, "lost" after the operation was done.
    """

    kind: str
    operation: str = ""
    times: int = 1


@dataclass
class Fake:
    """The state of one account."""

    deploy_seconds: float = 0.0
    page: int = 100
    accelerators: dict[str, State] = field(default_factory=dict)
    listeners: dict[str, State] = field(default_factory=dict)
    groups: dict[str, State] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    attributes: dict[str, State] = field(default_factory=dict)
    requests: list[tuple[str, State]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    quotas: dict[str, int] = field(default_factory=lambda: {"accelerators": 20, "listeners": 10, "groups": 42})
    url: str = ""
    _ready: dict[str, float] = field(default_factory=dict)
    _tokens: dict[str, tuple[State, State]] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.model = Model("globalaccelerator")
        self.lock = threading.RLock()

    def writes(self) -> list[str]:
        """The operations that change something, in order."""
        return [name for name, _given in self.requests if not name.startswith(("Describe", "List"))]

    def settle(self) -> None:
        """Everything is deployed now."""
        self._ready.clear()

    def next_fault(self, operation: str) -> str:
        """The kind of the fault that this request meets; empty for none."""
        for fault in self.faults:
            if fault.times > 0 and fault.operation in ("", operation):
                fault.times -= 1
                return fault.kind
        return ""

    def do(self, operation: str, given: State) -> State:
        """One operation. Raises Refused."""
        with self.lock:
            self.requests.append((operation, given))
            known = self.model.operations.get(operation)
            act = _DOES.get(operation)
            if known is None or act is None:
                raise Refused("UnknownOperationException", f"{operation} isn't in this fake")
            wrong = list(self.model.faults(known["input"]["shape"], given))
            if wrong:
                raise Refused("InvalidArgumentException", "; ".join(wrong))
            try:
                found = self._once(given, act)
            except Refused as error:
                assert error.code in {item["shape"] for item in known["errors"]}, f"{operation} has no {error.code}"
                raise
            if "output" in known:
                assert not list(self.model.faults(known["output"]["shape"], found)), found
            return found

    def _once(self, given: State, act: Callable[[Fake, State], State]) -> State:
        """What was made by a token is given again, not made twice."""
        token = given.get("IdempotencyToken", "")
        if token in self._tokens:
            before, answer = self._tokens[token]
            if before != given:
                raise Refused("InvalidArgumentException", "the token was used with other parameters")
            return answer
        found = act(self, given)
        if token:
            self._tokens[token] = (given, found)
        return found

    def number(self) -> str:
        """A new identifier."""
        self._count += 1
        return f"{self._count:08x}-0000-4000-8000-{self._count:012x}"

    def touch(self, arn: str) -> None:
        """The accelerator of an ARN is deployed anew."""
        self._ready[arn.split("/listener/")[0]] = time.monotonic() + self.deploy_seconds

    def shown(self, arn: str) -> State:
        """An accelerator with its status."""
        deployed = self._ready.get(arn, 0) <= time.monotonic()
        return {**self.accelerators[arn], "Status": "DEPLOYED" if deployed else "IN_PROGRESS"}

    def get(self, kind: str, arn: str) -> State:
        """One thing by its ARN. Raises Refused."""
        table: dict[str, State] = {"Accelerator": self.accelerators, "Listener": self.listeners}.get(kind, self.groups)
        if arn not in table:
            raise Refused(f"{kind}NotFoundException", f"there is no {arn}")
        return table[arn]

    def room(self, kind: str, count: int) -> None:
        """Raise Refused when one more would be too many."""
        if count >= self.quotas[kind]:
            raise Refused("LimitExceededException", f"at most {self.quotas[kind]} {kind}")

    def paged(self, given: State, key: str, items: list[State]) -> State:
        """One page of a listing."""
        size, start = min(given.get("MaxResults", self.page), self.page), given.get("NextToken", "0")
        if not start.isdecimal() or int(start) > len(items):
            raise Refused("InvalidNextTokenException", "no such page")
        end = int(start) + size
        return {key: items[int(start) : end], **({"NextToken": str(end)} if end < len(items) else {})}


def _create_accelerator(fake: Fake, given: State) -> State:
    fake.room("accelerators", len(fake.accelerators))
    if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9.-]{0,62}(?<![.-])", given["Name"]):
        raise Refused("InvalidArgumentException", "Name: letters, digits, periods and hyphens, at most 64")
    number = fake.number()
    arn = f"arn:aws:globalaccelerator::{ACCOUNT}:accelerator/{number}"
    ip = given.get("IpAddresses") or [f"75.2.0.{fake._count}", f"99.83.0.{fake._count}"]
    fake.accelerators[arn] = {
        "AcceleratorArn": arn, "Name": given["Name"], "IpAddressType": given.get("IpAddressType", "IPV4"),
        "Enabled": given.get("Enabled", True), "CreatedTime": 1.0, "LastModifiedTime": 1.0,
        "DnsName": f"a{number[:8]}.awsglobalaccelerator.com",
        "IpSets": [{"IpFamily": "IPv4", "IpAddresses": ip, "IpAddressFamily": "IPv4"}],
    }  # fmt: skip
    fake.tags[arn] = {tag["Key"]: tag["Value"] for tag in given.get("Tags", [])}
    fake.attributes[arn] = {"FlowLogsEnabled": False}
    fake.touch(arn)
    return {"Accelerator": fake.shown(arn)}


def _update_accelerator(fake: Fake, given: State) -> State:
    found = fake.get("Accelerator", given["AcceleratorArn"])
    found |= {key: given[key] for key in ("Name", "IpAddressType", "Enabled") if key in given}
    fake.touch(given["AcceleratorArn"])
    return {"Accelerator": fake.shown(given["AcceleratorArn"])}


def _delete_accelerator(fake: Fake, given: State) -> State:
    arn = given["AcceleratorArn"]
    found = fake.get("Accelerator", arn)
    if found["Enabled"]:
        raise Refused("AcceleratorNotDisabledException", "disable it first")
    if any(key.startswith(f"{arn}/") for key in fake.listeners):
        raise Refused("AssociatedListenerFoundException", "it has listeners")
    if fake.shown(arn)["Status"] != "DEPLOYED":
        raise Refused("TransactionInProgressException", "it is being deployed")
    del fake.accelerators[arn], fake.tags[arn], fake.attributes[arn]
    return {}


def _attributes(fake: Fake, given: State) -> State:
    fake.get("Accelerator", given["AcceleratorArn"])
    found = fake.attributes[given["AcceleratorArn"]]
    found |= {key: value for key, value in given.items() if key != "AcceleratorArn"}
    if found["FlowLogsEnabled"] and not found.get("FlowLogsS3Bucket"):
        raise Refused("InvalidArgumentException", "flow logs need a bucket")
    return {"AcceleratorAttributes": found}


def _ports(fake: Fake, accelerator: str, given: State, but: str = "") -> None:
    new = [range(item["FromPort"], item["ToPort"] + 1) for item in given["PortRanges"]]
    if any(len(item) == 0 for item in new):
        raise Refused("InvalidPortRangeException", "a range ends before it begins")
    for arn, other in fake.listeners.items():
        if arn.startswith(f"{accelerator}/") and arn != but and other["Protocol"] == given["Protocol"]:
            old = [range(item["FromPort"], item["ToPort"] + 1) for item in other["PortRanges"]]
            if any(a.start < b.stop and b.start < a.stop for a in new for b in old):
                raise Refused("InvalidPortRangeException", f"ports of {arn}")


def _create_listener(fake: Fake, given: State) -> State:
    accelerator = given["AcceleratorArn"]
    fake.get("Accelerator", accelerator)
    fake.room("listeners", sum(1 for arn in fake.listeners if arn.startswith(f"{accelerator}/")))
    _ports(fake, accelerator, given)
    arn = f"{accelerator}/listener/{fake.number()[:8]}"
    fake.listeners[arn] = {"ListenerArn": arn, "PortRanges": given["PortRanges"], "Protocol": given["Protocol"],
                           "ClientAffinity": given.get("ClientAffinity", "NONE")}  # fmt: skip
    fake.touch(arn)
    return {"Listener": fake.listeners[arn]}


def _update_listener(fake: Fake, given: State) -> State:
    arn = given["ListenerArn"]
    found = fake.get("Listener", arn)
    _ports(fake, arn.split("/listener/")[0], {**found, **given}, arn)
    found |= given
    fake.touch(arn)
    return {"Listener": found}


def _delete_listener(fake: Fake, given: State) -> State:
    arn = given["ListenerArn"]
    fake.get("Listener", arn)
    if any(key.startswith(f"{arn}/") for key in fake.groups):
        raise Refused("AssociatedEndpointGroupFoundException", "it has endpoint groups")
    del fake.listeners[arn]
    fake.touch(arn)
    return {}


def _endpoints(given: State, region: str) -> list[State]:
    found = []
    for item in given["EndpointConfigurations"]:
        known = ENDPOINT.fullmatch(item.get("EndpointId", ""))
        if not known or (known["region"] or region) != region:
            raise Refused("InvalidArgumentException", f"{item.get('EndpointId')} is no endpoint in {region}")
        kept = item.get("ClientIPPreservationEnabled", "/app/" in item["EndpointId"])
        found.append({"EndpointId": item["EndpointId"], "Weight": item.get("Weight", 128), "HealthState": "HEALTHY",
                      "ClientIPPreservationEnabled": kept})  # fmt: skip
    names = [item["EndpointId"] for item in found]
    if len(set(names)) != len(names) or len(names) > 10:
        raise Refused("InvalidArgumentException", "an endpoint twice, or more than 10")
    return found


_GROUP = ("TrafficDialPercentage", "HealthCheckPort", "HealthCheckProtocol", "HealthCheckPath",
          "HealthCheckIntervalSeconds", "ThresholdCount", "PortOverrides")  # fmt: skip


def _create_group(fake: Fake, given: State) -> State:
    listener, region = given["ListenerArn"], given["EndpointGroupRegion"]
    ports = fake.get("Listener", listener)["PortRanges"]
    mine = [item for arn, item in fake.groups.items() if arn.startswith(f"{listener}/")]
    fake.room("groups", len(fake.groups))
    if any(item["EndpointGroupRegion"] == region for item in mine):
        raise Refused("EndpointGroupAlreadyExistsException", f"{region} has one")
    arn = f"{listener}/endpoint-group/{fake.number()[:8]}"
    fake.groups[arn] = {
        "EndpointGroupArn": arn, "EndpointGroupRegion": region, "TrafficDialPercentage": 100.0,
        "HealthCheckPort": ports[0]["FromPort"], "HealthCheckProtocol": "TCP", "HealthCheckIntervalSeconds": 30,
        "ThresholdCount": 3, "PortOverrides": [], **{key: given[key] for key in _GROUP if key in given},
        "EndpointDescriptions": _endpoints({"EndpointConfigurations": [], **given}, region),
    }  # fmt: skip
    fake.touch(arn)
    return {"EndpointGroup": fake.groups[arn]}


def _update_group(fake: Fake, given: State) -> State:
    found = fake.get("EndpointGroup", given["EndpointGroupArn"])
    if "EndpointConfigurations" in given:  # the whole list anew
        found["EndpointDescriptions"] = _endpoints(given, found["EndpointGroupRegion"])
    found |= {key: given[key] for key in _GROUP if key in given}
    fake.touch(given["EndpointGroupArn"])
    return {"EndpointGroup": found}


def _delete_group(fake: Fake, given: State) -> State:
    fake.get("EndpointGroup", given["EndpointGroupArn"])
    del fake.groups[given["EndpointGroupArn"]]
    fake.touch(given["EndpointGroupArn"])
    return {}


def _tag(fake: Fake, given: State) -> State:
    fake.get("Accelerator", given["ResourceArn"])
    fake.tags[given["ResourceArn"]] |= {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    return {}


def _untag(fake: Fake, given: State) -> State:
    fake.get("Accelerator", given["ResourceArn"])
    for key in given["TagKeys"]:
        fake.tags[given["ResourceArn"]].pop(key, None)
    return {}


def _tags(fake: Fake, given: State) -> State:
    fake.get("Accelerator", given["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in fake.tags[given["ResourceArn"]].items()]}


def _below(table: Mapping[str, State], arn: str) -> list[State]:
    return [item for key, item in table.items() if key.startswith(f"{arn}/")]


_DOES: Mapping[str, Callable[[Fake, State], State]] = {
    "CreateAccelerator": _create_accelerator,
    "UpdateAccelerator": _update_accelerator,
    "DeleteAccelerator": _delete_accelerator,
    "DescribeAccelerator": lambda fake, given: {
        "Accelerator": fake.get("Accelerator", given["AcceleratorArn"]) and fake.shown(given["AcceleratorArn"])
    },
    "ListAccelerators": lambda fake, given: fake.paged(given, "Accelerators", list(map(fake.shown, fake.accelerators))),
    "UpdateAcceleratorAttributes": _attributes,
    "DescribeAcceleratorAttributes": _attributes,
    "CreateListener": _create_listener,
    "UpdateListener": _update_listener,
    "DeleteListener": _delete_listener,
    "DescribeListener": lambda fake, given: {"Listener": fake.get("Listener", given["ListenerArn"])},
    "ListListeners": lambda fake, given: fake.get("Accelerator", given["AcceleratorArn"])
    and fake.paged(given, "Listeners", _below(fake.listeners, given["AcceleratorArn"])),
    "CreateEndpointGroup": _create_group,
    "UpdateEndpointGroup": _update_group,
    "DeleteEndpointGroup": _delete_group,
    "DescribeEndpointGroup": lambda fake, given: {
        "EndpointGroup": fake.get("EndpointGroup", given["EndpointGroupArn"])
    },
    "ListEndpointGroups": lambda fake, given: fake.get("Listener", given["ListenerArn"])
    and fake.paged(given, "EndpointGroups", _below(fake.groups, given["ListenerArn"])),
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": _tags,
}
