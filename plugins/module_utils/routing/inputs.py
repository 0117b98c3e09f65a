# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions, front door and hosts as plain data, picked out of an inventory's variables."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from .variables import NODE, PROVIDERS, REGION, ROLES, SECRETS_ENVIRONMENT, SELECTED, as_boolean

Reader = Callable[[str, str], tuple[Any, str]]
"""(host, variable) to its value and, where there is none, the reason or an empty text."""

Groups = Mapping[str, Iterable[str]]

_GROUPS = ("primary", "secondary", "local_nodes", *ROLES, *PROVIDERS)


def routing_inputs(
    variables: Mapping[str, Iterable[str]], groups: Groups, read: Reader, environment: Container[str] = ()
) -> dict[str, Any]:
    """Pick what routing needs.

    `variables` names each host's variables, whose values come from `read` alone; `environment` holds the names of the
    environment variables that are set.
    """
    hosts = {host: _host(host, names, groups, read, environment) for host, names in variables.items()}
    policy = _first(hosts, "routing_policy", read)
    door = policy.get("front_door") if isinstance(policy, Mapping) else None
    networks, proxies = _door(door)
    for host in _in(groups, "clients", hosts):
        network, _reason = read(host, "node_network")
        if network and "client_country" in hosts[host]:
            networks[str(network)] = hosts[host]["client_country"]
    return {
        "regions": [
            _region(host, order, hosts[host], _in(groups, "primary", hosts))
            for order, host in enumerate(_in(groups, "regions", hosts))
        ],
        "edges": [_machine(host, hosts[host]) for host in _in(groups, "edge", hosts)],
        "static_site": [_machine(host, hosts[host]) for host in _in(groups, "static_site", hosts)],
        "networks": networks,
        "trusted_proxies": proxies,
        "groups": {group: _in(groups, group, hosts) for group in _GROUPS},
        "hosts": hosts,
    }


def _in(groups: Groups, group: str, hosts: Mapping[str, object]) -> list[str]:
    return [str(host) for host in groups.get(group, ()) if host in hosts]


def _first(hosts: Iterable[str], name: str, read: Reader) -> Any:
    return next((value for value, _reason in (read(host, name) for host in hosts) if value is not None), None)


def _door(door: object) -> tuple[dict[str, Any], list[str]]:
    networks = door.get("networks") if isinstance(door, Mapping) else None
    proxies = door.get("trusted_proxies") if isinstance(door, Mapping) else None
    return (
        dict(networks) if isinstance(networks, Mapping) else {},
        [str(proxy) for proxy in proxies] if isinstance(proxies, (list, tuple)) else [],
    )


def _host(host: str, names: Iterable[str], groups: Groups, read: Reader, environment: Container[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"groups": sorted(group for group, found in groups.items() if host in found)}
    undefined: dict[str, str] = {}
    for name in SELECTED:
        value, reason = read(host, name)
        if reason:
            undefined[name] = reason
        elif value is not None:
            facts[name] = value
    known = [*REGION, *NODE]
    unknown = [name for name in names if name not in SELECTED and get_close_matches(name, known, 1, 0.85)]
    secrets, reason = _secrets(host, read, environment)
    if reason:
        undefined["secrets_values"] = reason
    return {**facts, "undefined": undefined, "unknown": sorted(unknown), "secrets": secrets}


def _secrets(host: str, read: Reader, environment: Container[str]) -> tuple[dict[str, bool], str]:
    """Which secrets are given, and whether missing ones may be generated; never a value, nor a message with one."""
    found, reasons = {}, set()
    for variable in ("secrets_values", "secrets_region_values", "secrets_files", "secrets_environment"):
        found[variable], reason = read(host, variable)
        reasons.add(reason)
    variables = found.pop("secrets_environment")
    names = SECRETS_ENVIRONMENT | (dict(variables) if isinstance(variables, Mapping) else {})
    present = {str(name): True for name, variable in names.items() if variable in environment}
    for given in found.values():
        if isinstance(given, Mapping):
            present |= {str(name): True for name, value in given.items() if value}
    generate, _reason = read(host, "secrets_generate")
    hidden = "can't be decrypted or worked out" if any(reasons) else ""
    return {**present, "generate": generate is None or bool(as_boolean(generate))}, hidden


def _region(host: str, order: int, facts: Mapping[str, Any], primary: list[str]) -> dict[str, Any]:
    return {
        "name": host,
        "geography": facts.get("region_geography", ""),
        "endpoint": facts.get("region_endpoint", ""),
        "weight": facts.get("region_weight", 1),
        "capacity_rps": facts.get("region_capacity_rps", 0),
        "provider": facts.get("region_provider", ""),
        "location": facts.get("region_location", ""),
        "labels": facts.get("region_labels", {}),
        "primary": host in primary,
        "order": order,
    }


def _machine(host: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    node = facts.get("node_address", "")
    return {"name": host, "address": facts.get("node_public_address", node), "node_address": node}
