# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This edge among the others: what they see is asked for, what is decided is handed on, who is active is agreed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..routing.errors import RoutingError
from ..routing.forms import plain, read
from ..routing.observations import Observations
from .memory import SAVE_SECONDS, Memory
from .peer import Peer, PeerError, client_context
from .settings import Settings
from .store import Kept, Role, read_state, state_form
from .watch import heard

OBSERVATIONS, DECISION, CLAIM, COPY = "/v1/observations", "/v1/decision", "/v1/claim", "/v1/copy"


class Edges:
    """The other edges, each with what it said last. Use it from one thread at a time.

    `generation` is the greatest that any of them has: what is decided next must not be older.
    """

    def __init__(self, settings: Settings, memory: Memory) -> None:
        self._memory = memory
        context = client_context(settings.ca, settings.certificate, settings.key)
        self.peers = {name: Peer(name, address, settings.port, context) for name, address in settings.others}
        self.own = Peer(settings.edge, settings.address, settings.port, context)
        self.said: dict[str, Mapping[str, Any]] = {}
        self.silent: dict[str, str] = {}
        self.generation = 0
        self._given: dict[str, tuple[Any, float]] = {}
        self._threads = ThreadPoolExecutor(max_workers=max(1, len(self.peers)), thread_name_prefix="edge")

    def observations(self, now: Callable[[], float]) -> tuple[Observations, ...]:
        """What the others see; an edge that doesn't answer, or no sense, is in `silent` with the reason."""
        found = []
        for name, answer in self._all("GET", OBSERVATIONS, dict.fromkeys(self.peers)).items():
            try:
                found.append(heard(name, answer, now()))
                self._agree(answer)
            except (ValueError, RoutingError) as error:
                self.silent[name] = f"{name}: {error}"
        return tuple(found)

    def share(self, kept: Kept) -> tuple[str, ...]:
        """Hand the state and what is new in the log to the others, if they need it; texts about those that failed."""
        memory, questions = self._memory, {}
        for name in self.peers:
            given, at = self._given.get(name, (None, float("-inf")))
            behind = self.said.get(name, {}).get("head") != kept.state.log_head
            if name in self.said and (behind or given != kept.order or memory.clock.now() - at >= SAVE_SECONDS):
                questions[name] = self._question(name, kept)
        answers = self._all("POST", DECISION, questions)
        for name in answers:
            self._given[name] = (kept.order, memory.clock.now())
        return tuple(text for name, text in self.silent.items())

    def _question(self, name: str, kept: Kept) -> dict[str, Any]:
        lines = self._memory.journal.after(str(self.said[name].get("head", "")))
        return {
            "role": plain(self._memory.role),
            "state": state_form(kept, self._memory.store.site),
            "lines": list(self._memory.journal.lines()) if lines is None else lines,
            "whole": lines is None,
        }

    def copies(self, after: str) -> dict[str, dict[str, Any]]:
        """State and log of every edge that answers."""
        return self._all("POST", COPY, {name: {"after": after} for name in self.peers})

    def claim(self, role: Role, after: str) -> dict[str, dict[str, Any]]:
        """Tell every other edge who is active from now on; the copies of those that answered, and so are fenced."""
        return self._all("POST", CLAIM, {name: {"role": plain(role), "after": after} for name in self.peers})

    def _all(self, method: str, path: str, questions: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Ask several at once; keeps who answered and who didn't."""
        def ask(name: str) -> dict[str, Any] | PeerError:
            try:
                return self.peers[name].ask(method, path, questions[name])
            except PeerError as error:
                return error

        found = {}
        for name, answer in zip(questions, self._threads.map(ask, questions)):
            self.silent.pop(name, None)
            if isinstance(answer, PeerError):
                self.silent[name] = str(answer)
                self.said.pop(name, None)
                self._agree(answer.answer)
            else:
                found[name] = answer
                self._surpass(answer)
                self.said[name] = {key: answer.get(key) for key in ("role", "generation", "head", "failures")}
        return found

    def _agree(self, answer: Mapping[str, Any]) -> None:
        """Follow a newer choice of the active edge that another one knows of."""
        try:
            self._memory.adopt(read(Role, answer.get("role"), "role"))
        except (RoutingError, OSError):
            return

    def _surpass(self, answer: Mapping[str, Any]) -> None:
        generation = answer.get("generation")
        self.generation = max(self.generation, generation if isinstance(generation, int) else 0)

    def close(self) -> None:
        """Let connections and threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for peer in (*self.peers.values(), self.own):
            peer.close()


def take(memory: Memory, copies: Mapping[str, Mapping[str, Any]]) -> str:
    """Take over the newest copy if it is newer than what is kept here; the name of the edge it is of, or empty.

    Call it with the memory's lock held. Raises OSError when the disk doesn't take it.
    """
    found: list[tuple[tuple[int, int], str, Kept]] = []
    for name, copy in copies.items():
        try:
            kept = read_state(copy.get("state"), memory.store.site)
        except (ValueError, RoutingError):
            continue
        found.append((kept.order, name, kept))
    if not found:
        return ""
    order, name, kept = max(found, key=lambda item: item[:2])
    if memory.kept is not None and order <= memory.kept.order:
        return ""
    memory.take(kept, [str(line) for line in copies[name].get("lines", ())], bool(copies[name].get("whole")))
    return name
