# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring accelerators, listeners and endpoint groups to what is wanted. With `check` nothing is called that writes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..owner import GENERATION, OWNER, NotOursError, generation, require_owned, reserved, wanted_tags
from . import shapes
from .api import Api, accelerator_of

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What something was and is (in check mode: would be); empty for nothing."""

    before: shapes.Plain = field(default_factory=dict)
    after: shapes.Plain = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything was (would be) written."""
        return self.before != self.after


def refuse(faults: list[str]) -> None:
    """Raise ValueError with everything that is wrong, before any call."""
    if faults:
        raise ValueError("; ".join(faults))


def _said(given: Given, *names: str) -> dict[str, Any]:
    """The options that were given."""
    return {name: given[name] for name in names if given.get(name) is not None}


def accelerator(api: Api, given: Given, *, check: bool) -> Result:
    """Make, change or delete an accelerator."""
    faults = [f"tags: {key} is reserved" for key in reserved(given["tags"] or {})]
    if given.get("name") and not shapes.NAME.fullmatch(given["name"]):
        faults.append(f"name: {given['name']!r} isn't 1 to 64 letters, digits, periods and hyphens")
    refuse(faults)
    found = _look(api, given)
    before = api.whole(found) if found else {}
    if given["state"] == "absent":
        return _without_accelerator(api, before, given, check=check) if before else Result()
    after = _wanted_accelerator(before, given)
    if not check and before != after:
        arn = _write_accelerator(api, before, after, given)
        if given["wait"]:
            api.wait_deployed(arn, given["wait_timeout"])
        after = api.whole(api.accelerator(arn) or {})
    return Result(before=before, after=after)


def _look(api: Api, given: Given) -> dict[str, Any] | None:
    """The accelerator that is meant. Raises NotOursError for one that is somebody else's."""
    arn, owner = given.get("accelerator_arn"), given["owner"]
    if arn:
        found = api.accelerator(arn)
        if found:
            require_owned(api.tags(arn), owner, arn)
        elif given["state"] == "present":
            raise ValueError(f"accelerator_arn: there is no {arn}")
        return found
    found = api.own(given["name"], owner)
    if found is None and given["state"] == "present":
        for other in api.accelerators():
            if other["Name"] == given["name"]:
                require_owned(api.tags(other["AcceleratorArn"]), owner, f"the accelerator {given['name']}")
    return found


def _wanted_accelerator(before: Given, given: Given) -> shapes.Plain:
    fresh: shapes.Plain = {
        "accelerator_arn": "", "name": given.get("name"), "enabled": True, "ip_address_type": "IPV4",
        "ip_addresses": [], "dns_name": "", "dual_stack_dns_name": "", "status": "IN_PROGRESS",
        "flow_logs": {"enabled": False, "bucket": "", "prefix": ""}, "tags": {},
    }  # fmt: skip
    current = {**fresh, **before}
    tags = wanted_tags(given["tags"] or {}, current["tags"], given["owner"], purge=given["purge_tags"] and
                       given["tags"] is not None)  # fmt: skip
    asked, held = given.get("generation"), generation(current["tags"])
    if asked is not None:
        if asked < held:
            raise NotOursError(f"generation {asked} is older than {held}, which is in force; read it and decide anew")
        tags[GENERATION] = str(asked)
    logs = {**current["flow_logs"], **{k: v for k, v in (given.get("flow_logs") or {}).items() if v is not None}}
    said = _said(given, "name", "enabled", "ip_address_type")
    if not before:
        said |= _said(given, "ip_addresses")
    return {**current, **said, "flow_logs": logs, "tags": dict(sorted(tags.items()))}


def _write_accelerator(api: Api, before: Given, after: Given, given: Given) -> str:
    call = api.client.call
    core = {"Name": after["name"], "IpAddressType": after["ip_address_type"], "Enabled": after["enabled"]}
    if not before:
        tags = [{"Key": key, "Value": value} for key, value in after["tags"].items()]
        # One token a run: a try whose answer got lost makes no second accelerator.
        more = {"IpAddresses": given["ip_addresses"]} if given.get("ip_addresses") else {}
        made = call("create_accelerator", **core, **more, Tags=tags, IdempotencyToken=str(uuid.uuid4()))
        arn = str(made["Accelerator"]["AcceleratorArn"])
    else:
        arn = str(before["accelerator_arn"])
        _write_tags(api, arn, before["tags"], after["tags"])
        if any(before[name] != after[name] for name in ("name", "ip_address_type", "enabled")):
            call("update_accelerator", AcceleratorArn=arn, **core)
    if after["flow_logs"] != before.get("flow_logs", {"enabled": False, "bucket": "", "prefix": ""}):
        logs = after["flow_logs"]
        named = {"FlowLogsS3Bucket": logs["bucket"], "FlowLogsS3Prefix": logs["prefix"]} if logs["bucket"] else {}
        call("update_accelerator_attributes", AcceleratorArn=arn, FlowLogsEnabled=logs["enabled"], **named)
    return arn


def _write_tags(api: Api, arn: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
    gone = sorted(set(before) - set(after))
    if changed:
        api.client.call("tag_resource", ResourceArn=arn, Tags=changed)
    if gone:
        api.client.call("untag_resource", ResourceArn=arn, TagKeys=gone)


def _without_accelerator(api: Api, before: shapes.Plain, given: Given, *, check: bool) -> Result:
    """Disable first, so that no traffic meets what is half gone; then groups, listeners, the accelerator."""
    arn, call = before["accelerator_arn"], api.client.call
    listeners = api.listeners(arn)
    if listeners and not given["delete_listeners"]:
        raise ValueError(f"{arn} has {len(listeners)} listeners: delete them first, or set delete_listeners")
    if not check:
        if before["enabled"]:
            call("update_accelerator", AcceleratorArn=arn, Enabled=False)
        for item in listeners:
            for found in api.groups(item["listener_arn"]):
                call("delete_endpoint_group", EndpointGroupArn=found["endpoint_group_arn"])
            call("delete_listener", ListenerArn=item["listener_arn"])
        api.wait_deployed(arn, given["wait_timeout"])
        call("delete_accelerator", AcceleratorArn=arn)
    return Result(before=before)


def _guarded(api: Api, arn: str, given: Given, what: str) -> None:
    require_owned(api.tags(arn), given["owner"], f"the accelerator of {what}")


def _settled(api: Api, arn: str, given: Given) -> None:
    if given["wait"]:
        api.wait_deployed(accelerator_of(arn), given["wait_timeout"])


def listener(api: Api, given: Given, *, check: bool) -> Result:
    """Make, change or delete a listener: the one of `listener_arn`, else the one that shares a port of the protocol."""
    refuse(shapes.listener_faults(given))
    accelerator_arn = given.get("accelerator_arn") or accelerator_of(given["listener_arn"])
    if api.accelerator(accelerator_arn) is None and given["state"] == "absent":
        return Result()
    _guarded(api, accelerator_arn, given, "the listener")
    before = _this_listener(api.listeners(accelerator_arn), given)
    if given["state"] == "absent":
        if before and not check:
            if api.groups(before["listener_arn"]) and not given["delete_endpoint_groups"]:
                raise ValueError(f"{before['listener_arn']} has endpoint groups: set delete_endpoint_groups")
            for found in api.groups(before["listener_arn"]):
                api.client.call("delete_endpoint_group", EndpointGroupArn=found["endpoint_group_arn"])
            api.client.call("delete_listener", ListenerArn=before["listener_arn"])
            _settled(api, accelerator_arn, given)
        return Result(before=before)
    fresh = {"listener_arn": "", "protocol": "TCP", "client_affinity": "NONE"}
    after = {**fresh, **before, **_said(given, "protocol", "client_affinity", "port_ranges")}
    after["port_ranges"] = sorted(after["port_ranges"], key=lambda item: int(item["from_port"]))
    if before != after and not check:
        words = {"PortRanges": shapes.range_calls(after["port_ranges"]), "Protocol": after["protocol"],
                 "ClientAffinity": after["client_affinity"]}  # fmt: skip
        if before:
            made = api.client.call("update_listener", ListenerArn=before["listener_arn"], **words)
        else:
            token = str(uuid.uuid4())
            made = api.client.call("create_listener", AcceleratorArn=accelerator_arn, IdempotencyToken=token, **words)
        after = shapes.listener(made["Listener"])
        _settled(api, accelerator_arn, given)
    return Result(before=before, after=after)


def _this_listener(listeners: list[shapes.Plain], given: Given) -> shapes.Plain:
    arn, protocol = given.get("listener_arn"), given.get("protocol") or "TCP"

    def same(item: shapes.Plain) -> bool:
        if arn:
            return bool(item["listener_arn"] == arn)
        return item["protocol"] == protocol and shapes.overlaps(item["port_ranges"], given["port_ranges"])

    found = [item for item in listeners if same(item)]
    if len(found) > 1:
        raise ValueError(f"several listeners have these ports: {', '.join(item['listener_arn'] for item in found)}")
    if arn and not found and given["state"] == "present":
        raise ValueError(f"listener_arn: there is no {arn}")
    return found[0] if found else {}


def endpoint_group(api: Api, given: Given, *, check: bool) -> Result:
    """Make, change or delete the endpoint group of a region."""
    refuse(shapes.group_faults(given))
    listener_arn, region = given["listener_arn"], given["endpoint_group_region"]
    known = {item["listener_arn"] for item in api.listeners(accelerator_of(listener_arn))} if api.accelerator(
        accelerator_of(listener_arn)) else set()  # fmt: skip
    if listener_arn not in known:
        if given["state"] == "absent":
            return Result()
        raise ValueError(f"listener_arn: there is no {listener_arn}")
    _guarded(api, listener_arn, given, "the endpoint group")
    before = next((item for item in api.groups(listener_arn) if item["endpoint_group_region"] == region), {})
    if given["state"] == "absent":
        if before and not check:
            api.client.call("delete_endpoint_group", EndpointGroupArn=before["endpoint_group_arn"])
            _settled(api, listener_arn, given)
        return Result(before=_plain(before))
    before, after = _plain(before), _wanted_group(before, given)
    if before != after and not check:
        after = _write_group(api, before, after, listener_arn)
        _settled(api, listener_arn, given)
    return Result(before=before, after=after)


def _plain(found: shapes.Plain) -> shapes.Plain:
    """A group without what it observes: a change of health is no change of ours."""
    if not found:
        return {}
    ends = [{key: value for key, value in item.items() if key != "health_state"} for item in found["endpoints"]]
    return {**found, "endpoints": ends}


def _wanted_group(before: Given, given: Given) -> shapes.Plain:
    fresh = {"endpoint_group_arn": "", "health_check_path": "", "port_overrides": [], "endpoints": []}
    said = _said(
        given, "endpoint_group_region", "traffic_dial", "health_check_port", "health_check_protocol",
        "health_check_path", "health_check_interval", "threshold_count", "port_overrides",
    )  # fmt: skip
    after = {**fresh, **before, **said}
    after["port_overrides"] = sorted(after["port_overrides"], key=lambda item: int(item["listener_port"]))
    purge = given["purge_endpoints"] and given.get("endpoints") is not None
    after["endpoints"] = shapes.merged(after["endpoints"], given.get("endpoints") or [], purge=purge)
    return after


def _write_group(api: Api, before: Given, after: Given, listener_arn: str) -> shapes.Plain:
    words = shapes.group_calls(after)
    if not before or before["endpoints"] != after["endpoints"]:
        words["EndpointConfigurations"] = shapes.endpoint_calls(after["endpoints"])
    if before:
        made = api.client.call("update_endpoint_group", EndpointGroupArn=before["endpoint_group_arn"], **words)
    else:
        region, token = after["endpoint_group_region"], str(uuid.uuid4())
        made = api.client.call(
            "create_endpoint_group", ListenerArn=listener_arn, EndpointGroupRegion=region, IdempotencyToken=token,
            **words,
        )  # fmt: skip
    return _plain(shapes.group(made["EndpointGroup"]))


def info(api: Api, given: Given) -> list[shapes.Plain]:
    """Accelerators with listeners and endpoint groups: the one of an ARN, those of a name, or all."""
    if given.get("accelerator_arn"):
        one = api.accelerator(given["accelerator_arn"])
        wanted = [one] if one else []
    else:
        wanted = [item for item in api.accelerators() if not given.get("name") or item["Name"] == given["name"]]
    found = []
    for item in wanted:
        whole = api.whole(item)
        arn = whole["accelerator_arn"]
        if given.get("owner") and whole["tags"].get(OWNER) != given["owner"]:
            continue
        listeners = [{**one, "endpoint_groups": api.groups(one["listener_arn"])} for one in api.listeners(arn)]
        found.append({**whole, "listeners": listeners})
    return found
