# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the board knows and how it looks; no Ansible, no clock, no terminal."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

RUNNING, WAITING, OK, CHANGED, FAILED, SKIPPED = "running", "waiting", "ok", "changed", "failed", "skipped"
SYMBOLS = {RUNNING: "▶", WAITING: "·", OK: "✓", CHANGED: "✓", FAILED: "✗", SKIPPED: "-"}
ASCII = {RUNNING: ">", WAITING: ".", OK: "ok", CHANGED: "ok", FAILED: "X", SKIPPED: "-"}
COLOURS = {RUNNING: "36", WAITING: "2", OK: "32", CHANGED: "33", FAILED: "31;1", SKIPPED: "2"}
WAITED_FOR_LINES = 8
OTHERS = "others"


def clock(seconds: float) -> str:
    """Return a duration in seconds as ``m:ss`` or ``h:mm:ss``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def stage_name(path: str, play_name: str) -> str:
    """Return the stage of a play: ``40_clusters.yml`` is ``clusters``, any other file is its own name."""
    stem = os.path.splitext(os.path.basename(path))[0]
    match = re.fullmatch(r"\d+_(\w+)", stem)
    return match.group(1) if match else (stem or play_name)


@dataclass
class Cell:
    """One host in one stage."""

    state: str = WAITING
    changed: int = 0
    task: str = ""
    since: float = 0.0


@dataclass
class Stage:
    """One stage: when it ran (seconds of the caller's clock) and how its hosts are."""

    name: str
    playbook: str
    started: float | None = None
    ended: float | None = None
    cells: dict[str, Cell] = field(default_factory=dict)

    def state(self) -> str:
        states = {cell.state for cell in self.cells.values()}
        for worst in (FAILED, RUNNING):
            if worst in states:
                return worst
        if self.started is None:
            return WAITING
        if self.ended is None:
            return RUNNING
        return CHANGED if CHANGED in states else OK

    def seconds(self, now: float) -> float:
        return 0.0 if self.started is None else (self.ended if self.ended is not None else now) - self.started


@dataclass
class Board:
    """All stages of a run."""

    started: float = 0.0
    regions: tuple[str, ...] = ()
    stages: dict[str, Stage] = field(default_factory=dict)
    current: Stage | None = None

    def plan(self, name: str, playbook: str, hosts: tuple[str, ...]) -> Stage:
        """Add a stage, or more hosts to a stage that is there."""
        stage = self.stages.setdefault(name, Stage(name, playbook))
        for host in hosts:
            stage.cells.setdefault(host, Cell())
        return stage

    def begin(self, name: str, playbook: str, hosts: tuple[str, ...], now: float) -> None:
        stage = self.plan(name, playbook, hosts)
        if self.current is not None and self.current is not stage:
            self.end(now)
        stage.started = now if stage.started is None else stage.started
        stage.ended = None
        self.current = stage

    def end(self, now: float) -> None:
        """Close the stage that is open."""
        if self.current is None:
            return
        self.current.ended = now
        for cell in self.current.cells.values():
            if cell.state in (RUNNING, WAITING):
                cell.state = SKIPPED if cell.state == WAITING else OK
        self.current = None

    def start_task(self, host: str, task: str, now: float) -> None:
        cell = self._cell(host)
        cell.task, cell.since = task, now
        if cell.state != FAILED:
            cell.state = RUNNING

    def finish_task(self, host: str, outcome: str, now: float) -> float:
        """Note a result (ok, changed, failed, skipped); return the task's seconds."""
        cell = self._cell(host)
        took = now - cell.since if cell.task else 0.0
        cell.task = ""
        cell.changed += outcome == CHANGED
        if outcome == FAILED:
            cell.state = FAILED
        elif cell.state != FAILED:
            cell.state = CHANGED if cell.changed else OK
        return took

    def rescue(self, host: str) -> None:
        """A failure that was ignored or rescued leaves the host running."""
        self._cell(host).state = RUNNING

    def _cell(self, host: str) -> Cell:
        if self.current is None:
            return Cell()
        return self.current.cells.setdefault(host, Cell())

    def waited_for(self, now: float, progress: dict[str, str]) -> list[str]:
        """Return a line for each task that runs, the longest first."""
        if self.current is None:
            return []
        busy = sorted((c.since, host, c) for host, c in self.current.cells.items() if c.task)
        width = max((len(host) for _since, host, _cell in busy), default=0)
        lines = [f"{host:<{width}}  {clock(now - cell.since):>5}  {cell.task}"
                 + (f": {progress[host]}" if progress.get(host) else "") for _since, host, cell in busy]
        more = len(lines) - WAITED_FOR_LINES
        return lines if more <= 0 else [*lines[:WAITED_FOR_LINES], f"and {more} more"]

    def times(self, now: float) -> list[tuple[str, float]]:
        return [(stage.name, stage.seconds(now)) for stage in self.stages.values() if stage.started is not None]


@dataclass(frozen=True)
class Look:
    """The terminal: its width in columns, whether it shows colours and more than ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, state: str) -> str:
        return f"\033[{COLOURS[state]}m{text}\033[0m" if self.colour else text

    def mark(self, state: str) -> str:
        return (SYMBOLS if self.unicode else ASCII)[state]


def _columns(board: Board, look: Look) -> list[tuple[str, tuple[str, ...]]]:
    """Return headings and their hosts: a column per region where they fit, else one for all, and one for the rest."""
    everyone = {host for stage in board.stages.values() for host in stage.cells}
    regions = [host for host in board.regions if host in everyone]
    rest = tuple(sorted(everyone - set(regions)))
    columns: list[tuple[str, tuple[str, ...]]] = [(host, (host,)) for host in regions]
    if sum(len(heading) + 2 for heading, _hosts in columns) > look.width - 40:
        columns = [("regions", tuple(regions))]
    return columns + ([(OTHERS, rest)] if rest else [])


def _cell_text(stage: Stage, hosts: tuple[str, ...], look: Look) -> tuple[str, str]:
    cells = [stage.cells[host] for host in hosts if host in stage.cells]
    if not cells:
        return "", SKIPPED
    states = [cell.state for cell in cells]
    state = next((s for s in (FAILED, RUNNING, WAITING, CHANGED, OK) if s in states), SKIPPED)
    changed = sum(cell.changed for cell in cells)
    done = sum(s in (OK, CHANGED, SKIPPED) for s in states)
    text = look.mark(state) + (f" {done}/{len(cells)}" if len(cells) > 1 else "") + (f" +{changed}" if changed else "")
    return text, state


def render(board: Board, now: float, look: Look, progress: dict[str, str], title: str) -> list[str]:
    """Return the board's lines, none wider than the terminal."""
    columns = _columns(board, look)
    first = max([len(name) for name in board.stages] + [5])
    widths = [max(len(heading), 10) for heading, _hosts in columns]
    head = "  ".join([f"  {'stage':<{first}}"] + [f"{h:<{w}}" for (h, _hosts), w in zip(columns, widths)] + ["  time"])
    lines = [f"{title}  {clock(now - board.started)}"[:look.width], look.paint(head[:look.width], WAITING)]
    for stage in board.stages.values():
        state = stage.state()
        row = [look.paint(f"{look.mark(state)[:1]} {stage.name:<{first}}", state)]
        for (_heading, hosts), width in zip(columns, widths):
            text, cell_state = _cell_text(stage, hosts, look)
            row.append(look.paint(f"{text[:width]:<{width}}", cell_state))
        row.append(f"{clock(stage.seconds(now)):>6}" if stage.started is not None else "")
        lines.append("  ".join(row))
    waiting = board.waited_for(now, progress)
    if waiting:
        lines += [""] + [("  " + line)[:look.width] for line in waiting]
    return lines
