# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edge keeps of the engine: its state, who is active, and the lock of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from ..providers.interface import Steering
from ..routing.errors import RoutingError
from ..routing.forms import plain, read
from ..routing.state import State
from .clock import Mark
from .disk import held

LOCK_SECONDS = 10.0
"""How long a writer waits for another one; a tick takes less."""


class StateError(Exception):
    """The state on disk is not to be used; the text says which file, why, and what to do."""


class ElsewhereError(StateError):
    """Another edge is active: `active`."""

    def __init__(self, active: str, edge: str) -> None:
        super().__init__(f"{active} is active, not {edge}: run it there")
        self.active = active


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who is active. A later choice has a greater `epoch`; of two with the same one the greater name counts."""

    active: str
    epoch: int

    def newer_than(self, other: Role) -> bool:
        """Whether this choice replaces the other one."""
        return (self.epoch, self.active) > (other.epoch, other.active)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A state, the moment that it is of, and the epoch of the edge that made it."""

    state: State
    mark: Mark
    epoch: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """What of two states is the newer one: never replace a greater one by a smaller one."""
        return self.epoch, self.state.generation

    @property
    def steering(self) -> Steering:
        """What the back ends are to do by it."""
        state = self.state
        admissions = tuple(sorted((region.name, region.admission) for region in state.regions))
        return Steering(generation=state.generation, admissions=admissions, ttl_seconds=state.ttl_seconds)


class Store:
    """The files of one edge in `folder`; `site` is the domain they are for."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder, self.site = folder, site
        self.state_file, self.role_file = folder / "state.json", folder / "role.json"

    def prepare(self) -> None:
        """Make the folder, for this user alone but for the page in it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)

    def lock(self, wait_seconds: float = LOCK_SECONDS) -> AbstractContextManager[None]:
        """Hold the lock that every change of state, log and back ends needs. Raises BusyError."""
        busy = f"another process changes the routing for more than {wait_seconds:g} s already: see {self.folder}/lock"
        return held(self.folder / "lock", wait_seconds, busy)

    def service_lock(self) -> AbstractContextManager[None]:
        """Hold the lock of the one agent of this edge. Raises BusyError at once."""
        return held(self.folder / "agent.lock", 0, f"another agent runs already: it holds {self.folder}/agent.lock")

    def load(self) -> Kept | None:
        """The state on disk; None when there is none. Raises StateError for one that must not be used, or OSError."""
        try:
            raw = self.state_file.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return read_state(json.loads(raw), self.site)
        except (ValueError, RecursionError, RoutingError) as error:
            raise StateError(
                f"{self.state_file} is not used: {error}. What was decided last stays in force and nothing is decided "
                "until this is mended: take the other edge's newer copy with takeover.yml, or move the file away; then "
                "the copy of another edge is taken, else every region counts as healthy"
            ) from None

    def save(self, kept: Kept) -> None:
        """Write the state durably; an OSError leaves the old one in place."""
        write_atomically(self.state_file, json.dumps(state_form(kept, self.site), separators=(",", ":")), 0o600)

    def role(self, first: str) -> Role:
        """Who is active by the last choice, else `first`, the inventory's."""
        try:
            return read(Role, json.loads(self.role_file.read_bytes()), "role")
        except (FileNotFoundError, ValueError, RoutingError):
            return Role(active=first, epoch=0)

    def set_aside(self) -> Path:
        """Move a state that must not be used out of the way, for people to look at; returns where it is."""
        number = 1 + sum(1 for _path in self.folder.glob("state.refused-*.json"))
        target = self.folder / f"state.refused-{number:03d}.json"
        self.state_file.replace(target)
        return target

    def stamp(self) -> tuple[int, int, int]:
        """What changes whenever anybody writes the state."""
        try:
            found = self.state_file.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return found.st_ino, found.st_size, found.st_mtime_ns

    def choose(self, role: Role) -> None:
        """Write down who is active."""
        write_atomically(self.role_file, json.dumps(plain(role)), 0o600)


def state_form(kept: Kept, site: str) -> dict[str, Any]:
    """A state as it lies on disk and goes to another edge: with its site and a sum."""
    content = {"site": site, "epoch": kept.epoch, "mark": plain(kept.mark), "state": kept.state.to_dict()}
    return {**content, "sum": _sum(content)}


def read_state(content: object, site: str) -> Kept:
    """The other way. Raises ValueError or InvalidError with the reason why it isn't a state of this site."""
    if not isinstance(content, Mapping) or not {"site", "epoch", "mark", "state", "sum"} == set(content):
        raise ValueError("it is no state of the routing")
    if content["sum"] != _sum({key: item for key, item in content.items() if key != "sum"}):
        raise ValueError("its sum is wrong, so it is damaged or was edited")
    if content["site"] != site:
        raise ValueError(f"it is of {content['site']}, not of {site}")
    state, mark = State.from_dict(content["state"]), read(Mark, content["mark"], "mark")
    return Kept(state=state, mark=mark, epoch=int(content["epoch"]))


def _sum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
