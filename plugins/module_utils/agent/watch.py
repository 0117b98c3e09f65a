# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all edges see, put together for one decision: each edge speaks for itself alone, and for no time to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..routing.observations import Observations, Probe, Replication, Traffic

Seen = TypeVar("Seen", Probe, Traffic, Replication)


def told(observations: Observations, now: float) -> dict[str, Any]:
    """Observations as another edge is given them, with the clock of this one."""
    return {"now": now, "observations": observations.to_dict()}


def heard(edge: str, answer: Mapping[str, Any], now: float) -> Observations:
    """What another edge saw, on this one's clock: ages count, not the other's time.

    What it claims in another's name is left out. Raises ValueError or InvalidError for an answer without form.
    """
    theirs = answer.get("now")
    if not isinstance(theirs, (int, float)):
        raise ValueError("its clock is missing")
    seen = Observations.from_dict(answer.get("observations"))
    shift = now - float(theirs)
    return Observations(
        at=seen.at + shift,
        probes=tuple(_moved((item for item in seen.probes if item.vantage == edge), shift)),
        traffic=tuple(_moved((item for item in seen.traffic if item.witness == edge), shift)),
    )


def merged(now: float, parts: Iterable[Observations]) -> Observations:
    """All of them as one at `now`, without anything from after it."""
    parts = list(parts)
    return Observations(
        at=now,
        probes=tuple(item for part in parts for item in _past(part.probes, now)),
        traffic=tuple(item for part in parts for item in _past(part.traffic, now)),
        replication=tuple(item for part in parts for item in _past(part.replication, now)),
    )


def _moved(items: Iterable[Seen], shift: float) -> list[Seen]:
    return [replace(item, at=item.at + shift) for item in items]


def _past(items: Iterable[Seen], now: float) -> list[Seen]:
    return [item for item in items if item.at <= now]
