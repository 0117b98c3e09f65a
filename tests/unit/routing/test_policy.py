# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: what its keys may be, what they say about each other, and that the schema says the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Geography,
    Policy,
    form_problems,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.rules import Rule, setting
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.schema import policy_schema
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.validate import validate

SCHEMA = policy_schema()
TAKE_AWAY = object()
GEO = "geographies"

Data = dict[str, Any]


def put(data: Data, path: str, value: object) -> None:
    """Set or take away the value at a dotted path."""
    *parents, last = path.split(".")
    for name in parents:
        data = data.setdefault(name, {})
    if value is TAKE_AWAY:
        del data[last]
    else:
        data[last] = value


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


ACCEPTED: list[tuple[str, object]] = [
    ("ttl", TAKE_AWAY),
    ("domain", TAKE_AWAY),
    ("algorithm", "least_connections"),
    ("health.interval_seconds", 2.0),
    ("health.latency_seconds", 0.5),
    ("health.error_ratio", 0),
    ("health.error_ratio", 1),
    ("safety.maximum_evictions", 0),
    ("failback.ramp", [1]),
    ("front_door.networks", {"10.77.222.0/24": "IE"}),
    ("front_door.trusted_proxies", ["2001:db8::/32"]),
    ("front_door.steering", {"google_lb": "nearest", "route53": "list"}),
    ("front_door.waivers", [{"backend": "front_door", "divergence": "dead-region/europe", "reason": "all look dead"}]),
    ("geographies.europe.countries", ["TR"]),
    ("geographies.other.countries", []),
]

REJECTED: list[tuple[str, object, str]] = [
    ("version", TAKE_AWAY, "routing_policy.version"),
    ("front_door.steering", {"bind": "nearest"}, "routing_policy.front_door.steering.bind"),
    ("front_door.steering", {"google_lb": "near"}, "routing_policy.front_door.steering.google_lb"),
    (
        "front_door.waivers",
        [{"backend": "gdnsd", "divergence": "dead-region", "reason": " "}],
        "routing_policy.front_door.waivers[0].reason",
    ),
    ("version", 2, "routing_policy.version"),
    ("version", True, "routing_policy.version"),
    ("algorithm", "fastest", "routing_policy.algorithm"),
    ("algorithm", 1, "routing_policy.algorithm"),
    ("domain", "Example.com", "routing_policy.domain"),
    ("domain", "localhost", "routing_policy.domain"),
    (GEO, {}, "routing_policy.geographies"),
    (GEO, [], "routing_policy.geographies"),
    ("geographies.Europe!", {"regions": ["eu-west-1"]}, "routing_policy.geographies.Europe!"),
    ("geographies.europe", "eu-west-1", "routing_policy.geographies.europe"),
    ("geographies.europe.regions", TAKE_AWAY, "routing_policy.geographies.europe.regions"),
    ("geographies.europe.regions", [], "routing_policy.geographies.europe.regions"),
    ("geographies.europe.regions", ["eu-west-1", "eu-west-1"], "routing_policy.geographies.europe.regions"),
    ("geographies.europe.regions", ["EU_West"], "routing_policy.geographies.europe.regions[0]"),
    ("geographies.europe.regions", "eu-west-1", "routing_policy.geographies.europe.regions"),
    ("geographies.europe.countries", ["XK"], "routing_policy.geographies.europe.countries[0]"),
    ("geographies.europe.countries", ["ie"], "routing_policy.geographies.europe.countries[0]"),
    ("geographies.europe.countries", [False], "routing_policy.geographies.europe.countries[0]"),
    ("geographies.europe.continents", ["EUR"], "routing_policy.geographies.europe.continents[0]"),
    ("geographies.europe.default", "yes", "routing_policy.geographies.europe.default"),
    ("health.interval_seconds", "2", "routing_policy.health.interval_seconds"),
    ("health.interval_seconds", "2s", "routing_policy.health.interval_seconds"),
    ("health.interval_seconds", 2.5, "routing_policy.health.interval_seconds"),
    ("health.interval_seconds", 256, "routing_policy.health.interval_seconds"),
    ("health.timeout_seconds", 0, "routing_policy.health.timeout_seconds"),
    ("health.failures", True, "routing_policy.health.failures"),
    ("health.error_ratio", 5, "routing_policy.health.error_ratio"),
    ("health.error_ratio", -0.1, "routing_policy.health.error_ratio"),
    ("health.latency_seconds", 0, "routing_policy.health.latency_seconds"),
    ("health.latency", 5, "routing_policy.health.latency"),
    ("health.path", "api/health", "routing_policy.health.path"),
    ("health", None, "routing_policy.health"),
    ("safety.vantage_quorum", 1, "routing_policy.safety.vantage_quorum"),
    ("safety.freeze", 0, "routing_policy.safety.freeze"),
    ("failback.ramp", [0, 1], "routing_policy.failback.ramp[0]"),
    ("failback.ramp", [], "routing_policy.failback.ramp"),
    ("front_door.chain", ["regions", "cache"], "routing_policy.front_door.chain[1]"),
    ("front_door.networks", {"office": "IE"}, "routing_policy.front_door.networks.office"),
    ("front_door.networks", {"10.0.0.0/8": "EU"}, "routing_policy.front_door.networks.10.0.0.0/8"),
    ("database.promotion", "always", "routing_policy.database.promotion"),
    ("recovery_time_objective_seconds", 0, "routing_policy.recovery_time_objective_seconds"),
    ("extra", 1, "routing_policy.extra"),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_schema_and_checks_accept_the_same(policy: Data, path: str, value: object) -> None:
    put(policy, path, value)
    assert form_problems(policy) == ()
    assert list(Draft202012Validator(SCHEMA).iter_errors(policy)) == []
    assert isinstance(Policy.from_dict(policy), Policy)


@pytest.mark.parametrize(("path", "value", "key"), REJECTED)
def test_schema_and_checks_reject_the_same(policy: Data, path: str, value: object, key: str) -> None:
    put(policy, path, value)
    assert [problem.key for problem in form_problems(policy)] == [key]
    assert list(Draft202012Validator(SCHEMA).iter_errors(policy))
    with pytest.raises(InvalidError) as caught:
        Policy.from_dict(policy)
    assert [problem.key for problem in caught.value.problems] == [key]
    assert key in str(caught.value)
    assert isinstance(Policy.salvage(policy), Policy)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_no_number(policy: Data, value: float) -> None:
    policy["health"]["latency_seconds"] = value
    assert [problem.key for problem in form_problems(policy)] == ["routing_policy.health.latency_seconds"]


def test_a_name_with_a_line_break_is_rejected(policy: Data) -> None:
    policy["geographies"]["europe"]["regions"] = ["eu-west-1\n"]
    assert [problem.id for problem in form_problems(policy)] == ["policy-wrong-value"]


def test_not_even_a_mapping() -> None:
    assert [problem.key for problem in form_problems(None)] == ["routing_policy"]
    assert Policy.salvage(None).geographies == ()


@pytest.mark.parametrize(
    ("path", "value", "mend"),
    [
        ("geographies.europe.countries", [False], 'quote it: "NO"; YAML reads Norway\'s code as false'),
        ("health.failurs", 3, "did you mean failures?"),
    ],
)
def test_mends_say_what_to_write(policy: Data, path: str, value: object, mend: str) -> None:
    put(policy, path, value)
    assert [problem.mend for problem in form_problems(policy)] == [mend]


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("health.interval_seconds", 0, "a whole number from 1 to 255"),
        ("health.latency_seconds", 0, "a number above 0 and at most 300"),
        ("geographies.europe.continents", ["XX"], "one of AF, AN, AS, EU, NA, OC, SA"),
        ("geographies.europe.regions", [], "a list: at least 1, different values, each a DNS label"),
        ("front_door.networks", [], "a mapping; each key a network such as 192.0.2.0/24; each value an ISO 3166-1"),
        ("ttl", [], "a mapping with the keys normal_seconds, degraded_seconds, negative_seconds"),
    ],
)
def test_messages_say_what_is_allowed(policy: Data, path: str, value: object, allowed: str) -> None:
    put(policy, path, value)
    (problem,) = form_problems(policy)
    assert problem.allowed.startswith(allowed)


def test_long_values_are_shortened(policy: Data) -> None:
    policy["algorithm"] = "x" * 500
    (problem,) = form_problems(policy)
    assert len(problem.wrong) < 80


def test_lists_become_tuples_and_keys_are_found(policy: Data) -> None:
    policy["front_door"]["networks"] = {"10.2.0.0/16": "US", "10.1.0.0/16": "IE"}
    read = Policy.from_dict(policy)
    assert read.geography("europe") == Geography(regions=("eu-west-1", "us-east-1"), continents=("EU",))
    assert read.front_door.networks == (("10.1.0.0/16", "IE"), ("10.2.0.0/16", "US"))
    assert dict(read.front_door.steering)["google_lb"] == "nearest"
    assert {waiver.backend for waiver in read.front_door.waivers} == {"cloud_dns", "global_accelerator"}
    with pytest.raises(KeyError):
        read.geography("moon")


def test_the_shipped_policy_is_the_default_one(policy: Data) -> None:
    """Every default of the rules is what the local inventory spells out, which are the guide's numbers.

    What clouds may do otherwise has no default: it is always declared.
    """
    bare = {"version": 1, "geographies": policy["geographies"]}
    shipped = Policy.from_dict(policy)
    declared = replace(shipped, front_door=replace(shipped.front_door, steering=(), waivers=()))
    assert Policy.from_dict(bare) == declared != shipped


def test_defaults_must_be_immutable() -> None:
    with pytest.raises(TypeError):
        setting(Rule("array"), [])


def ramp(*steps: float) -> Callable[[Data], None]:
    return lambda data: put(data, "failback.ramp", list(steps))


def change(*changes: tuple[str, object]) -> Callable[[Data], None]:
    def spoil(data: Data) -> None:
        for path, value in changes:
            put(data, path, value)

    return spoil


CONTRADICTIONS: list[tuple[str, str, Callable[[Data], None]]] = [
    (
        "geography-default",
        "geographies.*.default",
        change(("geographies.other.default", False), ("geographies.other.continents", ["AF"])),
    ),
    ("geography-default", "geographies.*.default", change(("geographies.asia.default", True))),
    ("geography-without-countries", "geographies.moon", change(("geographies.moon", {"regions": ["us-east-1"]}))),
    ("place-twice", "geographies.europe.continents", change(("geographies.asia.continents", ["AS", "EU"]))),
    (
        "place-twice",
        "geographies.europe.countries",
        change(("geographies.asia.countries", ["TR"]), ("geographies.europe.countries", ["TR"])),
    ),
    (
        "region-unknown",
        "geographies.europe.regions[1]",
        change(("geographies.europe.regions", ["eu-west-1", "eu-west-9"])),
    ),
    ("time-order", "health.timeout_seconds", change(("health.timeout_seconds", 2))),
    ("time-order", "failback.hold_down_seconds", change(("failback.hold_down_seconds", 3601))),
    ("time-order", "ttl.degraded_seconds", change(("ttl.degraded_seconds", 31))),
    ("ramp-order", "failback.ramp", ramp(0.5, 0.1, 1)),
    ("ramp-order", "failback.ramp", ramp(0.1, 0.5)),
    ("minimum-serving", "safety.minimum_serving", change(("safety.minimum_serving", 5))),
    ("chain-end", "front_door.chain", change(("front_door.chain", ["static_site", "regions"]))),
    ("network-form", "front_door.networks", change(("front_door.networks", {"10.0.0.1/8": "IE"}))),
    ("network-form", "front_door.trusted_proxies", change(("front_door.trusted_proxies", ["10.0.0.0/33"]))),
    (
        "waiver-geography",
        "front_door.waivers[0].divergence",
        change(
            (
                "front_door.waivers",
                [{"backend": "gdnsd", "divergence": "dead-region/atlantis", "reason": "sunk"}],
            )
        ),
    ),
    ("trusts-everybody", "front_door.trusted_proxies", change(("front_door.trusted_proxies", ["0.0.0.0/0"]))),
    ("objective-missed", "recovery_time_objective_seconds", change(("recovery_time_objective_seconds", 37))),
]


@pytest.mark.parametrize(("problem", "key", "spoil"), CONTRADICTIONS)
def test_contradictions_are_told(
    hosts: dict[str, Data], policy: Data, problem: str, key: str, spoil: Callable[[Data], None]
) -> None:
    spoil(policy)
    assert [(found.id, found.key) for found in validate(hosts, policy)] == [(problem, f"routing_policy.{key}")]


@pytest.mark.parametrize(
    "spoil",
    [
        change(("failback.hold_down_seconds", 3600)),
        change(("ttl.degraded_seconds", 30)),
        change(("safety.minimum_serving", 4)),
        change(("recovery_time_objective_seconds", 38)),
        change(("front_door.networks", {"0.0.0.0/0": "IE"})),
    ],
)
def test_limits_are_allowed(hosts: dict[str, Data], policy: Data, spoil: Callable[[Data], None]) -> None:
    spoil(policy)
    assert validate(hosts, policy) == ()


def test_all_contradictions_come_at_once(hosts: dict[str, Data], policy: Data) -> None:
    policy["geographies"]["europe"]["regions"] = ["eu-west-9"]
    policy["health"] |= {"interval_seconds": "2s", "timeout_seconds": 4}
    policy["failback"]["ramp"] = [0.5, 0.1]
    assert {found.key for found in validate(hosts, policy)} == {
        "routing_policy.geographies.europe.regions[0]",
        "routing_policy.health.interval_seconds",
        "routing_policy.health.timeout_seconds",
        "routing_policy.failback.ramp",
    }


def test_a_number_of_400_digits_is_a_fault_like_any_other(policy: dict[str, Any]) -> None:
    policy["health"]["latency_seconds"] = 10**400
    with pytest.raises(InvalidError, match="outside of what is allowed"):
        Policy.from_dict(policy)
