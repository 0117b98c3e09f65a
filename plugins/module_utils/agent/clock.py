# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's clock: it goes on evenly whatever is done to the machine's, so that no jump ends a hold or a freeze."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SLEW = 0.05
"""How much faster or slower than real time the clock may go to come back to the machine's, as a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment on both clocks: `at` seconds since the epoch, `elapsed` seconds since the boot whose id is `boot`."""

    at: float
    elapsed: float
    boot: str


def boot_id() -> str:
    """The running system's id; another one after every boot. Empty where the kernel doesn't tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def since_boot() -> float:
    """Seconds since the machine started, sleep included; nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """Seconds since the epoch that never go back and never jump.

    Begins where `mark` (of an earlier process) says: on the same boot by the time that passed since boot, after another
    boot by the machine's clock, but never before the mark. A difference to the machine's clock is caught up by `SLEW`.
    """

    def __init__(
        self,
        mark: Mark | None = None,
        wall: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = since_boot,
        boot: str | None = None,
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._boot = boot_id() if boot is None else boot
        self._lock = threading.Lock()
        self._last = elapsed()
        if mark is None:
            self._at = wall()
        elif mark.boot and mark.boot == self._boot and mark.elapsed <= self._last:
            self._at = mark.at + self._last - mark.elapsed
        else:
            self._at = max(mark.at, wall())

    def now(self) -> float:
        """The time, seconds since the epoch."""
        with self._lock:
            return self._now()

    def _now(self) -> float:
        elapsed = self._elapsed()
        passed, self._last = max(0.0, elapsed - self._last), elapsed
        behind = self._wall() - (self._at + passed)
        self._at += passed + max(-SLEW * passed, min(SLEW * passed, behind))
        return self._at

    def mark(self) -> Mark:
        """Now, for the process after this one."""
        return Mark(at=self.now(), elapsed=self._last, boot=self._boot)

    def ahead(self) -> float:
        """Seconds by which the machine's clock is ahead of this one; large after it was set."""
        return self._wall() - self.now()
