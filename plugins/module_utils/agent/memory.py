# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's memory on this edge: what is in it, what is on disk, and what other edges may put there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..routing.errors import RoutingError
from ..routing.forms import plain, read
from .clock import Clock, Mark, boot_id, since_boot
from .journal import Journal, JournalError
from .settings import Settings
from .store import Kept, Role, StateError, Store, read_state, state_form

SAVE_SECONDS = 10.0
"""How often a state is written that only grew older; every other one is written at once."""

REFUSED, CONFLICT = 403, 409
DAMAGED = "damaged"


class Memory:
    """State, log, role and clock of one edge. Every change happens in `changing`: one process, one thread at a time.

    `applied` is the generation that this edge's back ends hold.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.folder, settings.policy.domain)
        self.journal = Journal(settings.folder)
        self.store.prepare()
        self.clock = Clock()
        self.kept: Kept | None = None
        self.refused = ""
        self.applied = 0
        self._stamp: tuple[int, int, int] | None = None
        self._saved_at = float("-inf")
        self._thread = threading.RLock()

    @contextmanager
    def changing(self, *, mend: bool = False) -> Iterator[None]:
        """Hold what every change needs, with the memory brought up to date. Raises BusyError, StateError, OSError.

        With `mend` a state that can't be used is put aside instead: where a copy of another edge replaces it.
        """
        with self._thread, self.store.lock():
            try:
                self.refresh()
            except StateError:
                if not mend:
                    raise
                self.store.set_aside()
                self.refresh()
            yield

    @property
    def role(self) -> Role:
        """Who is active."""
        return self.store.role(self.settings.first)

    @property
    def active(self) -> bool:
        """Whether this edge is."""
        return self.role.active == self.settings.edge

    def refresh(self) -> None:
        """Read the state if another process wrote it. Raises StateError for one that must not be used, or OSError."""
        stamp = self.store.stamp()
        if stamp == self._stamp:
            return
        try:
            kept = self.store.load()
        except StateError as error:
            self.refused = str(error)
            raise
        first = self.kept is None
        self.refused, self._stamp, self.kept = "", stamp, kept
        if kept is not None:
            clock = Clock(kept.mark)
            if first or clock.now() > self.clock.now():
                self.clock = clock

    def save(self, kept: Kept, *, at_once: bool = True) -> None:
        """Remember a state, and write it unless it only grew older since a moment ago.

        OSError: it is not remembered. StateError for one that is older than what is remembered.
        """
        if self.kept is not None and kept.order < self.kept.order:
            raise StateError(f"generation {kept.state.generation} is older than {self.kept.state.generation}; refused")
        due = self.clock.now() - self._saved_at >= SAVE_SECONDS
        if at_once or due or self.kept is None or material(kept) != material(self.kept):
            self.store.save(kept)
            self._stamp, self._saved_at = self.store.stamp(), self.clock.now()
        self.kept = kept

    def follow(self, peer: str, question: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take over a decision of the active edge: HTTP status and answer. Raises ValueError for one without form."""
        try:
            role = read(Role, question.get("role"), "role")
            kept = read_state(question.get("state"), self.settings.policy.domain)
        except RoutingError as error:
            raise ValueError(str(error)) from error
        lines = [str(line) for line in question.get("lines", ())]
        with self.changing(mend=True):
            if role.active != peer:
                return REFUSED, {"error": f"{peer} says that {role.active} is active, not itself"}
            if not self.adopt(role) and self.role != role:
                return CONFLICT, {"error": f"{self.role.active} is active since epoch {self.role.epoch}", **self.told()}
            if self.kept is not None and kept.order < self.kept.order:
                said = f"generation {kept.state.generation} is older than {self.kept.state.generation}"
                return CONFLICT, {"error": said, **self.told()}
            self.take(kept, lines, bool(question.get("whole")), at_once=False)
            return 200, self.told()

    def take(self, kept: Kept, lines: list[str], whole: bool, *, at_once: bool = True) -> None:
        """Make another edge's state and log this one's; its time goes on by this machine's. Raises OSError."""
        self._copy_lines(lines, whole)
        mark = Mark(at=kept.mark.at, elapsed=since_boot(), boot=boot_id())
        self.clock = Clock(mark) if mark.at > self.clock.now() else self.clock
        self.save(replace(kept, mark=mark), at_once=at_once)

    def _copy_lines(self, lines: list[str], whole: bool) -> None:
        if whole:
            self.journal.replace(lines)
            return
        try:
            self.journal.rotate()
            self.journal.append(lines)
        except JournalError:
            return  # the answer tells the head, so the active edge sends what is missing with the next decision

    def adopt(self, role: Role) -> bool:
        """Follow a newer choice of the active edge; whether it was one."""
        if not role.newer_than(self.role):
            return False
        self.store.choose(role)
        return True

    def head(self) -> str:
        """The log's head as other edges are told it. A damaged log has one that none knows, so they send the whole."""
        try:
            return self.journal.head()
        except JournalError:
            return DAMAGED

    def told(self) -> dict[str, Any]:
        """What other edges are told of this one."""
        generation = max(self.kept.state.generation if self.kept else 0, self.applied)
        return {"role": plain(self.role), "generation": generation, "head": self.head()}

    def copy(self, after: str) -> dict[str, Any]:
        """State and log for another edge: the lines behind `after`, or all of them (`whole`) when that isn't known."""
        lines = self.journal.after(after)
        state = None if self.kept is None else state_form(self.kept, self.settings.policy.domain)
        return {
            **self.told(),
            "state": state,
            "lines": list(self.journal.lines()) if lines is None else lines,
            "whole": lines is None,
        }


def material(kept: Kept) -> Kept:
    """A state without the times that change at every tick. A count that moves is material: a crash must not undo it."""
    regions = tuple(
        replace(region, counters=tuple(replace(counter, last=0.0) for counter in region.counters))
        for region in kept.state.regions
    )
    return replace(kept, state=replace(kept.state, at=0.0, regions=regions), mark=Mark(at=0.0, elapsed=0.0, boot=""))
