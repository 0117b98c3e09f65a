# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish the whole policy in Route 53 beforehand: buckets, health checks, records, so that nothing breaks meanwhile.

New health checks come first, then the records in batches that are done wholly or not at all, then what nobody needs any
more goes. The marker record is replaced in the same batch and has to be as it was read: of two writers one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...aws import objects
from ...aws.owner import OWNER, NotOursError, owned
from ...aws.route53 import Api
from ...routing.diff import diff
from ...routing.model import RoutingTable, Site
from ...routing.records import CREATE, DELETE, UPDATE, Plan, Records, Step
from ...routing.safety import gate_plan, require
from ..flat import Item, pack, under, unpack
from . import held as state
from . import wire
from .check import problems
from .compile import desired
from .settings import Settings

_OLD = "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What has to be (was) done: steps for records and health checks, words for buckets; what an operator disabled."""

    plan: Plan
    buckets: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there was (is) anything to do."""
        return bool(self.plan.steps or self.buckets)


class Publisher:
    """One policy's records in one zone. `table` is the policy's, without a decision.

    `planned` is for a look ahead: a load balancer that isn't there yet is left out.
    """

    def __init__(self, table: RoutingTable, site: Site, settings: Settings, *, planned: bool = False) -> None:
        self.table, self.settings, self._site, self._planned = table, settings, site, planned
        self.domain = table.policy.domain

    @cached_property
    def api(self) -> Api:
        """The calls."""
        return Api(self.settings.access)

    @cached_property
    def zone(self) -> str:
        """The hosted zone."""
        return self.settings.zone_id or self.api.zone(self.domain)

    @cached_property
    def site(self) -> Site:
        """The site with the load balancer's addresses."""
        return state.with_load_balancer(self._site, self.settings, planned=self._planned)

    @cached_property
    def wanted(self) -> dict[str, Item]:
        """Records and health checks, without admissions. Raises CompileError, or InvalidError with every fault."""
        items = unpack(desired(self.table, self.site, homes=self.settings.homes))
        kept = {key: item for key, item in items.items() if not key.startswith("admission/")}
        require(problems(kept, self.domain, private=self.settings.private))
        return kept

    def read(self) -> state.Held:
        """What is there."""
        keys = [key for key in self.wanted if key.startswith("health_check/")]
        return state.read(self.api, self.zone, self.domain, self.settings, keys)

    def run(self, *, check: bool) -> Published:
        """Plan, and do it unless `check`. Raises NotOursError, RefusedError, InvalidError, AwsError."""
        self.wanted.keys()  # worked out, and so refused, before any call for records
        held = self.read()
        if held.owner != self.settings.owner and (held.owner or held.records):
            whose = f"belong to {held.owner!r}" if held.owner else "have no owner's marker"
            raise NotOursError(
                f"the records of {self.domain} {whose}, so they aren't touched: take them away, or hand them over by a "
                f'TXT record {state.MARKER}.{self.domain} "owner={self.settings.owner}"'
            )
        plan = self.plan(held)
        buckets = self._buckets(check=check)
        if not check and plan.steps:
            self._apply(plan, held)
        return Published(plan=plan, buckets=tuple(buckets), disabled=tuple(held.disabled()))

    def withdraw(self, *, check: bool) -> list[str]:
        """Take away what is this owner's: records from the top, health checks, buckets. Words for what goes."""
        held, settings = self.read(), self.settings
        done, depths = [], _depths(held.records)
        if held.owner == settings.owner and held.marker:
            keys = sorted(held.records, key=lambda key: -depths[held.records[key]["name"]])
            done = [f"- {key}" for key in keys]
            if not check:
                gone = [_change("DELETE", held.raw[key]) for key in keys]
                self.api.change(self.zone, [*gone, _change("DELETE", held.marker)], "withdrawn")
        for one in sorted(held.checks.values(), key=lambda item: item.item["type"] != "CALCULATED"):
            done.append(f"- {one.key}")
            if not check:
                self.api.delete_check(one.id)
        for name, location in settings.switches:
            bucket = objects.Bucket(name, location, settings.access)
            if owned(bucket.tags() or {}, settings.owner):
                done.append(f"- bucket {name}")
                if not check:
                    bucket.empty_and_delete()
        return done

    def plan(self, held: state.Held) -> Plan:
        """The steps from what is there to what is wanted."""
        existing = pack(held.generation, _comparable(held))
        records = pack(held.generation, versioned(self.wanted))
        found = diff("route53", existing, records)
        require(gate_plan(found, existing))
        return Plan(backend=found.backend, generation=held.generation + bool(found.steps), steps=found.steps)

    def _buckets(self, *, check: bool) -> list[str]:
        settings, done = self.settings, []
        networks: Sequence[str] = settings.checker_networks
        if settings.switches and not networks:
            networks = self.api.client.call("get_checker_ip_ranges")["CheckerIpRanges"]
        for name, location in settings.switches:
            bucket = objects.Bucket(name, location, settings.access)
            policy = objects.readable_by(name, settings.key, networks)
            done += objects.ensure(bucket, settings.owner, settings.tags, policy, check=check)
        return done

    def _apply(self, plan: Plan, held: state.Held) -> None:
        checks = self._have_checks(held)
        zone = wire.Zone(
            domain=self.domain, zone=self.zone, checks=checks, keys={}, endpoint_zones=self.settings.endpoint_zones
        )
        self.api.change(self.zone, self._changes(plan, held, zone), f"generation {plan.generation}")
        kept = set(checks.values())
        gone = [check for check in held.checks.values() if check.id not in kept]
        for check in sorted(gone, key=lambda item: item.item["type"] != "CALCULATED"):
            self.api.delete_check(check.id)

    def _have_checks(self, held: state.Held) -> dict[str, str]:
        """Every wanted health check's identifier; those that aren't there are made, children first."""
        # Of two alike the one that records name wins, or it would be taken away as the one too many.
        by_use = sorted(held.checks.values(), key=lambda check: check.id in held.named)
        there = {(check.key, check.version): check for check in by_use}
        made: dict[str, str] = {}
        wanted, all_versions = self.wanted, wire.versions(self.wanted)
        for key in sorted(all_versions, key=lambda key: (wanted[key]["type"] == "CALCULATED", key)):
            config, found = wire.config(wanted[key], made), there.get((key, all_versions[key]))
            if found is None:
                tags = {**self.settings.tags, "Name": key.removeprefix("health_check/"), OWNER: self.settings.owner}
                made[key] = self.api.create_check(
                    wire.reference(self.settings.owner, key, all_versions[key]), config, tags
                )
                continue
            made[key] = found.id
            if {**found.item, "disabled": True} != {**wanted[key], "disabled": True}:
                self.api.update_check(found.id, config)
        return made

    def _changes(self, plan: Plan, held: state.Held, zone: wire.Zone) -> list[dict[str, Any]]:
        steps = [step for step in plan.steps if step.key.startswith("record/")]
        depths = _depths({**self.wanted, **held.records})
        names = {step.key: (self.wanted.get(step.key) or held.records[step.key])["name"] for step in steps}
        come = sorted((step for step in steps if step.action != DELETE), key=lambda step: depths[names[step.key]])
        go = sorted((step for step in steps if step.action == DELETE), key=lambda step: -depths[names[step.key]])
        changes = [_change("DELETE", held.marker)] if held.marker else []
        changes.append(_change("CREATE", state.marker(self.domain, self.settings.owner, plan.generation)))
        for step in (*come, *go):
            changes += self._change_of(step, held, zone)
        return changes

    def _change_of(self, step: Step, held: state.Held, zone: wire.Zone) -> list[dict[str, Any]]:
        """A change of routing takes the old record away in the same batch: no moment has two of one role."""
        before = held.raw.get(step.key)
        if step.action == DELETE:
            return [_change("DELETE", before or {})]
        put = _change("UPSERT", wire.record(self.wanted[step.key], zone))
        if before and held.records[step.key].get("routing") != self.wanted[step.key].get("routing"):
            return [_change("DELETE", before), put]
        return [put]


def _change(action: str, found: Mapping[str, Any]) -> dict[str, Any]:
    return {"Action": action, "ResourceRecordSet": dict(found)}


def _depths(items: Mapping[str, Item]) -> dict[str, int]:
    """How many aliases lie below each name: what is pointed at has to be there first."""
    below: dict[str, set[str]] = {}
    for item in under(items, "record").values():
        below.setdefault(item["name"], set()).add(item.get("alias", ""))
    found: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in found:
            found[name] = 0
            found[name] = 1 + max((depth(target) for target in below[name] if target in below), default=0)
        return found[name]

    for name in below:
        depth(name)
    return found


def versioned(wanted: Mapping[str, Item]) -> dict[str, Item]:
    """What is wanted, with the versions of health checks, so that a new version is a change of all that names it."""
    known = wire.versions(wanted)
    found: dict[str, Item] = {}
    for key, item in wanted.items():
        version = known.get(key) or known.get(item.get("health_check", ""), "")
        found[key] = {**item, "version": version} if version else item
    return found


def _comparable(held: state.Held) -> dict[str, Item]:
    """What is there in the same form; a check that nothing leads to has a key of its own and so is taken away."""
    found: dict[str, Item] = {}
    for check in held.checks.values():
        key = check.key if check.id in held.named else f"{check.key}{_OLD}{check.version}"
        plain = {name: value for name, value in check.item.items() if name != "disabled"}
        found[key] = {**plain, "version": check.version}
    for key, item in held.records.items():
        named = held.checks.get(held.raw[key].get("HealthCheckId", ""))
        found[key] = {**item, "version": named.version} if named else item
    return found


def words(plan: Plan) -> list[str]:
    """A plan in a line a step."""
    verbs = {CREATE: "+", UPDATE: "~", DELETE: "-"}
    return [f"{verbs[step.action]} {step.key}" for step in plan.steps]


def in_force(held: state.Held, admissions: Mapping[str, int]) -> Records:
    """What is there, with the admissions in force, for `simulate`."""
    switches = {f"admission/{name}": {"value": value} for name, value in admissions.items()}
    return pack(held.generation, {**held.items(), **switches})
