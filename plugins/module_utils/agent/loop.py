# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop: observe, decide, apply, verify. One function, run by the agent at every tick and by `routing.yml` once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from ..providers.interface import Adapter, BackendError, Steering, apply, plan, verify
from ..routing.decision import Decision
from ..routing.errors import RoutingError
from ..routing.observations import Observations
from ..routing.records import Plan
from ..routing.state import State


class RecordError(Exception):
    """A decision could not be written down, so it must not be applied; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the loop needs of the world.

    Attributes:
        now: seconds since the epoch by a clock that never jumps.
        load: the state of the last tick and its steering, None before the first.
        observe: everything seen at a time, by all vantage points; never raises.
        decide: the pure engine.
        record: writes a decision and what it came from durably; RecordError when it can't.
        adapters: the back ends of this host.
        share: hands the decision to the other edges; texts about those that didn't take it.
    """

    now: Callable[[], float]
    load: Callable[[], tuple[State, Steering | None]]
    observe: Callable[[float], Observations]
    decide: Callable[[State, Observations, float], Decision]
    record: Callable[[State, Observations, Decision], None]
    adapters: tuple[Adapter, ...]
    share: Callable[[Decision], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one tick did: what had to be done, what isn't as decided, and the names of the back ends written to.

    `steering` is what is in force: the decision's, or the last one's when the decision could not be written down.
    """

    decision: Decision
    observations: Observations
    steering: Steering | None = None
    plans: tuple[Plan, ...] = ()
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    written: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there was (in check mode: is) anything to do."""
        return bool(self.written) or any(item.steps for item in self.plans) or bool(self.decision.changes)


def tick(ports: Ports, *, write: bool = True) -> Outcome:
    """Run the loop once; without `write` only look, decide and plan. RoutingError when no decision is possible.

    A decision is written down before it is applied, so a process that is killed anywhere is followed by one that plans
    again from what the back ends hold. One that can't be written down isn't applied: the last one is kept in force.
    A back end that fails keeps no other one waiting.
    """
    state, last = ports.load()
    state = replace(state, generation=max([state.generation, *generations(ports.adapters)]))
    now = ports.now()
    observations = ports.observe(now)
    decision = ports.decide(state, observations, now)
    steering: Steering | None = Steering.of(decision)
    failures: list[str] = []
    if write:
        try:
            ports.record(state, observations, decision)
        except RecordError as error:
            failures, steering = [str(error)], last
    if steering is None:
        return Outcome(decision=decision, observations=observations, failures=tuple(failures))
    plans, written, wrong = steer(ports.adapters, steering, write=write)
    shared = ports.share(decision) if write and not failures else ()
    return Outcome(
        decision=decision, observations=observations, steering=steering, plans=plans,
        failures=(*failures, *wrong), warnings=shared, written=written,
    )  # fmt: skip


def steer(
    adapters: tuple[Adapter, ...], steering: Steering, *, write: bool
) -> tuple[tuple[Plan, ...], tuple[str, ...], tuple[str, ...]]:
    """Bring back ends to a decision and read them again: the plans, the names of those written to, and what failed."""
    plans, written, failures = [], [], []
    for adapter in adapters:
        name = adapter.card.name
        try:
            wanted = plan(adapter, steering)
            plans.append(wanted)
            if write and apply(adapter, wanted):
                written.append(name)
                left = plan(adapter, steering).steps
                if left:
                    failures.append(f"{name}: not as decided after it was applied: {', '.join(s.key for s in left)}")
        except (BackendError, RoutingError) as error:
            failures.append(f"{name}: {error}")
    return tuple(plans), tuple(written), tuple(failures)


def generations(adapters: tuple[Adapter, ...]) -> list[int]:
    """The generations that the back ends hold; one that can't be read is passed over."""
    found = []
    for adapter in adapters:
        try:
            found.append(adapter.read().generation)
        except BackendError:
            continue
    return found


def confirm(
    adapters: tuple[Adapter, ...], steering: Steering, geographies: Collection[str], up: Collection[str]
) -> tuple[str, ...]:
    """Where answers are not yet as decided; empty when the decision counts. Ask again until it does."""
    wrong: list[str] = []
    for adapter in adapters:
        try:
            wrong += verify(adapter, steering, geographies, up)
        except BackendError as error:
            wrong.append(f"{adapter.card.name}: {error}")
    return tuple(wrong)
