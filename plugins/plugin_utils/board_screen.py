# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a terminal at its bottom that is drawn again and again, below lines that stay."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable

from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils.board import Look


def terminal_look() -> Look | None:
    """Return what the terminal can show, None when standard output is no terminal."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return None
    size = shutil.get_terminal_size()
    if size.columns < 60 or size.lines < 16:
        return None
    encoding = (sys.stdout.encoding or "").lower()
    return Look(size.columns, "NO_COLOR" not in os.environ, "utf" in encoding)


class Screen:
    """Calls ``tick`` every ``interval`` seconds; on a terminal what it returns stays at the bottom."""

    def __init__(self, tick: Callable[[], list[str]], interval: float, live: bool) -> None:
        self.lock = threading.RLock()
        self._tick, self._interval, self._live = tick, interval, live
        self._drawn = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _loop(self) -> None:
        while not self._stop.wait(self._interval):
            with self.lock:
                try:
                    self.draw()
                except Exception:  # pylint: disable=broad-except
                    self._live = False  # a terminal that went away must not end the run: plain lines go on
                    return

    def draw(self) -> None:
        """Draw once more what stays at the bottom."""
        lines = self._tick()
        if not self._live:
            return
        lines = lines[:max(1, shutil.get_terminal_size().lines - 1)]
        self._write(self._clearing() + "".join(f"{line}\033[K\n" for line in lines))
        self._drawn = len(lines)

    def erase(self) -> None:
        """Take it away, so that a line which stays can be printed."""
        if self._live and self._drawn:
            self._write(self._clearing())
            self._drawn = 0

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        self.erase()

    def _clearing(self) -> str:
        return f"\033[{self._drawn}F\033[J" if self._drawn else ""

    @staticmethod
    def _write(text: str) -> None:
        # Not sys.stdout: a worker forked while its lock is held would hang.
        sys.stdout.flush()
        os.write(1, text.encode("utf-8", "replace"))
