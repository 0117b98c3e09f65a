# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tick of the engine: what was seen and what is remembered in, admissions with their reasons out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .decision import COMMON_MODE, VANTAGE_PARTITIONED, Change, Decision, Verdict
from .errors import InvalidError, Problem
from .health import count_probes, latest_traffic
from .model import Policy, Region
from .moves import Tick, move
from .observations import Observations
from .orders import OUT, frozen, live, moving
from .state import Counter, Order, RegionState, State
from .verdicts import Finding, cut_off, find


def decide(policy: Policy, regions: Iterable[Region], state: State, observations: Observations, now: float) -> Decision:
    """Decide once. The same inputs give the same decision, in whatever order regions and observations come.

    `now` is in seconds since the epoch. What was seen too long before it, or after it, counts as not seen. Regions of
    the state that `regions` doesn't name are forgotten, new ones begin as HEALTHY. Raises InvalidError for no region,
    one named twice, or a time that is none.
    """
    fleet = _fleet(regions, now)
    before = {name: _repaired(policy, item, now) for name, item in _known(state, fleet, now).items()}
    counters = count_probes(policy, before, observations.probes, now)
    cut = cut_off(counters, now - policy.health.observation_age_seconds)
    traffic = latest_traffic(policy, observations.traffic, now)
    findings = {
        name: find(policy, region, counters[name], traffic.get(name, {}), cut, now) for name, region in fleet.items()
    }
    orders = live(state.orders, fleet, now)
    common = _common_mode(policy, fleet, findings, moving(orders))
    tick = Tick(
        policy=policy,
        fleet=fleet,
        before=before,
        findings=findings,
        orders=moving(orders),
        frozen=frozen(policy, orders),
        common=common,
        now=now,
    )
    seen = {name: _seen(policy, item, counters[name], findings[name], common) for name, item in before.items()}
    after, changes = move(tick, seen)
    told = [_verdict(finding, common) for finding in findings.values()]
    told += [
        Verdict(subject=name, verdict=VANTAGE_PARTITIONED, evidence=(why,))
        for name, why in cut.items()
        if name not in fleet
    ]
    kept = replace(state, at=now, partitioned=tuple(cut), regions=tuple(after.values()), orders=orders)
    return _decision(policy, fleet, state, kept, tuple(told), changes)


def _decision(
    policy: Policy,
    fleet: Mapping[str, Region],
    before: State,
    after: State,
    verdicts: tuple[Verdict, ...],
    changes: tuple[Change, ...],
) -> Decision:
    """The state as a decision: of a new generation when an admission or the TTL is another one."""
    admissions = tuple((item.name, item.admission) for item in after.regions)
    degraded = any(ratio < 1 and fleet[name].weight > 0 for name, ratio in admissions)
    ttl = policy.ttl.degraded_seconds if degraded else policy.ttl.normal_seconds
    same = ttl == before.ttl_seconds and admissions == tuple((item.name, item.admission) for item in before.regions)
    generation = before.generation if same else before.generation + 1
    return Decision(
        generation=generation,
        at=after.at,
        state=replace(after, generation=generation, ttl_seconds=ttl),
        admissions=admissions,
        verdicts=verdicts,
        changes=changes,
        ttl_seconds=ttl,
    )


_LATEST = 1e12
"""Seconds since the epoch beyond which a clock is none; fractions of seconds still count below it."""


def _fleet(regions: Iterable[Region], now: float) -> dict[str, Region]:
    given = sorted(regions, key=lambda region: region.name)
    fleet = {region.name: region for region in given}
    problems = []
    if not fleet or len(fleet) != len(given):
        wrong = "no region" if not fleet else "a region is named twice"
        problems.append(Problem("", "regions", "regions-unusable", wrong, "every region once", "correct the inventory"))
    if not 0 <= now <= _LATEST:
        problems.append(Problem("", "now", "no-time", f"{now} is no time", "seconds since the epoch", "mend the clock"))
    if problems:
        raise InvalidError(problems, "what a decision is made from")
    return fleet


def _known(state: State, fleet: Mapping[str, Region], now: float) -> dict[str, RegionState]:
    known = {item.name: item for item in state.regions}
    return {name: known.get(name) or RegionState(name=name, since=now) for name in fleet}


def _repaired(policy: Policy, item: RegionState, now: float) -> RegionState:
    """No time of a state lies in the future, or a clock that was set back would hold a region for ever."""
    latest = now + policy.failback.hold_down_cap_seconds
    if max(item.since, item.step_since, item.returned) <= now and item.hold_until <= latest:
        return item
    return RegionState(
        name=item.name, phase=item.phase, since=min(item.since, now), admission=item.admission, held=item.held,
        step=item.step,
        step_since=min(item.step_since, now), successes=item.successes, flaps=item.flaps,
        hold_until=min(item.hold_until, latest), returned=min(item.returned, now), verdict=item.verdict,
        reason=item.reason, counters=item.counters,
    )  # fmt: skip


def _seen(
    policy: Policy, item: RegionState, counters: tuple[Counter, ...], finding: Finding, common: str
) -> RegionState:
    """A region's memory with what was seen in it; where it stands is `moves`'. Made in one go: it is the hot path."""
    successes, enough = item.successes, policy.failback.successes
    if not finding.good:
        successes = successes if finding.verdict == "UNKNOWN" else 0
    elif successes < enough and _newest(counters) > _newest(item.counters):
        successes += 1
    return RegionState(
        name=item.name, phase=item.phase, since=item.since, admission=item.admission, held=item.held, step=item.step,
        step_since=item.step_since, successes=successes, flaps=item.flaps, hold_until=item.hold_until,
        returned=item.returned, verdict=_shown(finding, common), reason=item.reason, counters=counters,
    )  # fmt: skip


def _newest(counters: tuple[Counter, ...]) -> float:
    return max((counter.last for counter in counters), default=float("-inf"))


def _shown(finding: Finding, common: str) -> str:
    return COMMON_MODE if common and finding.sick else finding.verdict


def _verdict(finding: Finding, common: str) -> Verdict:
    shown = _shown(finding, common)
    evidence = finding.evidence if shown == finding.verdict else (common, finding.verdict, *finding.evidence)
    return Verdict(subject=finding.region, verdict=shown, evidence=evidence)


def _common_mode(
    policy: Policy, fleet: Mapping[str, Region], findings: Mapping[str, Finding], orders: Mapping[str, Order]
) -> str:
    """Why a shared cause is likelier than so many sick regions; empty when it isn't."""
    judged = [
        finding
        for name, finding in findings.items()
        if fleet[name].weight > 0 and not (name in orders and orders[name].kind in OUT)
    ]
    sick = sum(1 for finding in judged if finding.sick)
    if sick >= 2 and (sick == len(judged) or sick > policy.safety.common_mode_ratio * len(judged)):
        return f"{sick} of {len(judged)} regions are sick"
    return ""
