# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Route 53 refuses, or should: told before any call, all of it at once. Pure.

Emulators accept much of it, and AWS tells one fault at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ...routing.countries import COUNTRIES
from ...routing.errors import Problem
from ..flat import Item, under
from .card import CARD, INTERVALS
from .wire import CONTINENT_CODES

_LABEL, _NAME, _IDENTIFIER, _SEARCH, _PATH = 63, 255, 128, 255, 255


def problems(items: Mapping[str, Item], domain: str, *, private: bool = False) -> tuple[Problem, ...]:
    """Every reason against publishing records; `private` allows addresses that the Internet doesn't reach."""
    records = under(items, "record")
    names: dict[str, list[Item]] = {}
    for item in records.values():
        names.setdefault(item["name"], []).append(item)
    found = [*_checks(items, private)]
    for name, group in names.items():
        found += [*_name(name, group, domain), *_policies(name, group)]
        for item in group:
            found += [*_record(item, items, names, domain, private)]
    return tuple(dict.fromkeys(found))


def _problem(key: str, id: str, wrong: str, allowed: str) -> Problem:
    return Problem("", key, f"route53-{id}", wrong, allowed, "correct the inventory or the policy, or compile anew")


def _name(name: str, group: list[Item], domain: str) -> Iterator[Problem]:
    if len(name) > _NAME or any(not 0 < len(label) <= _LABEL for label in name.split(".")):
        yield _problem(name, "name", "is too long or has an empty label", f"labels of 1 to {_LABEL} characters")
    if name != domain and not name.endswith(f".{domain}"):
        yield _problem(name, "name", f"isn't in the zone {domain}", f"names below {domain}")
    kinds = {item["type"] for item in group}
    if "CNAME" in kinds and name == domain:
        yield _problem(name, "apex", "is a CNAME at the zone's apex", "an alias")
    if "CNAME" in kinds and len(kinds) > 1:
        yield _problem(name, "cname", "is a CNAME beside other types", "a CNAME alone")


def _policies(name: str, group: list[Item]) -> Iterator[Problem]:
    policies = {item.get("routing", {}).get("policy", "simple") for item in group}
    if len(policies) > 1:
        yield _problem(name, "policies", f"mixes {', '.join(sorted(policies))}", "one routing policy a name")
    if "simple" in policies and len(group) > 1:
        yield _problem(name, "twice", "has several records without routing", "one, with several values")
    places = [tuple(sorted(item["routing"].items())) for item in group if "routing" in item]
    for role in ("PRIMARY", "SECONDARY"):
        count = sum(1 for place in places if ("role", role) in place)
        if count > 1:
            yield _problem(name, "roles", f"has {count} {role} records", "one of each role")
    if policies == {"failover"} and not any(("role", "PRIMARY") in place for place in places):
        yield _problem(name, "roles", "has no PRIMARY record", "a PRIMARY, and perhaps a SECONDARY")
    located = [place for place in places if ("policy", "geolocation") in place]
    if len(set(located)) < len(located):
        yield _problem(name, "places", "has two records of one place", "one record a place")
    identifiers = [item["set_identifier"] for item in group if "set_identifier" in item]
    if len(set(identifiers)) < len(identifiers):
        yield _problem(name, "identifiers", "has one identifier twice", "identifiers used once a name")


def _record(
    item: Item, items: Mapping[str, Item], names: Mapping[str, Any], domain: str, private: bool
) -> Iterator[Problem]:
    name, routing = item["name"], item.get("routing", {})
    check = item.get("health_check")
    if check is not None and check not in items:
        yield _problem(name, "check-unknown", f"names the health check {check!r}, which isn't there", "a known one")
    if routing and not 0 < len(f"{item.get('set_identifier', '')} @ {name}") <= _IDENTIFIER:
        yield _problem(name, "identifier", "has an identifier that is too long", f"at most {_IDENTIFIER} with its name")
    if "country" in routing:
        code = routing["country"]
        if code != "*" and (code not in COUNTRIES or code in CARD.unsupported_countries):
            yield _problem(name, "country", f"has the country {code!r}", "an ISO 3166-1 code that Route 53 takes, or *")
    if "continent" in routing and routing["continent"] not in CONTINENT_CODES:
        yield _problem(name, "continent", f"has the continent {routing['continent']!r}", ", ".join(CONTINENT_CODES))
    if item["type"] == "A":
        yield from (fault for value in item.get("values", ()) for fault in _address(name, value, private))
    if "alias" not in item:
        return
    if item["alias"].endswith(f".{domain}") and item["alias"] not in names:
        yield _problem(name, "alias", f"is an alias of {item['alias']}, which isn't there", "a name of the zone")
    if routing.get("role") == "PRIMARY" and not item["evaluate_target_health"] and check is None:
        yield _problem(name, "always-healthy", "is a PRIMARY that nothing checks", "a health check of it or its target")


def _address(key: str, value: str, private: bool) -> Iterator[Problem]:
    try:
        address = ip_address(value)
    except ValueError:
        yield _problem(key, "address", f"{value!r} is no address", "an IPv4 address")
        return
    if address.version != 4:
        yield _problem(key, "address", f"{value!r} is no IPv4 address", "an IPv4 address")
    elif not private and not address.is_global:
        yield _problem(key, "private", f"{value} isn't reached from the Internet", "a public address")


def _checks(items: Mapping[str, Item], private: bool) -> Iterator[Problem]:
    for key, item in under(items, "health_check").items():
        if item["type"] == "CALCULATED":
            lost = [child for child in item["children"] if child not in items]
            if lost or not 1 <= item["threshold"] <= len(item["children"]) <= 255:
                yield _problem(key, "children", f"has unknown or too few children {lost}", "1 to 255 known ones")
            continue
        if item["interval"] not in INTERVALS or not 1 <= item["threshold"] <= 10:
            yield _problem(key, "check", f"checks every {item['interval']} s", "10 or 30 s, 1 to 10 in a row")
        if not 1 <= item["port"] <= 65535 or not 0 < len(item["path"]) <= _PATH or item["path"][0] != "/":
            yield _problem(key, "check", f"asks {item['path'][:40]!r} on port {item['port']}", "a path and a port")
        if not 0 < len(item.get("search", "-")) <= _SEARCH:
            yield _problem(key, "search", "looks for too long a word", f"1 to {_SEARCH} characters")
        if item["address"].replace(".", "").isdecimal() or ":" in item["address"]:
            yield from _address(key, item["address"], private)
