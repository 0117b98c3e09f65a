# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine says: admissions, verdicts and the reasons for every change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .compile import compile_table
from .model import GeographyRoute, Policy, Region, RoutingTable
from .state import State

OK, UNKNOWN = "OK", "UNKNOWN"
REGION_DOWN = "REGION_DOWN"
ERRORS, LATENCY = "ERRORS", "LATENCY"
VANTAGE_PARTITIONED = "VANTAGE_PARTITIONED"
INTER_REGION_PARTITION = "INTER_REGION_PARTITION"
COMMON_MODE = "COMMON_MODE"
OVERLOADED = "OVERLOADED"
VERDICTS = (
    OK,
    UNKNOWN,
    REGION_DOWN,
    ERRORS,
    LATENCY,
    VANTAGE_PARTITIONED,
    INTER_REGION_PARTITION,
    COMMON_MODE,
    OVERLOADED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the observations say of one region (or vantage point), with the evidence as short texts."""

    subject: str
    verdict: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One move of a region in the state machine or of its admission, or a move that was wanted and `refused`."""

    region: str
    before: str
    after: str
    admission_before: float
    admission_after: float
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of one tick. `admissions` name every region once, in the order of their names."""

    generation: int
    at: float
    state: State
    admissions: tuple[tuple[str, float], ...]
    verdicts: tuple[Verdict, ...]
    changes: tuple[Change, ...]
    ttl_seconds: int


def effective_table(
    policy: Policy, regions: tuple[Region, ...], admissions: Mapping[str, float], generation: int
) -> RoutingTable:
    """The routing table under a decision: evicted regions as if drained, shares by admission.

    Under `geo` every request draws one number in [0, 1) and goes to the first region of its list whose admission is
    greater; a draw that none admits goes to the first region that is admitted at all. Other algorithms multiply each
    region's share by its admission. Above 1 is 1. Raises CompileError as `compile_table` does.
    """
    fleet = tuple(
        replace(region, weight=region.weight if admissions.get(region.name, 1.0) > 0 else 0.0) for region in regions
    )
    table = compile_table(policy, fleet, generation)
    weights = {region.name: region.weight for region in fleet}
    if all(weight <= 0 for weight in weights.values()):
        return table
    admitted = {name: min(1.0, admissions.get(name, 1.0)) if weight > 0 else 0.0 for name, weight in weights.items()}
    return replace(table, routes=tuple(_admit(policy, route, admitted) for route in table.routes))


def _admit(policy: Policy, route: GeographyRoute, admitted: Mapping[str, float]) -> GeographyRoute:
    if policy.algorithm == "geo":
        wanted = list(drawn(route.regions, admitted).values())
    else:
        wanted = [share * admitted[name] for name, share in zip(route.regions, route.shares, strict=True)]
    whole = sum(wanted)
    return replace(route, shares=tuple(share / whole for share in wanted))


def drawn(order: Iterable[str], admitted: Mapping[str, float]) -> dict[str, float]:
    """The share of each region of a list under `geo`, as `effective_table` tells; all 0 where none is admitted."""
    shares, done = {}, 0.0
    for name in order:
        shares[name] = max(0.0, admitted[name] - done)
        done = max(done, admitted[name])
    first = next((name for name in shares if admitted[name] > 0), None)
    if first is not None:
        shares[first] += 1.0 - done
    return shares
