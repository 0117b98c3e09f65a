# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accelerator of a policy: found, read back into our form, published. Weights and dials are the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...aws.accelerator import manage, shapes
from ...aws.accelerator.api import Api
from ...aws.owner import generation
from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..flat import Item, pack, under, unpack
from ..places import location
from .compile import desired
from .settings import Settings

_FOREIGN = "foreign-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What there is; `groups` are the listener's by location, as plain data."""

    accelerator: Mapping[str, Any] = field(default_factory=dict)
    listener: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, shapes.Plain] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """The generation in force."""
        return generation(self.tags)


class Fleet:
    """One policy's accelerator. `table` is the policy's, without a decision."""

    def __init__(self, table: RoutingTable, site: Site, settings: Settings) -> None:
        self.table, self.site, self.settings = table, site, settings
        self.name = settings.name or table.policy.domain
        self.places = {region.name: location(region) for region in table.regions}

    @cached_property
    def api(self) -> Api:
        """The calls."""
        return Api(self.settings.access)

    @cached_property
    def arns(self) -> tuple[str, str]:
        """Accelerator and listener; empty where there is none. They don't change, so they are looked up once."""
        found = self.api.own(self.name, self.settings.owner)
        if found is None:
            return "", ""
        arn = str(found["AcceleratorArn"])
        listeners = [item for item in self.api.listeners(arn) if item["protocol"] == "TCP"]
        return arn, str(listeners[0]["listener_arn"]) if listeners else ""

    def steered(self) -> Held:
        """What a decision changes, and the generation: two calls once the accelerator is known."""
        arn, listener = self.arns
        if not listener:
            return Held()
        groups = {item["endpoint_group_region"]: item for item in self.api.groups(listener)}
        return Held(groups=groups, tags=self.api.tags(arn))

    def read(self) -> Held:
        """Everything."""
        arn, listener = self.arns
        found = self.api.accelerator(arn) if arn else None
        if not found or not listener:
            return Held()
        steered = self.steered()
        one = next(item for item in self.api.listeners(arn) if item["listener_arn"] == listener)
        whole = shapes.accelerator(found, steered.tags, {})
        return Held(accelerator=whole, listener=one, groups=steered.groups, tags=steered.tags)

    def names(self) -> dict[str, str]:
        """Endpoint to region."""
        return {given: name for name, given in self.settings.endpoints.items()}

    def name_of(self, endpoint: str) -> str:
        """The region of an endpoint; a name of its own for one that isn't ours."""
        return self.names().get(endpoint, f"{_FOREIGN}{endpoint}")

    def records(self, held: Held) -> Records:
        """What there is in the compiler's form; endpoints that aren't ours have names of their own."""
        known = {region.name: region.endpoint for region in self.table.regions}
        items: dict[str, Item] = {
            "accelerator": {key: held.accelerator[key] for key in ("name", "enabled", "ip_address_type")},
            "listener": {
                "protocol": held.listener["protocol"],
                "ports": [item["from_port"] for item in held.listener["port_ranges"]],
                "client_affinity": held.listener["client_affinity"],
            },
        }
        for code, group in held.groups.items():
            items[f"endpoint_group/{code}"] = _group(code, group)
            for end in group["endpoints"]:
                name = self.name_of(end["endpoint_id"])
                address = known.get(name, end["endpoint_id"])
                items[f"endpoint/{name}"] = {"group": code, "endpoint": address, "weight": end["weight"]}
        return pack(held.generation, items)

    def publish(self, *, check: bool) -> list[manage.Result]:
        """Have accelerator, listener and groups; weights and dials that are there stay. Raises ValueError, AwsError."""
        manage.refuse(self.settings.faults(self.places))
        items = unpack(desired(self.table, self.site))
        base = {"owner": self.settings.owner, "state": "present", "wait": False, "wait_timeout": 0}
        given = {**base, **items["accelerator"], "name": self.name, "tags": dict(self.settings.tags),
                 "purge_tags": False}  # fmt: skip
        results = [manage.accelerator(self.api, given, check=check)]
        arn = results[0].after["accelerator_arn"]
        if not arn:  # check mode before there is one: what would be made
            groups = [{"endpoint_group_region": code} for code in under(items, "endpoint_group")]
            return [*results, *(manage.Result(after=after) for after in (dict(items["listener"]), *groups))]
        ports = [{"from_port": port, "to_port": port} for port in items["listener"]["ports"]]
        listener = {**base, "accelerator_arn": arn, "protocol": "TCP", "client_affinity": "NONE", "port_ranges": ports}
        results.append(manage.listener(self.api, listener, check=check))
        results += self._groups(results[1].after["listener_arn"], items, base, check=check)
        self.__dict__.pop("arns", None)
        if not check and self.settings.wait_seconds and any(result.changed for result in results):
            self.api.wait_deployed(arn, self.settings.wait_seconds)
        return results

    def withdraw(self, *, check: bool) -> manage.Result:
        """Take the accelerator away with all that is below it, if it is this owner's."""
        given = {"state": "absent", "name": self.name, "owner": self.settings.owner, "tags": None,
                 "delete_listeners": True, "wait_timeout": self.settings.wait_seconds or 600}  # fmt: skip
        return manage.accelerator(self.api, given, check=check)

    def _groups(
        self, listener: str, items: Mapping[str, Item], base: Mapping[str, Any], *, check: bool
    ) -> list[manage.Result]:
        """The groups of the policy's locations; the endpoint of a region that left goes, others stay."""
        if not listener:
            return [manage.Result(after={"endpoint_group_region": code}) for code in under(items, "endpoint_group")]
        ours, results = self.names(), []
        there = {item["endpoint_group_region"]: item for item in self.api.groups(listener)}
        wanted = under(items, "endpoint_group")
        for code in sorted({*wanted, *there}):
            own = [self.settings.endpoints[name] for name, place in self.places.items() if place == code]
            held = [item["endpoint_id"] for item in there.get(code, {"endpoints": []})["endpoints"]]
            foreign = [name for name in held if name not in ours]
            if code not in wanted and foreign:
                continue
            state = "present" if code in wanted else "absent"
            given = {**base, "state": state, "listener_arn": listener, "endpoint_group_region": code,
                     "endpoints": [{"endpoint_id": name} for name in [*own, *foreign]], "purge_endpoints": True,
                     **(_check(wanted[code]) if code in wanted else {})}  # fmt: skip
            results.append(manage.endpoint_group(self.api, given, check=check))
        return results


def _group(code: str, group: shapes.Plain) -> Item:
    check = {
        "protocol": group["health_check_protocol"],
        "port": group["health_check_port"],
        "path": group["health_check_path"],
        "interval": group["health_check_interval"],
        "threshold": group["threshold_count"],
    }
    return {"region": code, "traffic_dial": round(group["traffic_dial"]), "health_check": check}


def _check(item: Item) -> dict[str, Any]:
    check = item["health_check"]
    return {
        "health_check_protocol": check["protocol"],
        "health_check_port": check["port"],
        "health_check_path": check["path"],
        "health_check_interval": check["interval"],
        "threshold_count": check["threshold"],
    }
