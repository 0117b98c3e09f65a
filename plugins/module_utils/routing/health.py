# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each vantage point sees of each region: leaky counters of probes, and shares of bad requests with confidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf, sqrt
from statistics import NormalDist

from .model import Policy
from .observations import EDGE, PEER, Probe, Traffic
from .state import Counter, RegionState


def fresh(at: float, now: float, age_seconds: float) -> bool:
    """Whether what was seen at `at` counts at `now`; as far in the future it is as odd as in the past."""
    return now - age_seconds <= at <= now + age_seconds


def count_probes(
    policy: Policy, states: Mapping[str, RegionState], probes: Iterable[Probe], now: float
) -> dict[str, tuple[Counter, ...]]:
    """The counters of every region of `states` after these probes, sorted by vantage point.

    A probe counts once: when it is newer than the last one counted. Old ones, those of unknown outcome and a region's
    view of itself count nothing. A counter that saw nothing for a window is forgotten.
    """
    age = policy.health.observation_age_seconds
    oldest, newest = now - age, now + age
    seen: dict[str, dict[str, list[Probe]]] = {name: {} for name in states}
    for probe in probes:
        places = seen.get(probe.region)
        if places is not None and probe.ok is not None and oldest <= probe.at <= newest:
            places.setdefault(probe.vantage, []).append(probe)
    forgotten = now - max(policy.health.window_seconds, age)
    found = {}
    for name, state in states.items():
        places = seen[name]
        places.pop(name, None)
        known = {old.vantage: old for old in state.counters if forgotten <= old.last <= newest}
        found[name] = tuple(
            [
                _count(policy, known.get(vantage), places.get(vantage, ()))
                for vantage in sorted(known.keys() | places.keys())
            ]
        )
    return found


def _count(policy: Policy, counter: Counter | None, probes: list[Probe] | tuple[()]) -> Counter:
    if counter is None:
        first = min(probes, key=_order)
        counter = Counter(vantage=first.vantage, last=-inf)
    if len(probes) > 1:
        probes = sorted(probes, key=_order)
    down_at, up_at = policy.health.failures, policy.failback.successes
    for probe in probes:
        if probe.at <= counter.last:
            continue
        if probe.ok:
            failures, successes = max(0, counter.failures - 1), min(up_at, counter.successes + 1)
            down = counter.down and successes < up_at
        else:
            failures, successes = min(down_at, counter.failures + 1), 0
            down = counter.down or failures >= down_at
        kind = EDGE if probe.kind == EDGE else PEER
        counter = Counter(
            vantage=counter.vantage, kind=kind, failures=failures, successes=successes, last=probe.at, down=down
        )
    return counter


def _order(probe: Probe) -> tuple[float, bool, str]:
    return probe.at, bool(probe.ok), probe.kind


@lru_cache(maxsize=16)
def quantile(confidence: float) -> float:
    """The one-sided quantile of the normal distribution: 2.326 for 0.99."""
    return NormalDist().inv_cdf(confidence)


def bounds(bad: float, requests: float, confidence: float) -> tuple[float, float]:
    """Between which ratios the true share of bad requests lies, each side with this confidence (Wilson score).

    Wilson, J. Am. Stat. Assoc. 22 (1927). It holds for few requests and for shares near 0, where the plain normal
    interval doesn't. `requests` above 0.
    """
    z = quantile(confidence)
    share = min(1.0, bad / requests)
    centre = share + z * z / (2 * requests)
    spread = z * sqrt(share * (1 - share) / requests + z * z / (4 * requests * requests))
    whole = 1 + z * z / requests
    return (centre - spread) / whole, (centre + spread) / whole


def sound(traffic: Traffic) -> bool:
    """Whether the figures can be: finite, not negative, over some time (1 ms at least)."""
    maybe = (traffic.latency_seconds or 0.0, traffic.recent_per_second or 0.0)
    ticks = (count for tick in traffic.ticks for count in tick)
    figures = (traffic.requests, traffic.errors, traffic.slow, *maybe, *ticks)
    return 0.001 <= traffic.window_seconds <= _MOST and all(0 <= figure <= _MOST for figure in figures)


_MOST = 1e12
"""More requests or seconds than any window holds; sums stay finite below it."""


def latest_traffic(policy: Policy, traffic: Iterable[Traffic], now: float) -> dict[str, dict[str, Traffic]]:
    """The newest figures of each witness for each region; old and impossible ones are left out."""
    age = policy.health.observation_age_seconds
    found: dict[str, dict[str, Traffic]] = {}
    for item in traffic:
        if not fresh(item.at, now, age) or not sound(item):
            continue
        witnesses = found.setdefault(item.region, {})
        known = witnesses.get(item.witness)
        if known is None or _newest(item) > _newest(known):
            witnesses[item.witness] = item
    return found


def _newest(item: Traffic) -> tuple[object, ...]:
    latency, recent = (-1.0 if maybe is None else maybe for maybe in (item.latency_seconds, item.recent_per_second))
    return item.at, item.errors, item.slow, item.requests, item.window_seconds, latency, recent, item.ticks
