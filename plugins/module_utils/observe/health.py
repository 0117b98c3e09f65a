# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several looks at all regions, and what they come to for a reader."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..routing.observations import Observations
from .config import Config
from .observe import Observer


def look(
    config: Config,
    samples: int,
    interval_seconds: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Observations]:
    """So many looks, one every `interval_seconds`; never raises. The counters of the last one span all of them."""
    observer, found = Observer(config), []
    try:
        for index in range(max(1, samples)):
            if index:
                sleep(interval_seconds)
            found.append(observer.observe(clock(), everything=bool(config.prometheus)))
    finally:
        observer.close()
    return found


def summary(config: Config, looks: Sequence[Observations]) -> dict[str, dict[str, Any]]:
    """Each region's own probes in short: `ok` is the last one's, `seconds` are how long the good ones took."""
    found: dict[str, dict[str, Any]] = {}
    for region in config.regions:
        own = [
            probe
            for item in looks
            for probe in item.probes
            if probe.region == region.name and probe.vantage == config.vantage
        ]
        found[region.name] = {
            "ok": own[-1].ok,
            "error": own[-1].error,
            "failures": sum(probe.ok is False for probe in own),
            "seconds": [round(probe.seconds, 4) for probe in own if probe.ok],
            "certificate_days": own[-1].certificate_days,
        }
    return found
