# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine asks of every back end, and the one way in which a decision reaches it: plan, apply, verify."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from ..routing.decision import Decision
from ..routing.diff import diff, refuse_older
from ..routing.records import Card, Plan, Records, Step
from ..routing.safety import gate_plan, require


class BackendError(Exception):
    """A back end could not be read, changed or asked; the text names it and says what to do. Serving goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What a decision tells a back end: admissions (ratios) by region; the time to live of answers (seconds)."""

    generation: int
    admissions: tuple[tuple[str, float], ...]
    ttl_seconds: int

    @classmethod
    def of(cls, decision: Decision) -> Steering:
        """What of a decision a back end needs."""
        return cls(
            generation=decision.generation, admissions=decision.admissions, ttl_seconds=decision.ttl_seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a back end answered a client of a geography: names of regions, edges or "static", each with its count."""

    geography: str
    served: tuple[tuple[str, int], ...]


class Adapter(Protocol):
    """One back end on this host, opened with the policy's table. Every method may raise BackendError."""

    @property
    def card(self) -> Card:
        """What the back end can do."""

    def desired(self, steering: Steering) -> Records:
        """The records that say a decision; never empty, one per region; reads nothing."""

    def read(self) -> Records:
        """The records of this owner that are in force, and their generation (0 when there never was one)."""

    def claim(self, generation: int) -> None:
        """Write the generation, durably, before its first step: from then on older plans are refused."""

    def apply(self, step: Step) -> None:
        """Do one step, durably. Doing it again changes nothing."""

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """Ask as a client of each geography would, so many times; geographies that can't be asked are left out."""

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """The names that an answer may hold when exactly the regions and edges `up` are up."""


def plan(adapter: Adapter, steering: Steering) -> Plan:
    """What has to be done; writes nothing.

    Raises RefusedError (OlderError), InvalidError when the back end would be left without an answer, or BackendError.
    """
    existing = adapter.read()
    wanted = diff(adapter.card.name, existing, adapter.desired(steering))
    require(gate_plan(wanted, existing))
    return wanted


def apply(adapter: Adapter, wanted: Plan) -> bool:
    """Do a plan; whether anything was written. A plan that was left half-way is simply planned and applied again.

    A step that fails doesn't keep the others from being done: an eviction never waits for another region's trouble.
    Raises OlderError, or BackendError with all failures once everything was tried.
    """
    existing = adapter.read().generation
    refuse_older(wanted.backend, existing, wanted.generation)
    if wanted.generation > existing:
        adapter.claim(wanted.generation)
    failures = []
    for step in wanted.steps:
        try:
            adapter.apply(step)
        except BackendError as error:
            failures.append(f"{step.action} {step.key}: {error}")
    if failures:
        raise BackendError("; ".join(failures))
    return bool(wanted.steps) or wanted.generation > existing


def verify(
    adapter: Adapter, steering: Steering, geographies: Collection[str], up: Collection[str], times: int = 1
) -> tuple[str, ...]:
    """Where answers differ from the decision, as texts; empty when it counts. Ask again until it does or time is over.

    `up` are the regions and edges that the caller believes to be up. Raises BackendError when nothing answers.
    """
    wrong = []
    for answer in adapter.answers(geographies, times):
        allowed = adapter.expected(steering, answer.geography, up)
        strange = sorted(name for name, _count in answer.served if name not in allowed)
        if strange:
            named = ", ".join(sorted(allowed))
            wrong.append(f"{adapter.card.name}: {answer.geography} is answered {', '.join(strange)}, not {named}")
    return tuple(wrong)
