# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with hosts, groups and their variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, ip_network
from typing import Any

from .errors import Problem
from .model import LABEL, LABEL_TEXT, Policy
from .rules import Rule, check, show
from .variables import (
    CLUSTER_NETWORKS,
    JWT_SECRET,
    NODE,
    PROVIDERS,
    REGION,
    REGION_REQUIRED,
    RESERVED,
    ROLES,
    RUN,
    RUN_REQUIRED,
    SECRETS_ENVIRONMENT,
    as_boolean,
)

Hosts = Mapping[str, Mapping[str, Any]]


def members(hosts: Hosts, group: str) -> list[str]:
    """The hosts of a group, by name."""
    return sorted(name for name, facts in hosts.items() if group in facts.get("groups", ()))


def check_inventory(hosts: Hosts, policy: Policy) -> Iterator[Problem]:
    """Every fault of the inventory. Each host has its variables, `groups`, `undefined`, `unknown` and `secrets`."""
    yield from _names(hosts)
    yield from _roles(hosts)
    yield from _primary(hosts)
    yield from _variables(hosts)
    yield from _regions(hosts, policy)
    yield from _providers(hosts)
    yield from _local(hosts, policy)
    yield from _networks(hosts)
    yield from _run(hosts)
    yield from _folders(hosts)
    yield from _certificate(hosts)
    yield from _secrets(hosts)


def _names(hosts: Hosts) -> Iterator[Problem]:
    groups = {group for facts in hosts.values() for group in facts.get("groups", ())}
    label = Rule("string", pattern=LABEL, pattern_text=LABEL_TEXT)
    for name, facts in hosts.items():
        if not set(facts.get("groups", ())) & set(ROLES):
            continue
        for fault in check(label, name, "inventory_hostname"):
            mend = "rename the host; its name is the region's or the node's everywhere"
            yield Problem(name, fault.key, "name-form", fault.wrong, fault.allowed, mend)
        if name in RESERVED or name in groups:
            taken = "the name of a group" if name in groups else "reserved"
            allowed = "a name that is neither a group nor one of " + ", ".join(RESERVED)
            yield Problem(name, "inventory_hostname", "name-reserved", f"{name} is {taken}", allowed, "rename the host")
        instance = str(facts.get("local_instance_name", ""))
        if "local_nodes" in facts.get("groups", ()) and len(f"{instance}-{name}") > 63:
            wrong = f"{instance}-{name} has {len(f'{instance}-{name}')} characters"
            allowed = "at most 63 for a namespace and host name"
            yield Problem(
                name, "inventory_hostname", "name-long", wrong, allowed, "shorten the host's or the instance's name"
            )


def _roles(hosts: Hosts) -> Iterator[Problem]:
    for name, facts in hosts.items():
        found = [role for role in ROLES if role in facts.get("groups", ())]
        if len(found) > 1:
            allowed = "one of " + ", ".join(ROLES)
            mend = "keep it in one of them; another purpose is another host"
            yield Problem(name, "groups", "two-purposes", f"is in {', '.join(found)}", allowed, mend)


def _primary(hosts: Hosts) -> Iterator[Problem]:
    regions, primary, secondary = (members(hosts, group) for group in ("regions", "primary", "secondary"))
    if not regions:
        mend = "name an inventory with -i, such as -i inventories/local"
        yield Problem("", "groups.regions", "no-region", "the inventory has no region", "at least one host", mend)
    if len(primary) != 1:
        wrong = f"{len(primary)} hosts: {', '.join(primary)}" if primary else "no host"
        mend = "put the region that is deployed first into the group primary, every other one into secondary"
        yield Problem("", "groups.primary", "primary-count", wrong, "exactly one region", mend)
    for name in sorted({*primary, *secondary} - set(regions)):
        mend = "make primary and secondary children of the group regions"
        yield Problem(
            name, "groups", "not-a-region", "is primary or secondary, but no region", "a host of regions", mend
        )
    for name in regions:
        if (name in primary) == (name in secondary):
            wrong = "is both primary and secondary" if name in primary else "is neither primary nor secondary"
            yield Problem(
                name, "groups", "primary-or-secondary", wrong, "one of the two", "keep it in one of the two groups"
            )


def _variables(hosts: Hosts) -> Iterator[Problem]:
    for name, facts in hosts.items():
        for key, rule in {**REGION, **NODE}.items():
            if key in facts:
                for fault in check(rule, facts[key], key):
                    mend = "correct it in the host's or its group's variables"
                    yield Problem(name, fault.key, f"variable-{fault.id}", fault.wrong, fault.allowed, mend)
        for key, reason in sorted(_undefined(facts).items()):
            yield Problem(name, key, "variable-undefined", str(reason), "a value", "define what it is made of")
        for key in facts.get("unknown", ()):
            close = get_close_matches(key, [*REGION, *NODE], 1)
            mend = f"did you mean {close[0]}?" if close else "take it away"
            yield Problem(
                name, key, "variable-unknown", "unknown variable", "one of " + ", ".join([*REGION, *NODE]), mend
            )


def _undefined(facts: Mapping[str, Any]) -> dict[str, str]:
    """Variables that can't be worked out, without those that only follow from a missing node_subnet."""
    found = {key: str(reason) for key, reason in facts.get("undefined", {}).items()}
    if "node_subnet" in facts:
        return found
    node = "local_nodes" in facts.get("groups", ())
    follows = {key for key, reason in found.items() if key.startswith("node_") or (node and "'node_subnet'" in reason)}
    return {key: reason for key, reason in found.items() if key not in follows}


def _regions(hosts: Hosts, policy: Policy) -> Iterator[Problem]:
    known = [name for name, _geography in policy.geographies]
    regions = members(hosts, "regions")
    for name in regions:
        facts = hosts[name]
        for key, mend in REGION_REQUIRED.items():
            if key not in facts and key not in facts.get("undefined", {}):
                yield Problem(name, key, "variable-missing", "is missing", "a value", mend)
        geography = facts.get("region_geography")
        if known and isinstance(geography, str) and geography not in known:
            wrong = f"{show(geography)} is no geography of routing_policy"
            mend = "correct it, or add the geography to routing_policy"
            yield Problem(name, "region_geography", "geography-unknown", wrong, "one of " + ", ".join(known), mend)
    weights = [hosts[name].get("region_weight", 1) for name in regions]
    if regions and all(weight == 0 for weight in weights):
        mend = "give at least one region a weight above 0"
        yield Problem("", "region_weight", "all-drained", "every region's weight is 0", "one above 0", mend)
    yield from _twice(hosts, regions, _aliases, "region_context_aliases", "alias-twice", "names of contexts used once")


def _aliases(name: str, facts: Mapping[str, Any]) -> list[str]:
    given = facts.get("region_context_aliases")
    return [name, *(str(alias) for alias in given)] if isinstance(given, (list, tuple)) else [name]


def _twice(hosts: Hosts, names: Iterable[str], values: Any, key: str, problem: str, allowed: str) -> Iterator[Problem]:
    owners: dict[Any, list[str]] = defaultdict(list)
    for name in names:
        for value in dict.fromkeys(values(name, hosts[name])):
            owners[value].append(name)
    for value, found in owners.items():
        if len(found) > 1:
            wrong = f"{value} also belongs to {', '.join(found[:-1])}"
            yield Problem(found[-1], key, problem, wrong, allowed, f"give {found[-1]} one of its own")


def _providers(hosts: Hosts) -> Iterator[Problem]:
    regions = members(hosts, "regions")
    for name in regions:
        groups = [group for group in PROVIDERS if group in hosts[name].get("groups", ())]
        allowed = "exactly one of " + ", ".join(PROVIDERS)
        if len(groups) != 1:
            wrong = f"is in {', '.join(groups)}" if groups else "is in no provider's group"
            yield Problem(name, "groups", "provider-group", wrong, allowed, "put the host into one provider's group")
        provider = hosts[name].get("region_provider")
        if len(groups) == 1 and provider in PROVIDERS and provider != groups[0]:
            wrong = f"{provider} against its group {groups[0]}"
            mend = f"keep the provider of the group's variables ({groups[0]}), or move the host to the group {provider}"
            yield Problem(name, "region_provider", "provider-conflict", wrong, f"{groups[0]}, as its group says", mend)
    for wanted, _seen in _values(hosts, "cloud_provider"):
        if wanted in PROVIDERS and not any(wanted in hosts[name].get("groups", ()) for name in regions):
            wrong = f"no region is in the group {wanted}"
            mend = f"name an inventory with such regions, -i inventories/{wanted}; it changes no region's provider"
            present = sorted({group for name in regions for group in hosts[name].get("groups", ())} & set(PROVIDERS))
            allowed = "one of " + ", ".join(present) if present else "a provider that has a region"
            yield Problem("", "cloud_provider", "cloud-provider", wrong, allowed, mend)


def _local(hosts: Hosts, policy: Policy) -> Iterator[Problem]:
    nodes = members(hosts, "local_nodes")
    for name in nodes:
        if "node_subnet" not in hosts[name]:
            mend = "give the node a third octet of its own"
            yield Problem(name, "node_subnet", "variable-missing", "is missing", "a whole number from 1 to 254", mend)
    yield from _twice(hosts, nodes, _subnet, "node_subnet", "subnet-twice", "subnets used once")
    first: dict[Any, str] = {}
    apart = [name for name in sorted(hosts) if first.setdefault((*_subnet(name, hosts[name]), name)[0], name) == name]
    yield from _twice(hosts, apart, _address, "region_endpoint", "address-twice", "addresses used once")
    for name in members(hosts, "clients"):
        if "client_country" not in hosts[name]:
            mend = "say which country the client asks from"
            yield Problem(name, "client_country", "variable-missing", "is missing", "an ISO 3166-1 code", mend)
    if not set(nodes) & set(members(hosts, "regions")):
        return
    chain = policy.front_door.chain
    if "load_balancer" in chain and not members(hosts, "edge"):
        yield Problem("", "groups.edge", "no-edge", "no host", "at least one, two by default", "add edge hosts")
    if "static_site" in chain and len(members(hosts, "static_site")) != 1:
        wrong = f"{len(members(hosts, 'static_site'))} hosts"
        yield Problem("", "groups.static_site", "static-site-count", wrong, "exactly one host", "keep one static site")


def _networks(hosts: Hosts) -> Iterator[Problem]:
    """Pods and Services of the local regions, the instance's own network: no two of them meet."""
    regions = [name for name in members(hosts, "regions") if "local_nodes" in hosts[name].get("groups", ())]
    given = {(name, key): hosts[name].get(key, text) for name in regions for key, text in CLUSTER_NETWORKS.items()}
    networks = {place: _network(value) for place, value in given.items()}
    for (name, key), network in networks.items():
        if network is None and key not in hosts[name].get("undefined", {}):
            allowed = "an IPv4 network such as " + CLUSTER_NETWORKS[key]
            wrong = f"{show(given[name, key])} is no network"
            yield Problem(name, key, "network-form", wrong, allowed, "correct it in the region's variables")
    for name in regions:
        (pods, own), (services, other) = ((networks[name, key], key) for key in CLUSTER_NETWORKS)
        if pods and services and pods.overlaps(services):
            mend = "give pods and Services networks of their own"
            wrong = f"{services} overlaps {own} {pods}"
            yield Problem(name, other, "network-overlap", wrong, f"a network apart from {own}", mend)
    for prefix, _seen in _values(hosts, "local_network_prefix"):
        instance = _network(f"{prefix}.0.0/16")
        for key in CLUSTER_NETWORKS:
            for network in {networks[name, key] for name in regions}:
                if instance and network and network.overlaps(instance):
                    wrong = f"{instance} overlaps {network}, the regions' {key}"
                    allowed = f"a /16 that meets neither pods nor Services, such as 10.77; not {prefix}"
                    mend = "choose another one, or give the regions' pods and Services other networks"
                    yield Problem("", "local_network_prefix", "network-overlap", wrong, allowed, mend)


def _network(text: object) -> IPv4Network | None:
    try:
        network = ip_network(text) if isinstance(text, str) and "/" in text else None
    except ValueError:
        return None
    return network if isinstance(network, IPv4Network) else None


def _subnet(_name: str, facts: Mapping[str, Any]) -> list[int]:
    subnet = facts.get("node_subnet")
    return [int(subnet)] if isinstance(subnet, (int, float)) and not isinstance(subnet, bool) else []


def _address(_name: str, facts: Mapping[str, Any]) -> list[str]:
    found = [facts.get("region_endpoint"), facts.get("node_address"), facts.get("node_public_address")]
    return [address for address in found if isinstance(address, str) and address]


def _values(hosts: Hosts, key: str) -> list[tuple[Any, list[str]]]:
    found: list[tuple[Any, list[str]]] = []
    for name in sorted(hosts):
        if key in hosts[name]:
            value = as_boolean(hosts[name][key]) if RUN[key].kind == "boolean" else hosts[name][key]
            same = [names for known, names in found if known == value]
            same[0].append(name) if same else found.append((value, [name]))
    return found


def _run(hosts: Hosts) -> Iterator[Problem]:
    for key, rule in RUN.items():
        values = _values(hosts, key)
        for value, _names_of_it in values:
            for fault in check(rule, value, key):
                mend = "correct it in group_vars/all or where it was given with -e"
                yield Problem("", fault.key, f"variable-{fault.id}", fault.wrong, fault.allowed, mend)
        if len(values) > 1:
            wrong = "; ".join(f"{show(value)} for {', '.join(names[:3])}" for value, names in values)
            mend = "set it once, in group_vars/all"
            yield Problem("", key, "differs", wrong, "one value for every host", mend)
    regions = members(hosts, "regions")
    for key in RUN_REQUIRED if regions else ():
        if not any(key in facts or key in facts.get("undefined", {}) for facts in hosts.values()):
            mend = "set it in group_vars/all to a folder on the host that ansible-playbook runs on"
            yield Problem("", key, "variable-missing", "is missing", "an absolute path", mend)
    for value, _names_of_it in _values(hosts, "regional_deploy_max_failed_regions"):
        if isinstance(value, int) and regions and value >= len(regions):
            key = "regional_deploy_max_failed_regions"
            allowed = f"0 to {len(regions) - 1}, less than the number of regions"
            mend = "lower it, or a rollout that breaks every region would go on to its end"
            yield Problem("", key, "max-failed", f"{value} of {len(regions)} regions may fail", allowed, mend)


def _folders(hosts: Hosts) -> Iterator[Problem]:
    pairs = {(str(facts.get("local_state_dir", "")), str(facts.get("local_cache_dir", ""))) for facts in hosts.values()}
    for state, cache in pairs:
        inner, outer = _parts(cache), _parts(state)
        if outer and inner[: len(outer)] == outer:
            mend = "move it elsewhere, such as /var/cache/llm-verifier"
            wrong = f"{cache} lies in local_state_dir {state}, which `make clean` removes"
            yield Problem("", "local_cache_dir", "cache-in-state", wrong, "a folder outside of local_state_dir", mend)


def _parts(path: str) -> list[str]:
    """The names of a path, without those that a `..` takes back."""
    parts: list[str] = []
    for part in path.split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part] if part not in ("", ".") else parts
    return parts


def _certificate(hosts: Hosts) -> Iterator[Problem]:
    """Only the edges' name servers can prove the domain to an ACME server."""
    regions, nodes = members(hosts, "regions"), members(hosts, "local_nodes")
    given = "files" in [value for value, _names_of_it in _values(hosts, "certificates_source")]
    if given or not regions or set(regions) & set(nodes) or members(hosts, "edge"):
        return
    wrong = "no edge host is there to prove the domain to an ACME server"
    mend = "give certificates_given_certificate and certificates_given_key, for own roots certificates_given_ca"
    yield Problem("", "certificates_source", "certificate", wrong, "files", mend)


def _secrets(hosts: Hosts) -> Iterator[Problem]:
    regions = members(hosts, "regions")
    given = {name: hosts[name].get("secrets", {}) for name in regions}
    without = [name for name in regions if not (given[name].get(JWT_SECRET) or given[name].get("generate", True))]
    for name in [""] if without == regions and regions else without:
        variable = SECRETS_ENVIRONMENT[JWT_SECRET]
        mend = f"give secrets_values['{JWT_SECRET}'] from a vault, set {variable} (sudo keeps it with "
        mend += f"--preserve-env={variable}), or allow secrets_generate"
        wrong = "is missing and must not be generated"
        yield Problem(name, f"secrets_values.{JWT_SECRET}", "jwt-secret", wrong, "a text of at least 32 bytes", mend)
