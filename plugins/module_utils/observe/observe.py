# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at all regions, from one vantage point: own probes, own counters and, where it counts, every Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..routing.observations import Observations, Probe, Traffic
from .config import Config
from .haproxy_counters import ask, traffic
from .probe import probe_all, unknown
from .prometheus import Reader
from .window import Window
from .wire import Trust


class Observer:
    """Looks again and again: it remembers counters over the policy's window and keeps connections.

    Use it from one thread at a time. Close it at the end.
    """

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self.config, self._clock = config, clock
        self._trust = Trust()
        self._reader = Reader(config, self._trust)
        self._window = Window(config.policy.health.window_seconds)
        self._runner = asyncio.Runner()

    def observe(self, now: float, *, everything: bool = True) -> Observations:
        """What is seen at `now` (seconds since the epoch), within the configuration's deadline; never raises.

        With `everything` every region's Prometheus is asked too: for the active edge. What can't be asked is a probe
        with `ok` None, or absent.
        """
        try:
            return self._runner.run(self._observe(now, everything))
        except Exception as error:
            return self._blind(now, f"could not observe: {error}")

    def _blind(self, now: float, error: str) -> Observations:
        probes = tuple(unknown(self.config, region.name, now, error) for region in self.config.regions)
        return Observations(at=now, probes=probes)

    async def _observe(self, now: float, everything: bool) -> Observations:
        seconds = self.config.deadline_seconds
        (own, (seen, told), counted) = await asyncio.gather(
            probe_all(self.config, self._trust, now, self.config.regions),
            self._reader.read_all(now, seconds) if everything else _nothing(),
            self._count(now, seconds),
        )
        return Observations(at=now, probes=own + seen, traffic=counted + told)

    async def _count(self, now: float, seconds: float) -> tuple[Traffic, ...]:
        if not self.config.admin_socket:
            return ()
        try:
            async with asyncio.timeout(seconds):
                process, counters = await ask(self.config)
        except (OSError, EOFError, ValueError):
            return ()
        self._window.add(self._clock(), process, counters)
        return traffic(self.config, self._window, now)

    def close(self) -> None:
        """End connections and the event loop."""
        self._reader.close()
        self._runner.close()


async def _nothing() -> tuple[tuple[Probe, ...], tuple[Traffic, ...]]:
    return (), ()


def observe(config: Config, now: float, *, everything: bool = True) -> Observations:
    """One look for itself; without a memory there are no counters of the edge in it. Never raises."""
    observer = Observer(config)
    try:
        return observer.observe(now, everything=everything)
    finally:
        observer.close()
