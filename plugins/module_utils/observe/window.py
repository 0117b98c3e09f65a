# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters that only grow, and what they grew by within a window."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

Figures = dict[str, tuple[float, ...]]
"""Counters by region, each time the same ones in the same order."""


PROCESSES = 4
"""How many processes' counters are remembered: around a reload the one of before may answer once more."""


@dataclass(slots=True)
class Window:
    """Samples of counters over the last `seconds`, taken at times of a clock that never jumps."""

    seconds: float
    _samples: deque[tuple[float, Figures]] = field(default_factory=deque)
    _marks: dict[str, Figures] = field(default_factory=dict)

    def add(self, at: float, process: str, counters: Mapping[str, tuple[float, ...]]) -> None:
        """Take a sample of a process. What another process counts began at zero, and so did what was cleared since."""
        before = self._samples[-1][1] if self._samples else None
        known = self._marks.pop(process, {})
        totals: Figures = {}
        for name, now in counters.items():
            nothing = (0.0,) * len(now)
            steps = [_step(value, mark) for value, mark in zip(now, known.get(name, nothing), strict=True)]
            total = nothing if before is None else before.get(name, nothing)
            grown = nothing if before is None else tuple(growth for growth, _mark in steps)
            totals[name] = tuple(one + other for one, other in zip(total, grown, strict=True))
            known[name] = tuple(mark for _growth, mark in steps)
        self._marks[process] = known
        while len(self._marks) > PROCESSES:
            del self._marks[next(iter(self._marks))]
        self._samples.append((at, totals))
        while len(self._samples) > 2 and self._samples[1][0] <= at - self.seconds:
            self._samples.popleft()

    def growth(self, seconds: float = inf) -> tuple[float, Figures]:
        """Seconds covered and each region's growth in them; nothing before the second sample.

        With `seconds` only over about as many last ones: from the newest sample that is at least as old.
        """
        if len(self._samples) < 2:
            return 0.0, {}
        ended, last = self._samples[-1]
        old = [sample for sample in self._samples if sample[0] <= ended - seconds]
        began, first = old[-1] if old else self._samples[0]
        return ended - began, _grown(first, last)

    def steps(self) -> list[Figures]:
        """Each region's growth between two samples and the next, the newest first."""
        samples = [totals for _at, totals in self._samples]
        return [_grown(first, last) for first, last in pairwise(samples)][::-1]


def _grown(first: Figures, last: Figures) -> Figures:
    """By how much each region's totals grew from one sample to a later one."""
    return {
        name: tuple(now - then for now, then in zip(totals, first.get(name, (0.0,) * len(totals)), strict=True))
        for name, totals in last.items()
    }


def _step(value: float, mark: float) -> tuple[float, float]:
    """By how much a counter grew beyond its highest value so far, and the highest value from now on.

    One that fell by more than half was cleared. One that fell by less wavers, as what is worked out of several counters
    does while requests are on their way: to count it from zero again would make all that ever was of it new.
    """
    if value < mark / 2:
        return value, value
    return max(0.0, value - mark), max(value, mark)
