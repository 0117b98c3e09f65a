# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks ask of an edge. Every command takes and gives plain data; with `write` false it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

from ..routing.budget import budget
from ..routing.explain import explain as why
from ..routing.explain import history
from ..routing.observations import Observations
from ..routing.orders import with_order, without_order
from ..routing.state import FREEZE, ORDERS, Order, State
from .control import NOTHING, Control, Edit, Request
from .disk import BusyError, held
from .edges import take
from .history import verified
from .loop import Outcome
from .settings import Settings
from .store import ElsewhereError, Role, StateError

Question = Mapping[str, Any]
Command = Callable[[Settings, Question], dict[str, Any]]

CONFIRM_SECONDS = 10.0
"""How long a command waits for answers to follow its decision."""

LIFT = "lift"
"""The order that takes orders away."""


@contextmanager
def opened(settings: Settings) -> Iterator[Control]:
    """The loop of this edge, closed in the end."""
    control = Control(settings)
    try:
        yield control
    finally:
        control.close()


def status(settings: Settings, _question: Question) -> dict[str, Any]:
    """Who is active by what this edge knows, and what it holds. Asks nobody."""
    with opened(settings) as control:
        memory, running = control.memory, False
        with suppress(StateError):
            memory.refresh()
        try:
            with held(settings.folder / "agent.lock", 0, ""):
                pass
        except BusyError:
            running = True
        kept = memory.kept
        return {
            **memory.told(),
            "edge": settings.edge,
            "active": memory.active,
            "agent": running,
            "refused": memory.refused,
            "orders": [asdict(order) for order in kept.state.orders] if kept else [],
            "admissions": dict(kept.steering.admissions) if kept else {},
        }


def run(settings: Settings, question: Question) -> dict[str, Any]:
    """One tick, as the agent does it."""
    with opened(settings) as control:
        return _tick(control, bool(question["write"]), NOTHING)


def order(settings: Settings, question: Question) -> dict[str, Any]:
    """Take an operator's order, or with `kind` "lift" the region's orders away, and carry it out at once.

    RefusedOrderError says what the safety gate has against it.
    """
    with opened(settings) as control:
        return _tick(control, bool(question["write"]), ordered(settings, question))


def ordered(settings: Settings, question: Question) -> Request:
    """What an order asks of a tick."""
    edit = _lifting(settings, question) if question["kind"] == LIFT else _ordering(settings, question)
    return Request(edit=edit, by=str(question["by"]), reason=str(question["reason"]))


def _lifting(settings: Settings, question: Question) -> Edit:
    kinds = tuple(kind for kind in ORDERS if (kind == FREEZE) == bool(question.get("freeze")))

    def edit(state: State, _seen: Observations, _now: float) -> State:
        return without_order(state, str(question["region"]), settings.regions, kinds)

    return edit


def _ordering(settings: Settings, question: Question) -> Edit:
    def edit(state: State, seen: Observations, now: float) -> State:
        seconds = float(question.get("seconds") or 0)
        wanted = Order(
            kind=str(question["kind"]), region=str(question["region"]), by=str(question["by"]),
            reason=str(question["reason"]), at=now, until=now + seconds if seconds else 0.0,
            force=bool(question.get("force")),
        )  # fmt: skip
        same = {replace(known, at=0.0, by="") for known in state.orders}
        if replace(wanted, at=0.0, by="") in same:
            return state
        return with_order(state, wanted, settings.policy, settings.regions, now, seen)

    return edit


def _tick(control: Control, write: bool, request: Request) -> dict[str, Any]:
    own = control.look_by_agent()
    others = control.edges.observations(control.memory.clock.now)
    if not control.memory.active:
        raise ElsewhereError(control.memory.role.active, control.settings.edge)
    with control.memory.changing():
        before = control.memory.kept.state if control.memory.kept else State()
        outcome = control.round(own, others, write=write, request=request)
    failures = list(outcome.failures)
    if write and outcome.written:
        failures += _until_confirmed(control, outcome)
    return report(control, before, outcome, failures)


def _until_confirmed(control: Control, outcome: Outcome) -> tuple[str, ...]:
    until = time.monotonic() + CONFIRM_SECONDS
    while True:
        wrong = control.confirm(outcome)
        if not wrong or time.monotonic() > until:
            return wrong
        time.sleep(0.3)


def report(control: Control, before: State, outcome: Outcome, failures: list[str]) -> dict[str, Any]:
    """What a command says about a tick."""
    decision = outcome.decision
    moved = decision.generation != before.generation and before.generation > 0
    return {
        "edge": control.settings.edge,
        "changed": moved or before.orders != decision.state.orders or any(plan.steps for plan in outcome.plans),
        "generation": decision.generation,
        "ttl_seconds": decision.ttl_seconds,
        "admissions": dict(decision.admissions),
        "phases": {region.name: region.phase for region in decision.state.regions},
        "reasons": {region.name: region.reason for region in decision.state.regions if region.reason},
        "before": {region.name: region.admission for region in before.regions},
        "verdicts": [asdict(verdict) for verdict in decision.verdicts],
        "changes": [asdict(change) for change in decision.changes],
        "orders": [asdict(order) for order in decision.state.orders],
        "plans": [asdict(plan) for plan in outcome.plans],
        "budget": [asdict(line) for line in budget(control.settings.policy, control.settings.tick_seconds)],
        "failures": failures,
        "warnings": [*outcome.warnings, *sorted(control.edges.silent.values())],
        "log_head": control.memory.kept.state.log_head if control.memory.kept else "",
    }


def takeover(settings: Settings, question: Question) -> dict[str, Any]:
    """Make this edge the active one, with the newest state that any reached edge has; the others are fenced first.

    One that isn't reached is fenced when it comes back: its older epoch is refused and it learns of this one.
    """
    with opened(settings) as control:
        return takeover_by(control, write=bool(question["write"]))


def takeover_by(control: Control, *, write: bool) -> dict[str, Any]:
    """The same on an open loop."""
    memory = control.memory
    control.edges.observations(memory.clock.now)
    before = memory.role
    role = before if memory.active else Role(active=control.settings.edge, epoch=before.epoch + 1)
    said = {"changed": role != before, "role": asdict(role), "unreached": dict(control.edges.silent), "tick": None}
    if role == before or not write:
        return said
    copies = control.edges.claim(role, memory.head())
    said["unreached"] = dict(control.edges.silent)
    with memory.changing(mend=bool(copies)):
        take(memory, copies)
        memory.adopt(role)
        if memory.kept is not None:
            state = replace(memory.kept.state, generation=memory.kept.state.generation + 1)
            memory.save(replace(memory.kept, state=state, epoch=role.epoch))
    return {**said, "tick": _tick(control, True, NOTHING)}


def explain(settings: Settings, question: Question) -> dict[str, Any]:
    """Why a country is where it is, or what happened from `since` to `until` (seconds since the epoch)."""
    with opened(settings) as control:
        with suppress(StateError):
            control.memory.refresh()
        state = control.memory.kept.state if control.memory.kept else State()
        told = []
        if question["country"]:
            told.append(why(settings.policy, settings.regions, state, str(question["country"]).upper()))
        if question["history"] or not told:
            lines = control.memory.journal.lines()
            told.append(history(lines, float(question["since"]), float(question["until"]), str(question["region"])))
        return {"text": "\n".join(line for one in told for line in one.lines), "data": [one.data for one in told]}


def verify_log(settings: Settings, question: Question) -> dict[str, Any]:
    """Whether the log is whole, and its head."""
    with opened(settings) as control:
        memory, head = control.memory, ""
        with memory.store.lock():  # between a line and the state that names it nothing fits; what follows takes long
            with suppress(StateError):
                memory.refresh()
                head = memory.kept.state.log_head if memory.kept else ""
            lines = list(memory.journal.lines())
        return verified(lines, head, again=bool(question.get("replay")))


COMMANDS: Mapping[str, Command] = {
    "status": status,
    "run": run,
    "order": order,
    "takeover": takeover,
    "explain": explain,
    "verify-log": verify_log,
}
