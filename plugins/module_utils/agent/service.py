# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: the loop for as long as the edge lives, what other edges ask of it, its metrics and the status page."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..providers.interface import BackendError
from ..routing.errors import RoutingError
from ..routing.forms import read
from ..routing.observations import Observations
from ..routing.state import PHASES
from .control import Control
from .disk import BusyError
from .edges import CLAIM, COPY, DECISION, OBSERVATIONS
from .journal import JournalError
from .loop import Outcome
from .metrics import MetricsServer, Sample
from .page import Page
from .peer import PeerServer, Routes, server_context
from .settings import Settings
from .store import Role, StateError

CONFIRM_SECONDS = 10.0
"""How long answers may take to follow a decision before that counts as a failure."""


class Service:
    """One agent. `serve` runs until `stop`."""

    def __init__(self, settings: Settings, control: Control | None = None) -> None:
        self.settings = settings
        self.control = control or Control(settings)
        self.page = Page(settings)
        self.outcome: Outcome | None = None
        self.failures: tuple[str, ...] = ()
        self._seen = Observations(at=0.0)
        self._ticks, self._took, self._last = 0, 0.0, float("-inf")
        self._unconfirmed = float("inf")
        self._wake, self._stopped = threading.Event(), threading.Event()

    def stop(self) -> None:
        """End `serve` after its round."""
        self._stopped.set()
        self._wake.set()

    def serve(self) -> None:
        """Run. Raises BusyError when an agent runs already, OSError when a port is taken or a certificate unfit."""
        settings = self.settings
        with self.control.memory.store.service_lock():
            context = server_context(settings.ca, settings.certificate, settings.key)
            edges = {name for name, _address in settings.edges}
            server = PeerServer((settings.address, settings.port), context, edges, self.routes())
            server.start()
            metrics = None
            if settings.metrics_port:
                metrics = MetricsServer(settings.metrics_port, self.samples, self.trouble, self.page.folder)
                metrics.start()
            try:
                while not self._stopped.is_set():
                    self._wake.clear()
                    began = time.monotonic()
                    self.round()
                    self._wake.wait(max(0.0, settings.tick_seconds - (time.monotonic() - began)))
            finally:
                for one in filter(None, (server, metrics)):
                    one.shutdown()
                    one.server_close()
                self.control.close()

    def round(self) -> None:
        """One round; whatever goes wrong in it is said, and the next one tries again."""
        began = time.monotonic()
        try:
            failures = self._decide() if self.control.memory.active else self._follow()
        except (RoutingError, StateError, BusyError, BackendError, OSError) as error:
            failures = (str(error),)
        except Exception as error:
            failures = (f"{type(error).__name__}: {error}",)
            if failures != self.failures:
                traceback.print_exc()
        for text in sorted(set(failures) - set(self.failures)):
            say(text)
        self.failures = failures
        self._ticks += 1
        self._last = time.monotonic()
        self._took = self._last - began

    def _decide(self) -> tuple[str, ...]:
        control = self.control
        self._seen = control.look(everything=True)
        others = control.edges.observations(control.memory.clock.now)
        with control.memory.changing():
            if not control.memory.active:  # another edge was chosen meanwhile
                return ()
            self.outcome = outcome = control.round(self._seen, others)
            shown = self._show(outcome)
        for change in outcome.decision.changes:
            refused = "refused " if change.refused else ""
            say(f"{change.region}: {refused}{change.before} -> {change.after}, {change.reason}")
        return (*outcome.failures, *shown, *self._confirmed(outcome))

    def _show(self, outcome: Outcome) -> tuple[str, ...]:
        memory, decision = self.control.memory, outcome.decision
        if memory.kept is not None:
            decision = replace(decision, state=memory.kept.state)
        try:
            self.page.write(memory.journal, memory.role.active, decision, outcome.observations)
        except (OSError, JournalError) as error:
            return (f"the status page is old: {error}",)
        return ()

    def _confirmed(self, outcome: Outcome) -> tuple[str, ...]:
        """Ask until answers are as decided; only then does the decision count."""
        now = time.monotonic()
        if outcome.written:
            self._unconfirmed = now
        if self._unconfirmed > now:
            return ()
        wrong = self.control.confirm(outcome)
        if not wrong:
            self._unconfirmed = float("inf")
        return wrong if now - self._unconfirmed > CONFIRM_SECONDS else ()

    def _follow(self) -> tuple[str, ...]:
        control = self.control
        self._seen, self.outcome = control.look(everything=False), None
        with control.memory.changing():
            _written, failures = control.follow()
        return failures

    def routes(self) -> Routes:
        """What other edges may ask."""
        return {
            ("GET", OBSERVATIONS): self._observed,
            ("POST", DECISION): self._decided,
            ("POST", CLAIM): self._claimed,
            ("POST", COPY): self._copied,
        }

    def _observed(self, _peer: str, _question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        memory = self.control.memory
        seen = self._seen.to_dict()
        return 200, {"now": memory.clock.now(), "observations": seen, "failures": self.failures, **memory.told()}

    def _decided(self, peer: str, question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        answer = self.control.memory.follow(peer, question)
        self._wake.set()
        return answer

    def _claimed(self, peer: str, question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        role = read(Role, question.get("role"), "role")
        memory = self.control.memory
        with memory.changing():
            if role.active != peer or not (memory.adopt(role) or memory.role == role):
                said = f"{memory.role.active} is active since epoch {memory.role.epoch}"
                return 409, {"error": said, **memory.told()}
            say(f"{peer} is active from now on")
            return 200, memory.copy(str(question.get("after", "")))

    def _copied(self, _peer: str, question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        memory = self.control.memory
        with memory.changing():
            return 200, memory.copy(str(question.get("after", "")))

    def trouble(self) -> str:
        """Why this agent isn't well; empty when it is."""
        age = time.monotonic() - self._last
        if age > 3 * self.settings.tick_seconds + 5:
            return f"no round for {age:.0f} s"
        return "; ".join(self.failures)

    def samples(self) -> Iterator[Sample]:
        """The metrics."""
        memory, outcome = self.control.memory, self.outcome
        role, kept = memory.role, memory.kept
        yield "active", {}, float(memory.active)
        yield "epoch", {}, role.epoch
        yield "ticks_total", {}, self._ticks
        yield "tick_seconds", {}, self._took
        yield "tick_age_seconds", {}, time.monotonic() - self._last
        yield "failures", {}, len(self.failures)
        yield "state_refused", {}, float(bool(memory.refused))
        yield "clock_ahead_seconds", {}, memory.clock.ahead()
        for name in self.control.edges.peers if memory.active else ():
            yield "peer_reached", {"edge": name}, float(name in self.control.edges.said)
        if kept is None:
            return
        yield "generation", {}, kept.state.generation
        yield "orders", {}, len(kept.state.orders)
        yield "log_head", {"head": kept.state.log_head}, 1
        for region in kept.state.regions:
            yield "admission", {"region": region.name}, region.admission
            for phase in PHASES:
                yield "phase", {"region": region.name, "phase": phase}, float(region.phase == phase)
        for verdict in outcome.decision.verdicts if outcome else ():
            yield "verdict", {"subject": verdict.subject, "verdict": verdict.verdict}, 1


def say(text: str) -> None:
    """One line of the agent's own log."""
    sys.stderr.write(json.dumps(text, ensure_ascii=False)[1:-1] + "\n")
    sys.stderr.flush()
