# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and health checks between our form and Route 53's. Pure.

A health check is known by its reference, which Route 53 keeps: owner, key and version. Its version covers what it is
made of, its children's versions too: what changed gets a new check, records move to it, and the old one goes last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ...routing.countries import CONTINENTS
from ..flat import Item

APART = " @ "
"""Between a set identifier and its name: identifiers are unique in the zone, easier to read and to delete by."""

FOREIGN = "health_check/foreign-"
"""What keys of health checks begin with that aren't ours, before their identifier."""


def digest(text: str, size: int) -> str:
    """The first characters of a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:size]


def mark(owner: str) -> str:
    """What references of an owner's health checks begin with."""
    return f"llmv-{digest(owner, 10)}-"


def versions(items: Mapping[str, Item]) -> dict[str, str]:
    """The version of every health check among some items."""
    found: dict[str, str] = {}

    def version(key: str) -> str:
        if key not in found:
            item = items[key]
            made = {**item, "children": [version(child) for child in item.get("children", ())]}
            found[key] = digest(json.dumps(made, sort_keys=True), 16)
        return found[key]

    for key in items:
        if key.startswith("health_check/"):
            version(key)
    return found


def reference(owner: str, key: str, version: str) -> str:
    """The reference of a health check; at most 64 characters."""
    return f"{mark(owner)}{digest(key, 16)}-{version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What names in the zone and references of checks mean: `checks` by key, `keys` the other way."""

    domain: str
    zone: str
    checks: Mapping[str, str]
    keys: Mapping[str, str]
    endpoint_zones: Mapping[str, str]


def config(item: Item, checks: Mapping[str, str]) -> dict[str, Any]:
    """A health check as a call takes it."""
    if item["type"] == "CALCULATED":
        children = sorted(checks[child] for child in item["children"])
        return {"Type": "CALCULATED", "ChildHealthChecks": children, "HealthThreshold": item["threshold"]}
    made: dict[str, Any] = {
        "Type": item["type"],
        "Port": item["port"],
        "ResourcePath": item["path"],
        "RequestInterval": item["interval"],
        "FailureThreshold": item["threshold"],
        "EnableSNI": item["sni"],
        "Inverted": item.get("inverted", False),
    }
    if "search" in item:
        made["SearchString"] = item["search"]
    if item["address"].replace(".", "").isdecimal():
        return {**made, "IPAddress": item["address"], "FullyQualifiedDomainName": item["host"]}
    return {**made, "FullyQualifiedDomainName": item["address"]}


def check(found: Mapping[str, Any], keys: Mapping[str, str], host: str) -> dict[str, Any]:
    """A health check in our form; `host` is what endpoints are asked for by."""
    given = found["HealthCheckConfig"]
    off = {"disabled": True} if given.get("Disabled") else {}
    if given["Type"] == "CALCULATED":
        children = sorted(keys.get(child, f"{FOREIGN}{child}") for child in given.get("ChildHealthChecks") or [])
        return {"type": "CALCULATED", "children": children, "threshold": given["HealthThreshold"], **off}
    made: dict[str, Any] = {
        "type": given["Type"],
        "port": given.get("Port", 443),
        "path": given.get("ResourcePath", "/"),
        "interval": given["RequestInterval"],
        "threshold": given["FailureThreshold"],
        "sni": given.get("EnableSNI", False),
        "address": given.get("IPAddress") or given.get("FullyQualifiedDomainName", ""),
        **off,
    }
    if given.get("SearchString"):
        return {**made, "search": given["SearchString"], "inverted": given.get("Inverted", False)}
    if given.get("Inverted"):
        made["inverted"] = True
    return {**made, "host": given["FullyQualifiedDomainName"] if given.get("IPAddress") else host}


def record(item: Item, zone: Zone) -> dict[str, Any]:
    """A record set as a call takes it. Raises ValueError for a name whose hosted zone isn't known."""
    made: dict[str, Any] = {"Name": item["name"], "Type": item["type"]}
    routing = item.get("routing", {})
    if routing:
        place = item["name"].removesuffix(f".{zone.domain}")
        made["SetIdentifier"] = f"{item['set_identifier']}{APART}{place}"
        made |= _routing(routing)
    if "health_check" in item:
        made["HealthCheckId"] = zone.checks[item["health_check"]]
    if "alias" not in item:
        values = [{"Value": value} for value in item["values"]]
        return {**made, "TTL": item["ttl"], "ResourceRecords": values}
    target = item["alias"]
    own = target.endswith(f".{zone.domain}")
    holder = zone.zone if own else zone.endpoint_zones.get(str(item.get("set_identifier", "")).split()[0], "")
    if not holder:
        raise ValueError(f"{target}: the hosted zone of this name isn't known: set endpoint_zones for its region")
    alias = {"HostedZoneId": holder, "DNSName": target, "EvaluateTargetHealth": item["evaluate_target_health"]}
    return {**made, "AliasTarget": alias}


def _routing(routing: Mapping[str, str]) -> dict[str, Any]:
    if routing["policy"] == "failover":
        return {"Failover": routing["role"]}
    if routing["policy"] == "multivalue":
        return {"MultiValueAnswer": True}
    if "continent" in routing:
        return {"GeoLocation": {"ContinentCode": routing["continent"]}}
    return {"GeoLocation": {"CountryCode": routing["country"]}}


def item(found: Mapping[str, Any], zone: Zone) -> dict[str, Any]:
    """A record set in our form."""
    name = found["Name"].rstrip(".").replace("\\052", "*").lower()
    made: dict[str, Any] = {"name": name, "type": found["Type"]}
    if "SetIdentifier" in found:
        made["set_identifier"] = found["SetIdentifier"].partition(APART)[0]
        made["routing"] = _policy(found)
    if "HealthCheckId" in found:
        named = found["HealthCheckId"]
        made["health_check"] = zone.keys.get(named, f"{FOREIGN}{named}")
    target = found.get("AliasTarget")
    if target:
        alias = target["DNSName"].rstrip(".").lower()
        return {**made, "alias": alias, "evaluate_target_health": target["EvaluateTargetHealth"]}
    return {**made, "values": [value["Value"] for value in found["ResourceRecords"]], "ttl": found["TTL"]}


def _policy(found: Mapping[str, Any]) -> dict[str, str]:
    if "Failover" in found:
        return {"policy": "failover", "role": found["Failover"]}
    if "GeoLocation" in found:
        place = found["GeoLocation"]
        if place.get("ContinentCode"):
            return {"policy": "geolocation", "continent": place["ContinentCode"]}
        return {"policy": "geolocation", "country": place["CountryCode"]}
    if "Weight" in found:
        return {"policy": "weighted", "weight": str(found["Weight"])}
    return {"policy": "multivalue" if found.get("MultiValueAnswer") else "simple"}


def key(found: Item) -> str:
    """The key of a record in our form."""
    words = [found["name"], found["type"], *([found["set_identifier"]] if "set_identifier" in found else [])]
    return "/".join(["record", *words])


def is_ours(name: str, kind: str, domain: str) -> bool:
    """Whether a record set of the zone is one that we publish."""
    own = name in (f"api.{domain}", f"edges.front-door.{domain}") or name.endswith(f".routing.{domain}")
    return kind in ("A", "CNAME") and (own or name == f"*.{domain}")


CONTINENT_CODES: Collection[str] = frozenset(CONTINENTS)
