# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the account holds of the front door's records and health checks, read back into our form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...aws.accelerator import api as accelerator
from ...aws.owner import NotOursError
from ...aws.route53 import Api
from ...routing.model import Machine, Site
from ..expectation import STATIC
from ..flat import Item
from . import wire
from .settings import Settings

MARKER = "_llm-verifier"
"""The name of the TXT record that says whose the records are, and of which generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A health check of ours: its key and version by its reference, and what it is."""

    id: str
    key: str
    version: str
    item: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Records and health checks in our form; `raw` are the record sets by key, as Route 53 wants them to delete them.

    `checks` are ours by identifier, `foreign` what our records name besides.
    """

    zone: str
    owner: str = ""
    generation: int = 0
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: dict[str, dict[str, Any]] = field(default_factory=dict)
    marker: dict[str, Any] | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    foreign: dict[str, dict[str, Any]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()

    def items(self) -> dict[str, Item]:
        """What is in force, as the compiler would say it: records, and the checks that they lead to."""
        found: dict[str, Item] = {f"{wire.FOREIGN}{name}": item for name, item in self.foreign.items()}
        found |= {check.key: check.item for name, check in self.checks.items() if name in self.named}
        return {**found, **self.records}

    def disabled(self) -> list[str]:
        """The keys of our health checks that somebody disabled: they are healthy whatever is decided."""
        return sorted(check.key for check in self.checks.values() if check.item.get("disabled"))


def with_load_balancer(site: Site, settings: Settings, *, planned: bool = False) -> Site:
    """The site with the addresses of this owner's accelerator as its edges, and a static site, as the settings say.

    Raises NotOursError when there is no accelerator, unless it is only `planned` too.
    """
    if settings.static_site:
        site = replace(site, static_site=Machine(name=STATIC, address=settings.static_site))
    if not settings.load_balancer:
        return site
    api = accelerator.Api(settings.access)
    found = api.own(settings.load_balancer, settings.owner)
    if found is None and planned:
        return site
    if found is None:
        raise NotOursError(f"there is no accelerator {settings.load_balancer} of {settings.owner}: publish it first")
    ip = [address for one in found["IpSets"] if one.get("IpAddressFamily") != "IPv6" for address in one["IpAddresses"]]
    edges = tuple(Machine(name=f"accelerator-{number}", address=address) for number, address in enumerate(ip, 1))
    return replace(site, edges=edges)


def read(api: Api, zone: str, domain: str, settings: Settings, keys: Collection[str]) -> Held:
    """Read what is there; `keys` are the health checks that a table has, since a reference holds only a digest."""
    listed, sets = api.checks(), api.records(zone)
    by_digest = {wire.digest(key, 16): key for key in keys}
    known, ours = {}, wire.mark(settings.owner)
    for item in listed:
        if item["CallerReference"].startswith(ours):
            told, _dash, version = item["CallerReference"].removeprefix(ours).partition("-")
            known[item["Id"]] = (by_digest.get(told, f"health_check/gone-{told}"), version)
    names = {name: key for name, (key, _version) in known.items()}
    view = wire.Zone(domain=domain, zone=zone, checks={}, keys=names, endpoint_zones=settings.endpoint_zones)
    host = f"api.{domain}"
    configs = {item["Id"]: wire.check(item, names, host) for item in listed}
    checks = {
        name: Check(id=name, key=key, version=version, item=configs[name]) for name, (key, version) in known.items()
    }
    held = Held(zone=zone, checks=checks)
    mine = [item for item in sets if wire.is_ours(_name(item), item["Type"], domain)]
    for raw in mine:
        item = wire.item(raw, view)
        held.records[wire.key(item)], held.raw[wire.key(item)] = item, raw
    marker = next((item for item in sets if _name(item) == f"{MARKER}.{domain}" and item["Type"] == "TXT"), None)
    named = _reached({raw["HealthCheckId"] for raw in mine if "HealthCheckId" in raw}, listed)
    foreign = {name: configs[name] for name in named - set(known) if name in configs}
    owner, generation = _marked(marker)
    return replace(
        held, owner=owner, generation=generation, marker=marker, foreign=foreign, named=frozenset(named)
    )  # fmt: skip


def _name(found: Mapping[str, Any]) -> str:
    return str(found["Name"]).rstrip(".").replace("\\052", "*").lower()


def _reached(start: set[str], listed: list[dict[str, Any]]) -> set[str]:
    children = {item["Id"]: item["HealthCheckConfig"].get("ChildHealthChecks") or [] for item in listed}
    found, waiting = set(start), list(start)
    while waiting:
        new = set(children.get(waiting.pop(), [])) - found
        found |= new
        waiting += new
    return found


def marker(domain: str, owner: str, generation: int) -> dict[str, Any]:
    """The record set that says whose the records are."""
    text = f'"owner={owner} generation={generation}"'
    return {"Name": f"{MARKER}.{domain}", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": text}]}


def _marked(found: Mapping[str, Any] | None) -> tuple[str, int]:
    values = [item["Value"].strip('"') for item in (found or {}).get("ResourceRecords", [])]
    words = dict(word.split("=", 1) for value in values for word in value.split() if "=" in word)
    generation = words.get("generation", "")
    return words.get("owner", ""), int(generation) if generation.isdecimal() else 0
