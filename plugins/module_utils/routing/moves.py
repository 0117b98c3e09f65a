# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state machine: HEALTHY, SUSPECT, EVICTED, RAMPING and back, and every guard before a region is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from .capacity import movable, receivers, standing
from .decision import COMMON_MODE, OVERLOADED, REGION_DOWN, UNKNOWN, Change
from .model import Policy, Region
from .orders import OUT
from .state import EVICTED, FLEET, HEALTHY, RAMPING, SUSPECT, Order, RegionState
from .verdicts import SICK, Finding

_SHIFT_STEP = 10
"""A partial shift leaves a region with tenths of its weight, so that a load that wavers moves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """All that the moves of one tick are made from. `common` is why nobody is taken out, empty when one may be."""

    policy: Policy
    fleet: Mapping[str, Region]
    before: Mapping[str, RegionState]
    findings: Mapping[str, Finding]
    orders: Mapping[str, Order]
    frozen: Mapping[str, str]
    common: str
    now: float

    def hold(self, name: str) -> str:
        """Why region `name` doesn't move by itself; empty when it may."""
        return self.frozen.get(FLEET, "") or self.frozen.get(name, "")

    def serves(self, item: RegionState) -> bool:
        """Whether a region gets requests: admitted, and not drained by the inventory."""
        return item.admission > 0 and self.fleet[item.name].weight > 0

    def holds(self, name: str) -> bool:
        """Whether region `name` is sick and may be held at its share: where nobody ordered or froze it."""
        return self.findings[name].sick and name not in self.orders and not self.hold(name)


Regions = dict[str, RegionState]


def move(tick: Tick, regions: Mapping[str, RegionState]) -> tuple[Regions, tuple[Change, ...]]:
    """Every region's next state and the changes, wanted ones that were refused included.

    Operators' orders come first, then returns, then evictions, one after the other: each sees those before it.
    """
    after = dict(regions)
    changes: list[Change] = []
    for name in tick.orders:
        _note(after, changes, _ordered(tick, after[name]))
    relief = _relief(tick, after)
    for name, item in regions.items():
        if item.admission < 1 and name not in tick.orders and not tick.hold(name):
            _settle(tick, after, changes, _returning(tick, after, after[name], name in relief))
    for name in _candidates(tick, after):
        item, refusal = _evicting(tick, after, after[name])
        _settle(tick, after, changes, item, refusal)
    for name, item in regions.items():
        if item.phase in (HEALTHY, SUSPECT) and name not in tick.orders and not tick.hold(name):
            _note(after, changes, _suspecting(tick, after[name]))
    return after, tuple(changes)


def _note(after: Regions, changes: list[Change], item: RegionState, refusal: str = "") -> None:
    before = after[item.name]
    after[item.name] = item
    moved = (before.phase, before.admission) != (item.phase, item.admission)
    if moved or refusal:
        changes.append(
            Change(
                region=item.name,
                before=before.phase,
                after=item.phase,
                admission_before=before.admission,
                admission_after=item.admission,
                reason=item.reason,
                refused=bool(refusal),
            )
        )


def _settle(tick: Tick, after: Regions, changes: list[Change], item: RegionState, refusal: str = "") -> None:
    """Note a move by the engine. What it takes from a region is for healthy ones: sick ones are held at their share."""
    before = after[item.name]
    _note(after, changes, item, refusal)
    if item.admission >= before.admission or tick.policy.algorithm == "geo":
        return
    counts = {name: standing(tick.policy, region) for name, region in tick.fleet.items()}
    others = [other for other in after.values() if other is not item and tick.serves(other)]
    held = [other for other in others if tick.holds(other.name)]
    rest = sum(counts[other.name] * other.admission for other in others if not tick.holds(other.name))
    part = (rest + counts[item.name] * item.admission) / (rest + counts[item.name] * before.admission)
    for other in held if rest > 0 else ():
        reason = f"{tick.findings[other.name].verdict}, held at its share: {item.name} is taken out"
        lowered = replace(
            other,
            phase=other.phase if other.phase == RAMPING else SUSPECT,
            since=other.since if other.phase in (RAMPING, SUSPECT) else tick.now,
            admission=other.admission * part,
            held=other.held or other.admission >= 1,
            reason=reason,
        )
        _note(after, changes, lowered)


def _ordered(tick: Tick, item: RegionState) -> RegionState:
    """Where an operator wants a region."""
    order = tick.orders[item.name]
    out = order.kind in OUT
    phase, admission = (EVICTED, 0.0) if out else (HEALTHY, 1.0)
    reason = f"{order.kind} by {order.by}: {order.reason}"
    if (item.phase, item.admission, item.reason) == (phase, admission, reason):
        return item
    moved = replace(item, phase=phase, admission=admission, held=False, reason=reason, step=0, step_since=tick.now)
    return moved if item.phase == phase else replace(moved, since=tick.now)


def _relief(tick: Tick, after: Regions) -> frozenset[str]:
    """Regions that are let back in at once: when all that serve are sick, those that aren't, else all."""
    serving = [item for item in after.values() if tick.serves(item)]
    if not all(tick.findings[item.name].sick for item in serving):
        return frozenset()
    out = [item.name for item in after.values() if item.admission < 1 and tick.fleet[item.name].weight > 0]
    well = [name for name in out if name not in tick.orders and not tick.findings[name].sick]
    return frozenset(well or out)


def _returning(tick: Tick, after: Regions, item: RegionState, relief: bool) -> RegionState:
    """A region that is out or partly out: let in, ramped up, ramped down again, or left where it is."""
    finding, failback = tick.findings[item.name], tick.policy.failback
    if relief:
        reason = f"{COMMON_MODE}: no healthy region serves"
        whole = replace(item, phase=SUSPECT, admission=1.0, held=False, reason=reason)
        return replace(whole, since=tick.now, step=0, step_since=tick.now)
    calm = finding.verdict not in (UNKNOWN, OVERLOADED) and not finding.sick
    well = calm and finding.good and not tick.common
    if item.phase == RAMPING:
        others = any(tick.serves(one) for one in after.values() if one is not item)
        if finding.sick and finding.proven and others and not tick.common:
            against = _gainers(tick, after, item)
            if against:
                return _refused(item, finding, "; ".join(against))[0]
            return _out(tick, item, 0.0, f"on the ramp, {_why(finding)}")
        if well and tick.now - item.step_since >= failback.ramp_step_seconds:
            return _step(tick, item, f"ramp: {finding.verdict} for {failback.ramp_step_seconds:g} s")
        return item
    if well and tick.now >= item.hold_until and item.successes >= failback.successes:
        reason = f"well {item.successes} times in a row"
        if item.held:
            return replace(item, phase=HEALTHY, since=tick.now, admission=1.0, held=False, reason=reason)
        return _step(tick, replace(item, returned=tick.now), reason)
    return item


def _step(tick: Tick, item: RegionState, reason: str) -> RegionState:
    """The next step of the ramp; after the last one the region is healthy."""
    ramp = sorted(tick.policy.failback.ramp)
    higher = [ratio for ratio in ramp if ratio > item.admission]
    admission = higher[0] if higher else 1.0
    phase = RAMPING if admission < 1 else HEALTHY
    return replace(
        item,
        phase=phase,
        since=item.since if item.phase == phase else tick.now,
        admission=admission,
        step=len(ramp) - len(higher) + 1 if higher else 0,
        step_since=tick.now,
        returned=tick.now if phase == HEALTHY else item.returned,
        reason=reason,
    )


def _out(tick: Tick, item: RegionState, admission: float, reason: str) -> RegionState:
    """Taken out, wholly or in part; out of a full admission or a ramp the hold-down begins anew."""
    failback = tick.policy.failback
    phase = EVICTED if admission <= 0 else SUSPECT
    moved = replace(
        item,
        phase=phase,
        since=item.since if item.phase == phase else tick.now,
        admission=admission,
        held=False,
        step=0,
        step_since=tick.now,
        successes=0,
        reason=reason,
    )
    if item.admission < 1 and item.phase != RAMPING and not item.held:
        return moved
    flapped = item.returned > 0 and tick.now - item.returned <= failback.flap_window_seconds
    flaps = item.flaps + 1 if flapped else 0
    hold = min(failback.hold_down_cap_seconds, failback.hold_down_seconds * 2.0 ** min(flaps, 40))
    return replace(moved, flaps=flaps, hold_until=tick.now + hold)


def _candidates(tick: Tick, after: Regions) -> list[str]:
    """Regions that should be taken out, the sickest first."""
    found = [
        (SICK.index(finding.verdict), name)
        for name, finding in tick.findings.items()
        if finding.sick and name not in tick.orders and after[name].phase != RAMPING and tick.serves(after[name])
    ]
    return [name for _severity, name in sorted(found)]


def _evicting(tick: Tick, after: Regions, item: RegionState) -> tuple[RegionState, str]:
    """A sick region taken out, in part or not at all; then with the reason why not, if it was wanted already."""
    finding = tick.findings[item.name]
    confirmed = finding.verdict == REGION_DOWN or tick.before[item.name].verdict in (*SICK, COMMON_MODE)
    if not confirmed:
        return item, ""
    refusal = tick.hold(item.name) or finding.doubt or tick.common or _guard(tick, after, item)
    if refusal:
        return _refused(item, finding, refusal)
    admission = _left(tick, after, item)
    if admission >= item.admission:
        return _refused(item, finding, "its receivers lack capacity") if item.admission == 1 else (item, "")
    part = f", {admission:.0%} of it stays: its receivers lack capacity" if admission > 0 else ""
    return _out(tick, item, admission, f"{_why(finding)}{part}"), ""


def _why(finding: Finding) -> str:
    return ": ".join(part for part in (finding.verdict, "; ".join(finding.evidence[:6])) if part)


def _refused(item: RegionState, finding: Finding, refusal: str) -> tuple[RegionState, str]:
    return replace(item, reason=f"{finding.verdict}, not taken out: {refusal}"), refusal


def _guard(tick: Tick, after: Regions, item: RegionState) -> str:
    """Every reason of the floors against taking a region out."""
    safety, reasons = tick.policy.safety, []
    out = [
        other.name
        for other in after.values()
        if other.admission < 1 and not other.held and other.name not in tick.orders and other is not item
    ]
    if len(out) >= safety.maximum_evictions:
        reasons.append(f"out already: {', '.join(out[:3])}" if out else "safety.maximum_evictions is 0")
    well = sum(
        1
        for other in after.values()
        if other is not item
        and tick.serves(other)
        and not tick.findings[other.name].sick
        and tick.findings[other.name].verdict != UNKNOWN
    )
    if well < safety.minimum_serving:
        reasons.append(f"{well} healthy regions would serve, {safety.minimum_serving} must")
    if not reasons:
        reasons += _gainers(tick, after, item)
    return "; ".join(reasons)


def _gainers(tick: Tick, after: Regions, item: RegionState) -> list[str]:
    """What speaks against an eviction: sick regions that would gain by it and can't be held at their share.

    Under `geo` none can: what a list's next region gets is not a matter of its own admission.
    """
    admissions = {name: other.admission for name, other in after.items()}
    geo = tick.policy.algorithm == "geo"
    takers = sorted(receivers(tick.policy, tick.fleet, admissions, item.name))
    return [
        f"{name} would get its requests and is sick"
        for name in takers
        if tick.findings[name].sick and (geo or not tick.holds(name))
    ]


def _left(tick: Tick, after: Regions, item: RegionState) -> float:
    """The admission that a sick region keeps: none, or what its receivers can't take or isn't too much for itself.

    A dead region keeps nothing: what it could not serve has moved already by the data plane's own checks.
    """
    finding = tick.findings[item.name]
    if finding.verdict == REGION_DOWN or not finding.load:
        return 0.0
    if item.admission < 1 and tick.now - item.step_since < tick.policy.failback.ramp_step_seconds:
        return item.admission
    admissions = {name: other.admission for name, other in after.items()}
    loads = {name: other.load for name, other in tick.findings.items()}
    sick = {name for name, other in tick.findings.items() if other.sick}
    kept = item.admission - movable(tick.policy, tick.fleet, admissions, loads, item.name, sick)
    if finding.verdict == OVERLOADED:
        bearable = tick.fleet[item.name].capacity_rps * (1 - tick.policy.safety.capacity_headroom)
        kept = max(kept, bearable * item.admission / finding.load)
    return min(1.0, max(0.0, ceil(round(kept * _SHIFT_STEP, 6)) / _SHIFT_STEP))


def _suspecting(tick: Tick, item: RegionState) -> RegionState:
    """HEALTHY to SUSPECT with the first doubt, and back with the last; who is partly out stays SUSPECT."""
    finding = tick.findings[item.name]
    doubtful = finding.sick or (not finding.good and finding.verdict != UNKNOWN)
    if item.phase == HEALTHY and doubtful:
        refused = item.reason.startswith(f"{finding.verdict}, not")
        reason = item.reason if refused else finding.verdict if finding.sick else "its last health checks failed"
        return replace(item, phase=SUSPECT, since=tick.now, reason=reason)
    if item.phase == SUSPECT and item.admission >= 1 and not doubtful and finding.verdict != UNKNOWN:
        return replace(item, phase=HEALTHY, since=tick.now, reason="")
    return item
