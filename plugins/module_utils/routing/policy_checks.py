# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keys of a policy say about each other and about the regions that exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from ipaddress import ip_network

from .budget import KINDS, budget
from .errors import Problem
from .model import Policy

_ROOT = "routing_policy"
_GEO = f"{_ROOT}.geographies"


def check_policy(policy: Policy, regions: Collection[str]) -> Iterator[Problem]:
    """Every contradiction of a policy that `Policy.salvage` read; `regions` are the names in the inventory."""
    yield from _default_geography(policy)
    yield from _geographies(policy)
    yield from _orders(policy, regions)
    yield from _times(policy)
    yield from _safety(policy, regions)
    yield from _front_door(policy)
    yield from _waivers(policy)
    yield from _objective(policy)


def _default_geography(policy: Policy) -> Iterator[Problem]:
    names = [name for name, geography in policy.geographies if geography.default]
    if policy.geographies and len(names) != 1:
        wrong = f"is said of {', '.join(names)}" if names else "no geography is the default one"
        mend = "give `default: true` to the one geography that takes every other country"
        yield Problem("", f"{_GEO}.*.default", "geography-default", wrong, "exactly one default geography", mend)


def _geographies(policy: Policy) -> Iterator[Problem]:
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, geography in policy.geographies:
        for country in geography.countries:
            owners["countries", country].append(name)
        for continent in geography.continents:
            owners["continents", continent].append(name)
        if not (geography.default or geography.countries or geography.continents):
            mend = "give it continents or countries, make it the default one, or take it away"
            wrong = "no country belongs to it"
            yield Problem("", f"{_GEO}.{name}", "geography-without-countries", wrong, "at least one country", mend)
    for (kind, code), names in owners.items():
        if len(names) > 1:
            wrong = f"{code} is also in {', '.join(names[:-1])}"
            mend = f"keep {code} in one geography; a country's own entry wins over its continent's"
            yield Problem("", f"{_GEO}.{names[-1]}.{kind}", "place-twice", wrong, "each place in one geography", mend)


def _orders(policy: Policy, regions: Collection[str]) -> Iterator[Problem]:
    for name, geography in policy.geographies:
        for index, region in enumerate(geography.regions):
            if region not in regions:
                allowed = "one of " + ", ".join(sorted(regions)) if regions else "a host of the group regions"
                mend = "correct the name, or add the host to the group regions"
                key = f"{_GEO}.{name}.regions[{index}]"
                yield Problem("", key, "region-unknown", f"{region} is no region of the inventory", allowed, mend)


def _less(key: str, value: float, other: str, limit: float, *, equal: bool) -> Iterator[Problem]:
    if value > limit or (value == limit and not equal):
        relation = "at most" if equal else "less than"
        allowed = f"{relation} {other} ({limit:g})"
        mend = f"lower {key.rpartition('.')[2]} or raise {other}"
        yield Problem("", f"{_ROOT}.{key}", "time-order", f"{value:g} is too long", allowed, mend)


def _times(policy: Policy) -> Iterator[Problem]:
    health, failback, ttl = policy.health, policy.failback, policy.ttl
    yield from _less(
        "health.timeout_seconds", health.timeout_seconds, "interval_seconds", health.interval_seconds, equal=False
    )
    yield from _less(
        "health.interval_seconds",
        health.interval_seconds,
        "observation_age_seconds",
        health.observation_age_seconds,
        equal=False,
    )
    yield from _less(
        "failback.hold_down_seconds",
        failback.hold_down_seconds,
        "hold_down_cap_seconds",
        failback.hold_down_cap_seconds,
        equal=True,
    )
    yield from _less("ttl.degraded_seconds", ttl.degraded_seconds, "normal_seconds", ttl.normal_seconds, equal=True)
    ramp = failback.ramp
    if ramp and (list(ramp) != sorted(set(ramp)) or ramp[-1] != 1):
        wrong = f"{', '.join(f'{step:g}' for step in ramp)} does not rise to 1"
        mend = "order the steps and end with 1.0, such as [0.01, 0.1, 0.5, 1.0]"
        yield Problem("", f"{_ROOT}.failback.ramp", "ramp-order", wrong, "rising ratios, the last one 1", mend)


def _safety(policy: Policy, regions: Collection[str]) -> Iterator[Problem]:
    minimum = policy.safety.minimum_serving
    if regions and minimum > len(regions):
        key = f"{_ROOT}.safety.minimum_serving"
        mend = "lower it, or add regions"
        yield Problem("", key, "minimum-serving", f"{minimum} of {len(regions)} regions", f"1 to {len(regions)}", mend)


def _front_door(policy: Policy) -> Iterator[Problem]:
    door = policy.front_door
    if door.chain and door.chain[-1] != "static_site":
        mend = "put static_site at its end: it answers when nothing else does"
        wrong = f"ends in {door.chain[-1]}"
        yield Problem("", f"{_ROOT}.front_door.chain", "chain-end", wrong, "a chain that ends in static_site", mend)
    named = [("trusted_proxies", network) for network in door.trusted_proxies]
    for key, text in named + [("networks", network) for network, _country in door.networks]:
        place = f"{_ROOT}.front_door.{key}"
        allowed = "a network whose host bits are zero, such as 192.0.2.0/24"
        try:
            network = ip_network(text)
        except ValueError as error:
            yield Problem("", place, "network-form", str(error), allowed, "correct the address or the prefix length")
            continue
        if key == "trusted_proxies" and network.prefixlen == 0:
            mend = "list your own proxies' networks; with this one every client could name any source"
            yield Problem("", place, "trusts-everybody", f"{text} is the whole Internet", "networks of proxies", mend)


def _waivers(policy: Policy) -> Iterator[Problem]:
    known = sorted(name for name, _geography in policy.geographies)
    for index, waiver in enumerate(policy.front_door.waivers):
        geography = str(waiver.divergence).partition("/")[2]
        if geography and geography not in known:
            key = f"{_ROOT}.front_door.waivers[{index}].divergence"
            wrong = f"{geography} is no geography"
            mend = "name a geography of the policy, or leave it away to mean all of them"
            yield Problem("", key, "waiver-geography", wrong, "one of " + ", ".join(known), mend)


def _objective(policy: Policy) -> Iterator[Problem]:
    lost = (line for line in budget(policy) if line.kind in KINDS)
    worst = max(lost, key=lambda line: line.total_seconds)
    if not worst.within_objective:
        wrong = f"{worst.kind}: {worst.total_seconds:g} s until the last client is served again"
        mend = "lower health.interval_seconds, health.failures or ttl.normal_seconds, or raise the objective"
        key = f"{_ROOT}.recovery_time_objective_seconds"
        allowed = f"a failover budget of at most {worst.objective_seconds:g} s"
        yield Problem("", key, "objective-missed", wrong, allowed, mend)
