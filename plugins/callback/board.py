# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output of a run: a board of stages and regions on a terminal, plain lines elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
name: board
type: stdout
short_description: A board of stages and regions while a run goes on
version_added: 0.1.0
description:
  - On a terminal, shows every stage of the run by region, what is being waited for and for how long.
    Changes, failures and what tasks say on purpose stay above it.
  - Elsewhere, writes one plain line per result and a sign of life while a task takes long.
  - A failure is shown in full, with region, stage, task and the next command.
  - Ends with the seconds of each stage and Ansible's own recap lines.
  - A task that waits may write one line on what it waits for to C({{ local_state_dir }}/progress/<host>).
author:
  - LLM Verifier DevOps (@llm-verifier)
requirements:
  - set as stdout_callback in the configuration
options:
  live:
    description: Whether the board is drawn on a terminal. When false, plain lines are written there too.
    type: bool
    default: true
    env:
      - name: LLM_VERIFIER_BOARD_LIVE
    ini:
      - section: callback_board
        key: live
  heartbeat_seconds:
    description: How often plain output says what is being waited for.
    type: int
    default: 30
    env:
      - name: LLM_VERIFIER_BOARD_HEARTBEAT
    ini:
      - section: callback_board
        key: heartbeat_seconds
"""

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar, trust_as_template

from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils import board as model
from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils.board_screen import Screen, terminal_look
from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils.board_text import (
    failure_text,
    recap_line,
    spoken_text,
)

COLOURS = {
    model.CHANGED: C.COLOR_CHANGED,
    model.FAILED: C.COLOR_ERROR,
    model.SKIPPED: C.COLOR_SKIP,
    model.OK: C.COLOR_OK,
}


def task_name(task: Any) -> str:
    """Return a task's name without its role's, which the stage says already."""
    return str(task.get_name()).strip().rpartition(" : ")[2]


def _end_of(path: str, size: int = 4096) -> str:
    """Return the last bytes of a file as text; raises OSError."""
    with open(path, "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - size))
        return stream.read().decode("utf-8", "replace")


class CallbackModule(CallbackBase):
    """Turns Ansible's events into a Board and lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "llm_verifier.multi_region.board"

    def __init__(self) -> None:
        super().__init__()
        self._board = model.Board(started=time.time())
        self._screen: Screen | None = None
        self._look: model.Look | None = None
        self._progress_dir = ""
        self._check = False
        self._play: Any = None
        self._said_at = time.time()
        self._title = "LLM Verifier multi-region"

    # What is seen

    def _start(self) -> None:
        if self._screen is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(line_buffering=True)  # a pipe or file would see nothing until it is full
            self._check = bool(context.CLIARGS.get("check"))
            self._look = terminal_look() if self.get_option("live") else None
            self._screen = Screen(self._tick, 0.5 if self._look else 1.0, self._look is not None)
            self._screen.start()

    def _screen_lock(self) -> Any:
        """The lock that keeps the drawing thread away; none before the run has started."""
        return self._screen.lock if self._screen is not None else contextlib.nullcontext()

    def _tick(self) -> list[str]:
        now = time.time()
        if self._look is not None:
            look = terminal_look() or self._look
            return model.render(self._board, now, look, self._progress(), self._title + self._check_mark())
        if now - self._said_at >= self.get_option("heartbeat_seconds"):
            self._said_at = now
            for line in self._board.waited_for(now, self._progress()):
                self._display.display(f"[{self._elapsed()}] {self._stage():<14} waiting  {line}")
        return []

    def _progress(self) -> dict[str, str]:
        """Return what the tasks that run have written of what they wait for."""
        found = {}
        stage = self._board.current
        for host, cell in (stage.cells.items() if stage and self._progress_dir else ()):
            path = os.path.join(self._progress_dir, host)
            try:
                if cell.task and os.path.getmtime(path) >= cell.since - 1:
                    lines = _end_of(path).strip().splitlines()
                    found[host] = "".join(c for c in lines[-1] if c.isprintable()) if lines else ""
            except OSError:
                continue
        return found

    def _say(self, text: str, colour: str | None = None) -> None:
        """Print text that stays."""
        self._said_at = time.time()
        if self._screen is None:
            self._display.display(text, color=colour)
            return
        with self._screen.lock:
            self._screen.erase()
            self._display.display(text, color=colour)
            self._screen.draw()

    def _elapsed(self) -> str:
        return f"{model.clock(time.time() - self._board.started):>5}"

    def _stage(self) -> str:
        return self._board.current.name if self._board.current else ""

    def _check_mark(self) -> str:
        return "  (check mode: nothing is written)" if self._check else ""

    # Plays

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._start()
        self._say(f"{self._title}: {os.path.basename(playbook._file_name)}{self._check_mark()}")
        for play in playbook.get_plays():
            name, path = self._place(play)
            self._board.plan(name, path, ())

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._start()
        self._play = play
        name, path = self._place(play)
        hosts: tuple[str, ...] = ()
        try:
            hosts = self._read_inventory(play)
        except Exception as error:  # pylint: disable=broad-except
            self._display.vv(f"board: the inventory could not be read: {error}")
        with self._screen_lock():
            again = self._board.current is not None and self._board.current.name == name
            self._board.begin(name, path, hosts, time.time())
        self._write_times()
        if not again or self._display.verbosity:
            self._say(f"[{self._elapsed()}] {name:<14} {play.get_name()}")

    @staticmethod
    def _place(play: Any) -> tuple[str, str]:
        path = (play.get_path() or "").rsplit(":", 1)[0]
        near = os.path.relpath(path) if path else ""
        return model.stage_name(path, play.get_name()), path if near.startswith("..") else near

    def _read_inventory(self, play: Any) -> tuple[str, ...]:
        manager = play.get_variable_manager()
        inventory = manager._inventory
        group = inventory.groups.get("regions")
        self._board.regions = tuple(host.name for host in group.get_hosts()) if group else ()
        hosts = inventory.get_hosts(play.hosts)
        if hosts:
            values = manager.get_vars(play=play, host=hosts[0])
            folder = Templar(manager._loader, variables=values).template(
                trust_as_template("{{ local_state_dir | default('') }}"))
            self._progress_dir = os.path.join(folder, "progress") if folder else ""
        return tuple(host.name for host in hosts)

    def _write_times(self) -> None:
        """Leave the seconds of each stage for the closing report."""
        if self._check or not self._progress_dir or not os.path.isdir(self._progress_dir):
            return
        path = os.path.join(self._progress_dir, "stages.json")
        try:
            with open(path + ".new", "w", encoding="utf-8") as stream:
                json.dump([{"stage": n, "seconds": round(s, 1)} for n, s in self._board.times(time.time())], stream)
            os.replace(path + ".new", path)
        except OSError as error:
            self._display.vv(f"board: {path}: {error}")

    # Tasks

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        with self._screen_lock():
            self._board.start_task(host.get_name(), task_name(task), time.time())

    def _result(self, result: Any, outcome: str, note: str = "") -> None:
        """Take a result into the board and say it."""
        with self._screen_lock():
            took = self._board.finish_task(result.host.get_name(), outcome, time.time())
        shown = self._display.verbosity or outcome == model.CHANGED or (self._look is None and outcome != model.SKIPPED)
        if shown or note:
            word = note or ("would change" if self._check and outcome == model.CHANGED else outcome)
            seconds = f"  ({took:.1f} s)" if took >= 1 else ""
            self._say(f"[{self._elapsed()}] {self._stage():<14} {word:<8} {self.host_label(result)}  "
                      f"{task_name(result.task)}{seconds}", COLOURS.get(outcome))

    def v2_runner_on_ok(self, result: Any) -> None:
        self._handle_warnings(result.result)
        self._result(result, model.CHANGED if result.result.get("changed") else model.OK)
        if not result.task.loop:
            self._speak(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._speak(result)

    def _speak(self, result: Any) -> None:
        """Print what a task says on purpose, or all of it when the run is verbose."""
        if self._run_is_verbose(result):
            always = result.result.get("_ansible_verbose_always")
            self._say(spoken_text(result.result) if always else self._dump_results(result.result, indent=2))

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._handle_warnings(result.result)
        self._result(result, model.SKIPPED)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._handle_warnings(result.result)
        self._result(result, model.SKIPPED if ignore_errors else model.FAILED, "ignored" if ignore_errors else "failed")
        if ignore_errors:
            self._say(f"{'':24}{str(result.result.get('msg', '')).strip()}", C.COLOR_SKIP)
        elif not (result.task.loop and "results" in result.result):
            self._failure(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._result(result, model.FAILED, "unreachable")
        self._failure(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        if not result.task.ignore_errors:
            self._failure(result)

    def v2_runner_retry(self, result: Any) -> None:
        self._say(f"[{self._elapsed()}] {self._stage():<14} retry    {self.host_label(result)}  "
                  f"{task_name(result.task)}  ({result.result.get('attempts')} tried)", C.COLOR_SKIP)

    def _failure(self, result: Any) -> None:
        text = failure_text(self.host_label(result), self._stage(), task_name(result.task), result.result,
                            self._next_command(result.host.get_name()))
        self._say(text, C.COLOR_ERROR)
        exception = getattr(result, "exception", None)
        if exception and self._display.verbosity:
            self._say(str(exception), C.COLOR_ERROR)

    def _next_command(self, host: str) -> str:
        stage = self._board.current
        again = f"ansible-playbook {stage.playbook} -v" if stage and stage.playbook else "run it again with -v"
        if host in self._board.regions:
            return f"make region-logs REGION={host}   (then: {again} --limit {host})"
        return again

    def v2_on_file_diff(self, result: Any) -> None:
        items = result.result["results"] if result.task.loop and "results" in result.result else [result.result]
        for item in items:
            if isinstance(item, Mapping) and item.get("diff") and item.get("changed"):
                text = self._get_diff(item["diff"])
                if text:
                    self._say(f"--- {self.host_label(result)}  {task_name(result.task)}\n{text}")

    # The end

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say("no host of the inventory matches this stage", C.COLOR_SKIP)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._say("no host is left: the run ends here", C.COLOR_ERROR)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        now = time.time()
        if self._screen is not None:
            self._screen.stop()
        self._board.end(now)
        self._write_times()
        if self._look is not None:
            self._display.display("\n".join(model.render(self._board, now, self._look, {}, self._title)))
        self._screen = None
        self._say("\nSTAGE TIMES")
        for name, seconds in self._board.times(now):
            self._say(f"{name:<26} : {seconds:8.1f} s")
        self._say(f"{'all':<26} : {now - self._board.started:8.1f} s")
        self._say("\nPLAY RECAP")
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            bad = counts["failures"] or counts["unreachable"]
            colour = C.COLOR_ERROR if bad else C.COLOR_CHANGED if counts["changed"] else C.COLOR_OK
            self._say(recap_line(host, counts), colour)
        if self._check:
            self._say("\nCheck mode: nothing was written; `changed` counts what a run would change.")
