# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Global Accelerator's things as plain data with names as options have them, and what changes in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Plain = dict[str, Any]

ENDPOINT = re.compile(
    r"eipalloc-[0-9a-f]{8,17}|i-[0-9a-f]{8,17}"
    r"|arn:(?P<partition>aws(-[a-z]+)*):elasticloadbalancing:(?P<region>[a-z0-9-]+):\d{12}:loadbalancer/(app|net)/[^/]+/[0-9a-f]+"
)
"""What can be an endpoint: an Elastic IP's allocation, an instance, an application or network load balancer."""

NAME = re.compile(r"[A-Za-z0-9.]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")
WEIGHT, DIAL = 128, 100.0
"""What the service takes for an endpoint's weight and a group's dial when nothing is said."""

_GROUP: Mapping[str, str] = {
    "traffic_dial": "TrafficDialPercentage",
    "health_check_port": "HealthCheckPort",
    "health_check_protocol": "HealthCheckProtocol",
    "health_check_path": "HealthCheckPath",
    "health_check_interval": "HealthCheckIntervalSeconds",
    "threshold_count": "ThresholdCount",
}


def accelerator(found: Mapping[str, Any], tags: Mapping[str, str], attributes: Mapping[str, Any]) -> Plain:
    """An accelerator with its tags and flow logs."""
    sets = found.get("IpSets", [])
    return {
        "accelerator_arn": found["AcceleratorArn"],
        "name": found["Name"],
        "enabled": found["Enabled"],
        "ip_address_type": found["IpAddressType"],
        "ip_addresses": [address for item in sets for address in item.get("IpAddresses", [])],
        "dns_name": found.get("DnsName", ""),
        "dual_stack_dns_name": found.get("DualStackDnsName", ""),
        "status": found["Status"],
        "flow_logs": {
            "enabled": attributes.get("FlowLogsEnabled", False),
            "bucket": attributes.get("FlowLogsS3Bucket", ""),
            "prefix": attributes.get("FlowLogsS3Prefix", ""),
        },
        "tags": dict(sorted(tags.items())),
    }


def listener(found: Mapping[str, Any]) -> Plain:
    """A listener."""
    return {
        "listener_arn": found["ListenerArn"],
        "protocol": found["Protocol"],
        "port_ranges": sorted(
            ({"from_port": item["FromPort"], "to_port": item["ToPort"]} for item in found["PortRanges"]),
            key=lambda item: item["from_port"],
        ),
        "client_affinity": found.get("ClientAffinity", "NONE"),
    }


def group(found: Mapping[str, Any]) -> Plain:
    """An endpoint group with its endpoints."""
    named = {name: found[key] for name, key in _GROUP.items() if key in found}
    return {
        "endpoint_group_arn": found["EndpointGroupArn"],
        "endpoint_group_region": found["EndpointGroupRegion"],
        "health_check_path": "",
        **named,
        "port_overrides": sorted(
            ({"listener_port": item["ListenerPort"], "endpoint_port": item["EndpointPort"]}
             for item in found.get("PortOverrides", [])),
            key=lambda item: item["listener_port"],
        ),
        "endpoints": sorted(
            ({"endpoint_id": item["EndpointId"], "weight": item.get("Weight", WEIGHT),
              "client_ip_preservation": item.get("ClientIPPreservationEnabled", False),
              "health_state": item.get("HealthState", "")} for item in found.get("EndpointDescriptions", [])),
            key=lambda item: item["endpoint_id"],
        ),
    }  # fmt: skip


def merged(current: Iterable[Plain], given: Iterable[Mapping[str, Any]], *, purge: bool) -> list[Plain]:
    """The endpoints that a group should have: those given, and the others unless they are purged.

    What isn't said of an endpoint (its weight, whether the client's address is kept) stays as it is: a weight is often
    another tool's, and 0 is one. New ones get the service's own values.
    """
    held = {item["endpoint_id"]: dict(item) for item in current}
    wanted = {name: item for name, item in held.items() if not purge}
    for item in given:
        said = {key: value for key, value in item.items() if value is not None}
        wanted[item["endpoint_id"]] = {**held.get(item["endpoint_id"], {"weight": WEIGHT}), **said}
    for item in wanted.values():
        item.pop("health_state", None)
    return sorted(wanted.values(), key=lambda item: str(item["endpoint_id"]))


def endpoint_calls(endpoints: Iterable[Plain]) -> list[dict[str, Any]]:
    """Endpoints as a call takes them."""
    names = {"endpoint_id": "EndpointId", "weight": "Weight", "client_ip_preservation": "ClientIPPreservationEnabled"}
    return [{key: item[name] for name, key in names.items() if name in item} for item in endpoints]


def group_calls(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of a group a call takes, with what isn't said left out."""
    found = {key: wanted[name] for name, key in _GROUP.items() if wanted.get(name) not in (None, "")}
    if wanted.get("port_overrides") is not None:
        found["PortOverrides"] = [
            {"ListenerPort": item["listener_port"], "EndpointPort": item["endpoint_port"]}
            for item in wanted["port_overrides"]
        ]
    return found


def range_calls(ranges: Iterable[Mapping[str, int]]) -> list[dict[str, int]]:
    """Ranges of ports as a call takes them."""
    return [{"FromPort": item["from_port"], "ToPort": item["to_port"]} for item in ranges]


def overlaps(some: Iterable[Mapping[str, int]], others: Iterable[Mapping[str, int]]) -> bool:
    """Whether two lists of ranges share a port."""
    known = list(others)
    return any(a["from_port"] <= b["to_port"] and b["from_port"] <= a["to_port"] for a in some for b in known)


def group_faults(given: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the options of a group; botocore checks no bounds, and AWS tells one at a time."""
    faults = []
    bounds = {"traffic_dial": (0, 100), "health_check_port": (1, 65535), "threshold_count": (1, 10)}
    for name, (low, high) in bounds.items():
        value = given.get(name)
        if value is not None and not low <= value <= high:
            faults.append(f"{name}: {value:g} is not within {low} to {high}")
    path = given.get("health_check_path")
    if path and not re.fullmatch(r"/[-a-zA-Z0-9@:%_\\+.~#?&/=]{0,254}", path):
        faults.append(f"health_check_path: {path!r} is no path")
    faults += _port_faults(given.get("port_overrides") or [])
    return faults + endpoint_faults(given.get("endpoint_group_region", ""), given.get("endpoints") or [])


def endpoint_faults(region: str, endpoints: Iterable[Mapping[str, Any]]) -> list[str]:
    """Everything that is wrong with endpoints."""
    faults, seen = [], set()
    for item in endpoints:
        name, weight = str(item["endpoint_id"]), item.get("weight")
        known = ENDPOINT.fullmatch(name)
        if not known:
            faults.append(f"endpoints: {name!r} is no ARN of a load balancer, no allocation of an address, no instance")
        elif known["region"] and region and known["region"] != region:
            faults.append(f"endpoints: {name} is in {known['region']}, not in {region}")
        if name in seen:
            faults.append(f"endpoints: {name} is named twice")
        if weight is not None and not 0 <= weight <= 255:
            faults.append(f"endpoints: the weight {weight} of {name} is not within 0 to 255")
        seen.add(name)
    return faults + (["endpoints: more than 10 in a group"] if len(seen) > 10 else [])


def _port_faults(overrides: Iterable[Mapping[str, int]]) -> list[str]:
    ports = [port for item in overrides for port in (item["listener_port"], item["endpoint_port"])]
    faults = [f"port_overrides: {port} is no port" for port in ports if not 1 <= port <= 65535]
    return faults + (["port_overrides: more than 10"] if len(ports) > 20 else [])


def listener_faults(given: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the options of a listener."""
    faults, ranges = [], given.get("port_ranges") or []
    if given.get("port_ranges") is not None and not 1 <= len(ranges) <= 10:
        faults.append(f"port_ranges: {len(ranges)} ranges, not 1 to 10")
    for item in ranges:
        if not 1 <= item["from_port"] <= item["to_port"] <= 65535:
            faults.append(f"port_ranges: {item['from_port']} to {item['to_port']} is no range of ports")
    if any(overlaps([item], ranges[:place]) for place, item in enumerate(ranges)):
        faults.append("port_ranges: a port is named twice")
    return faults
