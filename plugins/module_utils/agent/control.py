# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop on one edge: its ports opened. The agent and the commands of the playbooks are made of this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..observe.config import Config
from ..observe.observe import Observer
from ..providers.adapters import open_adapter
from ..providers.interface import Adapter, Steering
from ..routing.compile import compile_table
from ..routing.decide import decide
from ..routing.decision import REGION_DOWN, Decision, effective_table
from ..routing.errors import RoutingError
from ..routing.log import entry
from ..routing.observations import Observations
from ..routing.safety import gate_answers, require
from ..routing.state import State
from .edges import OBSERVATIONS, Edges, take
from .journal import JournalError
from .loop import Outcome, Ports, RecordError, confirm, generations, steer, tick
from .memory import Memory
from .peer import PeerError
from .settings import Settings
from .store import ElsewhereError, Kept, StateError
from .watch import heard, merged

Edit = Callable[[State, Observations, float], State]
"""What an operator's command does to the state before the decision."""


def unchanged(state: State, _observations: Observations, _now: float) -> State:
    """The edit of every tick that no operator asked for."""
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operator asks of a tick: an edit of the state, and who wants it why."""

    edit: Edit = unchanged
    by: str = ""
    reason: str = ""


_MEND: tuple[tuple[type[Exception], str], ...] = (
    (JournalError, "The decision log is damaged: move its files, {folder}/decisions*.jsonl, away; a new one begins"),
    (StateError, "Say anew which edge is active: takeover.yml"),
    (OSError, "Make room in {folder}, or mend its disk"),
)
"""What helps where a decision can't be written down."""

NOTHING = Request()
"""What every other tick is asked."""


class Control:
    """One edge's loop. `memory` is its memory, `edges` the other ones, `adapters` its back ends."""

    def __init__(self, settings: Settings, adapters: tuple[Adapter, ...] | None = None) -> None:
        self.settings = settings
        self.memory = Memory(settings)
        self.edges = Edges(settings, self.memory)
        self.adapters = open_adapters(settings) if adapters is None else adapters
        self._observer: Observer | None = None

    def look(self, *, everything: bool) -> Observations:
        """What this edge sees itself; with `everything` the regions' own figures, too. Never raises."""
        if self._observer is None:
            config = Config.from_dict(
                {"vantage": self.settings.edge, **self.settings.observe}, self.settings.policy, self.settings.regions
            )
            self._observer = Observer(config)
        return self._observer.observe(self.memory.clock.now(), everything=everything)

    def look_by_agent(self) -> Observations:
        """What this edge's agent saw last, which remembers more; what is seen now where no agent runs."""
        try:
            answer = self.edges.own.ask("GET", OBSERVATIONS)
            return heard(self.settings.edge, answer, self.memory.clock.now())
        except (PeerError, ValueError, RoutingError):
            return self.look(everything=True)

    def round(
        self, own: Observations, others: Iterable[Observations], *, write: bool = True, request: Request = NOTHING
    ) -> Outcome:
        """One tick of the active edge, with the memory's lock held. Raises RoutingError, StateError, OSError."""
        parts = (own, *others)
        if not self.memory.active:
            raise ElsewhereError(self.memory.role.active, self.settings.edge)
        if self.memory.kept is None and write:
            take(self.memory, self.edges.copies(self.memory.head()))

        edited = State()

        def decided(state: State, observations: Observations, now: float) -> Decision:
            nonlocal edited
            edited = request.edit(state, observations, now)
            policy, regions = self.settings.policy, self.settings.regions
            decision = decide(policy, regions, edited, observations, now)
            # Its floors are the engine's own: an operator's force may go below them, never below an answer for all.
            table = effective_table(policy, regions, dict(decision.admissions), decision.generation)
            require(gate_answers(table))
            return decision

        def record(state: State, observations: Observations, decision: Decision) -> None:
            self._record(state, edited, observations, decision, request)

        ports = Ports(
            now=self.memory.clock.now,
            load=self._load,
            observe=lambda now: merged(now, parts),
            decide=decided,
            record=record,
            adapters=self.adapters,
            share=self._share,
        )
        return tick(ports, write=write)

    def follow(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """One tick of an edge that isn't active: what is in force is kept in force. Names written to, and failures."""
        self.memory.applied = max(generations(self.adapters), default=0)
        if self.memory.kept is None:
            return (), ()
        _plans, written, failures = steer(self.adapters, self.memory.kept.steering, write=True)
        return written, failures

    def confirm(self, outcome: Outcome) -> tuple[str, ...]:
        """Where answers aren't yet as decided."""
        if outcome.steering is None:
            return ()
        down = {verdict.subject for verdict in outcome.decision.verdicts if verdict.verdict == REGION_DOWN}
        probes = [probe for probe in outcome.observations.probes if probe.vantage == self.settings.edge]
        down |= {probe.region for probe in probes if probe.ok is False}
        up = {region.name for region in self.settings.regions} - down
        reached = {name for name, _address in self.settings.edges} - set(self.edges.silent)
        geographies = [name for name, _geography in self.settings.policy.geographies]
        return confirm(self.adapters, outcome.steering, geographies, up | reached)

    def _load(self) -> tuple[State, Steering | None]:
        kept = self.memory.kept
        state, steering = (State(), None) if kept is None else (kept.state, kept.steering)
        return replace(state, generation=max(state.generation, self.edges.generation)), steering

    def _record(
        self, state: State, edited: State, observations: Observations, decision: Decision, request: Request
    ) -> None:
        memory = self.memory
        try:
            memory.journal.rotate()
            line = entry(
                self.settings.policy, self.settings.regions, state, observations, decision, memory.journal.head(),
                decided_from=edited, known=memory.journal.inputs(), by=request.by, reason=request.reason,
            )  # fmt: skip
            if line is not None:
                memory.journal.append([line])
            after = replace(decision.state, log_head=memory.journal.head())
            kept = Kept(state=after, mark=memory.clock.mark(), epoch=memory.role.epoch)
            memory.save(kept, at_once=line is not None)
        except (OSError, JournalError, StateError) as error:
            mend = next(text for kind, text in _MEND if isinstance(error, kind)).format(folder=self.settings.folder)
            raise RecordError(
                f"the decision can't be written down, so the last one stays in force: {error}. {mend}"
            ) from error

    def _share(self, _decision: Decision) -> tuple[str, ...]:
        return self.edges.share(self.memory.kept) if self.memory.kept else ()

    def close(self) -> None:
        """Let go of everything."""
        if self._observer is not None:
            self._observer.close()
        self.edges.close()


def open_adapters(settings: Settings) -> tuple[Adapter, ...]:
    """The back ends of this host, with the policy's table. Raises CompileError, or ValueError for wrong settings."""
    table = compile_table(settings.policy, settings.regions, 0)
    return tuple(open_adapter(name, table, settings.site, given) for name, given in sorted(settings.backends.items()))
