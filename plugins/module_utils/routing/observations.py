# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of the regions: the evidence that decisions are made from.

Times are seconds since the epoch, durations are seconds. Nothing here says what is sick: that is `health`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .forms import plain, read

EDGE, PEER = "edge", "peer"
"""Kinds of vantage points: a host of the front door, outside every region; another region."""
PROMETHEUS = "prometheus"
"""The witness that is a region's own; every other witness is an edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One health check of a region's endpoint from one vantage point.

    `ok` is None when the vantage point could not say (it did not run, its own name is unknown, it was not reached).
    """

    vantage: str
    kind: str
    region: str
    at: float
    ok: bool | None
    seconds: float = 0.0
    error: str = ""
    certificate_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Real requests to a region in the window that ends at `at`, as one witness counted them.

    `witness` is an edge's name, or "prometheus" for the region's own. `latency_seconds` is the percentile that the
    policy names, None when the witness has none. `errors` are answers 5xx and requests without an answer; `slow` are
    requests that took longer than the policy's `health.latency_seconds` without having asked for patience: the
    percentile p lies above the limit exactly when more than 1 - p of the requests are slow. `recent_per_second` are
    requests per second of the last seconds, None when the witness can't tell: loads are judged by it. `ticks` are
    (requests, errors, slow) of each look within the window, the newest first, empty when the witness doesn't keep them:
    what has ended, or has only begun, is told from what lasts by them.
    """

    witness: str
    region: str
    at: float
    window_seconds: float
    requests: float
    errors: float
    slow: float = 0.0
    latency_seconds: float | None = None
    recent_per_second: float | None = None
    ticks: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """What a region's database said of itself: `lag_seconds` is None when it did not say; `epoch` is its fencing."""

    region: str
    at: float
    lag_seconds: float | None = None
    writer: bool = False
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Everything seen up to `at`. The order of the tuples never matters."""

    at: float
    probes: tuple[Probe, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    replication: tuple[Replication, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what has its default is left out."""
        return dict(plain(self))

    @classmethod
    def from_dict(cls, data: object) -> Observations:
        """The other way. Raises InvalidError with everything that hasn't the form."""
        return read(cls, data, "observations")
