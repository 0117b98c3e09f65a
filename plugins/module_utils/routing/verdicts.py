# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vantage matrix and the witnesses' figures in, one verdict a region out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import fsum

from .decision import (
    ERRORS,
    INTER_REGION_PARTITION,
    LATENCY,
    OK,
    OVERLOADED,
    REGION_DOWN,
    UNKNOWN,
    VANTAGE_PARTITIONED,
)
from .health import bounds
from .model import Policy, Region
from .observations import EDGE, PROMETHEUS, Traffic
from .state import Counter

SICK = (REGION_DOWN, ERRORS, LATENCY, OVERLOADED)
"""Verdicts that ask for an eviction, the worst first; OVERLOADED does when its answers are bad too."""

_AGREED, _LASTING, _DISPUTED, _REFUTED, _ALONE = "agreed", "lasting", "disputed", "refuted", "alone"
_BRIEF, _UNSETTLED = "brief", "unsettled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is known of one region at one tick.

    Attributes:
        sick: it must not gain traffic, and should lose it.
        proven: a quorum sees it fail right now; without it nothing is taken out, for the reason `doubt`.
        good: its last probes are good and nothing else is wrong: the tick counts for its return.
        load: requests a second that it gets, None when nobody counts.
        evidence: short texts.
    """

    region: str
    verdict: str
    sick: bool = False
    proven: bool = False
    good: bool = False
    doubt: str = ""
    load: float | None = None
    evidence: tuple[str, ...] = ()


def cut_off(counters: Mapping[str, tuple[Counter, ...]], oldest: float) -> dict[str, str]:
    """Vantage points that are cut off themselves, each with the reason.

    One that reaches none of at least two regions is, when another one reaches any of these, or when no other one has
    looked: then nothing tells a dead world from a dead link of its own.
    """
    targets: dict[str, int] = {}
    downs: dict[str, int] = {}
    for seen in counters.values():
        for counter in seen:
            if counter.last >= oldest:
                targets[counter.vantage] = targets.get(counter.vantage, 0) + 1
                if counter.down:
                    downs[counter.vantage] = downs.get(counter.vantage, 0) + 1
    found = {}
    for vantage in sorted(name for name, down in downs.items() if down == targets[name] >= 2):
        others = [
            other.down
            for seen in counters.values()
            if any(counter.vantage == vantage and counter.last >= oldest for counter in seen)
            for other in seen
            if other.vantage != vantage and other.last >= oldest
        ]
        if not all(others) or not others:
            why = "others reach them" if others else "no other one has looked"
            found[vantage] = f"reaches none of {targets[vantage]} regions, and {why}"
    return found


def find(
    policy: Policy,
    region: Region,
    counters: tuple[Counter, ...],
    witnesses: Mapping[str, Traffic],
    cut: Mapping[str, str],
    now: float,
) -> Finding:
    """The finding of one region. What is cut off itself has no say."""
    oldest = now - policy.health.observation_age_seconds
    counted = [item for item in counters if item.last >= oldest and item.vantage not in cut]
    reach = _reach(policy, region.name, counted)
    heard = {name: item for name, item in witnesses.items() if name not in cut}
    if reach.verdict == REGION_DOWN or not heard:
        return reach
    requests = _requests(policy, region, heard, unsettled=_unsettled(policy, counted))
    if requests.sick or (requests.verdict != OK and reach.verdict == OK):
        return replace(requests, good=requests.good and reach.good)
    return replace(reach, load=requests.load)


def _unsettled(policy: Policy, counted: Iterable[Counter]) -> bool:
    """Whether an edge's checks have failed of late, and not often enough: they are about to tell down from brief."""
    return any(0 < item.failures < policy.health.failures and not item.down for item in counted if item.kind == EDGE)


def _reach(policy: Policy, name: str, counted: list[Counter]) -> Finding:
    """What probes say."""
    edges = edges_down = edges_bad = downs = bads = 0
    for item in counted:
        edge = item.kind == EDGE
        edges += edge
        if item.down:
            downs += 1
            edges_down += edge
        if not item.successes:
            bads += 1
            edges_bad += edge
    good = edges_bad < edges >= 2 * edges_bad
    if not downs and edges:
        return Finding(region=name, verdict=OK, good=good)
    edges_first = sorted(counted, key=lambda item: item.kind != EDGE)
    evidence = tuple(f"{item.vantage}: {_sight(policy, item)}" for item in edges_first)
    if not edges:
        return Finding(region=name, verdict=UNKNOWN, evidence=(*evidence, "no edge has a say"))
    quorum = policy.safety.vantage_quorum
    if downs >= quorum and 2 * edges_down > edges:
        proven = bads >= quorum and 2 * edges_bad > edges
        doubt = "" if proven else "it answers again"
        return Finding(
            region=name, verdict=REGION_DOWN, sick=True, proven=proven, good=good, doubt=doubt, evidence=evidence
        )
    if not edges_down:
        return Finding(region=name, verdict=INTER_REGION_PARTITION, good=good, evidence=evidence)
    verdict = VANTAGE_PARTITIONED if downs < len(counted) else UNKNOWN
    return Finding(region=name, verdict=verdict, good=good and verdict != UNKNOWN, evidence=evidence)


def _sight(policy: Policy, counter: Counter) -> str:
    if not counter.down:
        return "reaches it"
    if not counter.successes:
        return "does not reach it"
    return f"reaches it again, {counter.successes} of {policy.failback.successes} times"


def load_of(witnesses: Mapping[str, Traffic]) -> float | None:
    """Requests a second of a region: what its edges count together, else its own Prometheus; None for no witness."""
    edges = [item for witness, item in witnesses.items() if witness != PROMETHEUS]
    if not witnesses:
        return None
    return fsum(_per_second(item) for item in edges or witnesses.values())


def _per_second(item: Traffic) -> float:
    """Of late where the witness can tell: a load that has just begun is thin over the whole window."""
    return item.requests / item.window_seconds if item.recent_per_second is None else item.recent_per_second


def _requests(policy: Policy, region: Region, witnesses: Mapping[str, Traffic], *, unsettled: bool) -> Finding:
    """What the edges' requests say; a region's own Prometheus is the second witness."""
    load = load_of(witnesses) or 0.0
    over = 0 < region.capacity_rps < load
    kind, wrong = _wrong(policy, witnesses)
    full = f"{load:.0f} of {region.capacity_rps:g} requests a second"
    if not wrong:
        if not over:
            return Finding(region=region.name, verdict=OK, load=load)
        return Finding(region=region.name, verdict=OVERLOADED, good=True, load=load, evidence=(full,))
    agreement, evidence = wrong
    if agreement in (_DISPUTED, _REFUTED):
        good = agreement == _REFUTED
        return Finding(region=region.name, verdict=VANTAGE_PARTITIONED, good=good, load=load, evidence=evidence)
    if agreement == _LASTING and unsettled:
        agreement = _UNSETTLED
    doubts = {
        _ALONE: f"fewer than {policy.safety.vantage_quorum} witnesses agree",
        _BRIEF: f"not in each of the last {_lasting(policy)} ticks",
        _UNSETTLED: "its checks are about to tell",
    }
    return Finding(
        region=region.name,
        verdict=OVERLOADED if over else kind,
        sick=True,
        proven=agreement in (_AGREED, _LASTING),
        doubt=doubts.get(agreement, ""),
        load=load,
        evidence=(full, *evidence) if over else evidence,
    )


def _wrong(policy: Policy, witnesses: Mapping[str, Traffic]) -> tuple[str, tuple[str, tuple[str, ...]] | None]:
    """Errors, else slow answers, with how far the witnesses agree and evidence; nothing where neither is too many.

    A request that an edge cut off counts as an error there, whatever was the matter. The region's Prometheus tells:
    with a percentile above the limit it agrees, and answers are late (LATENCY); where it answered them all, well and in
    time, the clients or the edge were in haste.
    """
    health, own = policy.health, witnesses.get(PROMETHEUS)
    bad = [(name, item.requests if _late(policy, item) else item.errors) for name, item in witnesses.items()]
    errors = _share(policy, witnesses, health.error_ratio, bad, _ERRORS)
    counts = [(name, _slow(policy, item)) for name, item in witnesses.items()]
    slow = _share(policy, witnesses, round(1 - health.latency_percentile, 9), counts, _SLOW)
    if errors and own and own.latency_seconds is not None:
        told = f"{PROMETHEUS}: {health.latency_percentile:.4g} of requests within {own.latency_seconds:.3g} s"
        if not _late(policy, own):
            if _refuted(policy, own, witnesses):
                errors = _REFUTED, (*errors[1], f"{told}: disputed by its own Prometheus")
        elif own.requests >= health.minimum_sample and own.errors <= health.error_ratio * own.requests:
            return LATENCY, (errors[0], (*errors[1], f"{told}, limit {health.latency_seconds:g} s"))
    if errors and (errors[0] != _REFUTED or not slow):
        return ERRORS, errors
    return LATENCY, slow


def _late(policy: Policy, item: Traffic) -> bool:
    """Whether a region's Prometheus says that the percentile lies above the limit."""
    latency = item.latency_seconds if item.witness == PROMETHEUS else None
    return latency is not None and latency > policy.health.latency_seconds


def _refuted(policy: Policy, own: Traffic, witnesses: Mapping[str, Traffic]) -> bool:
    """Whether the region answered well what the edges sent: its errors, and the requests that it never saw."""
    sent = fsum(item.requests for name, item in witnesses.items() if name != PROMETHEUS)
    bad = own.errors + max(0.0, sent - own.requests)
    return bounds(bad, sent, policy.health.confidence)[1] < policy.health.error_ratio


def _slow(policy: Policy, item: Traffic) -> float:
    """Slow requests; all of them or none where a witness knows only on which side of the limit the percentile lies."""
    if item.latency_seconds is None or item.witness != PROMETHEUS:
        return item.slow
    return item.requests if _late(policy, item) else 0.0


def _share(
    policy: Policy, witnesses: Mapping[str, Traffic], limit: float, bad: Iterable[tuple[str, float]], column: int
) -> tuple[str, tuple[str, ...]] | None:
    """Nothing unless the edges together count a share above `limit`; else how far the witnesses agree, and evidence.

    An edge disagrees when its own share is as surely below the limit; then more edges must agree than disagree. What
    they alone agree on, and the region doesn't say itself, must last: to them a lost link looks like a sick region.
    """
    minimum, confidence = policy.health.minimum_sample, policy.health.confidence
    counts = sorted((name, amount, witnesses[name].requests) for name, amount in bad)
    edges = [(amount, requests) for name, amount, requests in counts if name != PROMETHEUS]
    amount, requests = sum(item[0] for item in edges), sum(item[1] for item in edges)
    if requests < max(1, minimum) or amount <= limit * requests or bounds(amount, requests, confidence)[0] <= limit:
        return None
    agree = [name for name, bad_ones, all_ones in counts if all_ones >= minimum and bad_ones > limit * all_ones]
    against = [
        name
        for name, bad_ones, all_ones in counts
        if name != PROMETHEUS and all_ones >= minimum and bounds(bad_ones, all_ones, confidence)[1] < limit
    ]
    agreeing_edges = sum(1 for name in agree if name != PROMETHEUS)
    evidence = tuple(
        f"{name}: {bad_ones:.0f} of {all_ones:.0f} requests, limit {limit:.1%}" for name, bad_ones, all_ones in counts
    )
    if len(agree) >= policy.safety.vantage_quorum and agreeing_edges > len(against):
        if PROMETHEUS in agree:
            return _AGREED, evidence
        heard = [item for name, item in witnesses.items() if name != PROMETHEUS]
        return (_LASTING if _lasts(policy, heard, limit, column) else _BRIEF), evidence
    return (_DISPUTED if against else _ALONE), evidence


_ERRORS, _SLOW = 1, 2
"""Places in `Traffic.ticks`."""


def _lasting(policy: Policy) -> int:
    """Over how many ticks lost requests must last to be no brief trouble, which is one of less than `failures` ticks.

    That touches one more; and a request fails when its time is over, a tick after it was lost.
    """
    return policy.health.failures + 2


def _lasts(policy: Policy, edges: Iterable[Traffic], limit: float, column: int) -> bool:
    """Whether it began some ticks ago and goes on, the edges' counts taken together.

    Bad ticks reach over as many, and none of the last ones was surely good. A link that drops everything for
    three seconds gives more errors in a window than the limit allows, and is over. A tick without requests says
    nothing, and an edge that keeps no ticks neither.
    """
    kept = [edge.ticks for edge in edges if edge.ticks]
    if not kept:
        return True
    known = range(max(map(len, kept)))
    together = [[tick for ticks in kept for tick in ticks[index : index + 1]] for index in known]
    totals = [(fsum(tick[0] for tick in ticks), fsum(tick[column] for tick in ticks)) for ticks in together]
    bad = [index for index, (count, wrong) in enumerate(totals) if wrong > limit * count]
    if not bad or bad[-1] - bad[0] < _lasting(policy) - 1:
        return False
    confidence = policy.health.confidence
    latest = totals[: _lasting(policy)]
    return not any(count > 0 and bounds(wrong, count, confidence)[1] < limit for count, wrong in latest)
