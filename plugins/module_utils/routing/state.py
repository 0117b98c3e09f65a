# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine remembers from one decision to the next, and its form on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .errors import InvalidError, Problem
from .forms import plain, read

FORM, VERSION = "llm-verifier-routing-state", 1
"""What a state calls itself on disk, and the version of its form."""

HEALTHY, SUSPECT, EVICTED, RAMPING = "HEALTHY", "SUSPECT", "EVICTED", "RAMPING"
PHASES = (HEALTHY, SUSPECT, EVICTED, RAMPING)

FORCE_DOWN, FORCE_UP, DRAIN, FREEZE = "force_down", "force_up", "drain", "freeze"
ORDERS = (FORCE_DOWN, FORCE_UP, DRAIN, FREEZE)
FLEET = ""
"""The region of an order that concerns all of them: only FREEZE has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an operator wants, until `until` (seconds since the epoch; 0 for no end).

    `force` says that the safety gate was overruled by name: then `by` and `reason` are never empty.
    """

    kind: str
    region: str
    by: str
    reason: str
    at: float
    until: float = 0.0
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A vantage point's leaky failure counter for one region: up by one on a failure, down by one on a success.

    `down` from `health.failures` on, until `failback.successes` good ones came in a row. `successes` is 0 after a
    failure. `last` is the time of the last probe counted.
    """

    vantage: str
    kind: str = "edge"
    failures: int = 0
    successes: int = 0
    last: float = 0.0
    down: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionState:
    """A region's place in the state machine.

    `admission` is the ratio of its normal weight that it gets: 1 healthy, 0 evicted, a step of the ramp, or less than 1
    under a partial shift (then it is SUSPECT). `held` says that it is less only so that a sick region gains no share
    when another one is taken out: that is no eviction. `since` is when the phase began, `step` and `step_since` tell
    the step of the ramp. `successes` counts good ticks in a row. `flaps` counts evictions that followed within
    `failback.flap_window_seconds` on a return (`returned`, 0 for never); `hold_until` ends the hold-down. `verdict` is
    the last one; `reason` says why the region is where it is, or what was refused.
    """

    name: str
    phase: str = HEALTHY
    since: float = 0.0
    admission: float = 1.0
    held: bool = False
    step: int = 0
    step_since: float = 0.0
    successes: int = 0
    flaps: int = 0
    hold_until: float = 0.0
    returned: float = 0.0
    verdict: str = "UNKNOWN"
    reason: str = ""
    counters: tuple[Counter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that is remembered. `generation` grows by one with every decision that changes an admission or the TTL.

    `partitioned` are the vantage points that were cut off themselves at the last tick.
    """

    generation: int = 0
    at: float = 0.0
    ttl_seconds: int = 0
    partitioned: tuple[str, ...] = ()
    regions: tuple[RegionState, ...] = ()
    orders: tuple[Order, ...] = ()
    log_head: str = ""

    def region(self, name: str) -> RegionState:
        """A region's state; a fresh one for a region that was never seen."""
        return {region.name: region for region in self.regions}.get(name, RegionState(name=name))

    def to_dict(self) -> dict[str, Any]:
        """The form on disk, plain data for JSON; what has its default is left out."""
        return {"form": FORM, "version": VERSION, **plain(self)}

    @classmethod
    def from_dict(cls, data: object) -> State:
        """The other way. Raises InvalidError for what is damaged, foreign or newer, with what to do."""
        if not isinstance(data, dict) or data.get("form") != FORM:
            raise InvalidError([_problem("form", "is no routing state", f"form {FORM}", _FOREIGN)], "state")
        if data.get("version") != VERSION or isinstance(data["version"], bool):
            wrong = f"is of version {str(data.get('version'))[:20]!r}"
            raise InvalidError([_problem("version", wrong, f"version {VERSION}", _NEWER)], "state")
        content = {key: item for key, item in data.items() if key not in ("form", "version")}
        state = read(cls, content, "state", _FOREIGN)
        problems = tuple(_contradictions(state))
        if problems:
            raise InvalidError(problems, "state")
        return state


_FOREIGN = "move the file away and take the other edge's copy; without any, every region counts as healthy"
_NEWER = "run the version of the collection that wrote it, or move it away and take the other edge's copy"


def _problem(key: str, wrong: str, allowed: str, mend: str) -> Problem:
    return Problem("", f"state.{key}", "state-unusable", wrong, allowed, mend)


def _contradictions(state: State) -> Iterator[Problem]:
    if state.generation < 0:
        yield _problem("generation", f"is {state.generation}", "0 or more", _FOREIGN)
    names = [region.name for region in state.regions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _problem("regions", f"names {name[:60]!r} twice", "every region once", _FOREIGN)
    for region in state.regions:
        if region.phase not in PHASES:
            yield _problem("regions", f"{region.name[:60]!r} is {region.phase[:20]!r}", ", ".join(PHASES), _FOREIGN)
        if not 0 <= region.admission <= 1:
            wrong = f"{region.name[:60]!r} has admission {region.admission}"
            yield _problem("regions", wrong, "a ratio from 0 to 1", _FOREIGN)
        if min(region.step, region.successes, region.flaps) < 0:
            yield _problem("regions", f"{region.name[:60]!r} counts below 0", "0 or more", _FOREIGN)
    for order in state.orders:
        if order.kind not in ORDERS or (order.region == FLEET and order.kind != FREEZE):
            wrong = f"{order.kind[:20]!r} of {order.region[:60]!r}"
            yield _problem("orders", wrong, ", ".join(ORDERS) + "; only freeze for all regions", _FOREIGN)
