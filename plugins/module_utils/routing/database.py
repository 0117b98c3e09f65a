# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which replica may be read and which may become the writer; nobody is promoted here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from .model import Policy
from .observations import Replication


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What may be done with one region's database; without `reasons` against it, it may be read."""

    region: str
    reasons: tuple[str, ...] = ()
    lag_seconds: float | None = None
    writer: bool = False
    epoch: int = 0

    @property
    def readable(self) -> bool:
        """Whether reads may go there."""
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Which replica may be promoted.

    Attributes:
        candidate: the one with the least lag; empty when there is none, for the reasons `against`.
        eligible: every replica that may be, the least lag first.
        automatic: whether the engine does it by itself; else an operator.
        fence: regions whose writer must be fenced first.
        epoch: the fencing epoch that the new writer takes: above every one ever seen.
    """

    candidate: str
    eligible: tuple[str, ...]
    automatic: bool
    fence: tuple[str, ...]
    epoch: int
    against: tuple[str, ...] = ()


def readable(
    replication: Iterable[Replication], policy: Policy, regions: Iterable[str], now: float
) -> tuple[Replica, ...]:
    """Every region's database by name: out of reads with lag above `database.lag_seconds`, or without a young sample.

    A writer has no lag of its own. One below the highest epoch seen is an old writer, or follows one.
    """
    newest: dict[str, Replication] = {}
    for item in replication:
        known = newest.get(item.region)
        sound = isfinite(item.at) and item.at <= now + policy.database.sample_age_seconds
        if sound and (known is None or _order(item) > _order(known)):
            newest[item.region] = item
    highest = max((item.epoch for item in newest.values()), default=0)
    return tuple(_replica(name, newest.get(name), policy, highest, now) for name in sorted(set(regions)))


def _order(item: Replication) -> tuple[float, int, float, bool]:
    lag = float("inf") if item.lag_seconds is None or item.lag_seconds != item.lag_seconds else item.lag_seconds
    return item.at, item.epoch, lag, item.writer


def _replica(name: str, item: Replication | None, policy: Policy, highest: int, now: float) -> Replica:
    rules = policy.database
    if item is None:
        return Replica(region=name, reasons=("no sample",))
    reasons = []
    if now - item.at > rules.sample_age_seconds:
        reasons.append(f"its last sample is {now - item.at:.0f} s old, limit {rules.sample_age_seconds:g} s")
    if item.lag_seconds is None and not item.writer:
        reasons.append("it does not say how far it lags")
    elif item.lag_seconds is not None and not 0 <= item.lag_seconds <= rules.lag_seconds:
        reasons.append(f"it lags {item.lag_seconds:.0f} s, limit {rules.lag_seconds:g} s")
    if item.epoch < highest:
        reasons.append(f"its epoch {item.epoch} is older than {highest}")
    return Replica(
        region=name, reasons=tuple(reasons), lag_seconds=item.lag_seconds, writer=item.writer, epoch=item.epoch
    )


def promotable(replication: Iterable[Replication], policy: Policy, regions: Iterable[str], now: float) -> Promotion:
    """Who may become the writer: a readable replica of the highest epoch, when most of `regions` are at that epoch.

    Every region that says it writes is fenced first, an old writer above all.
    """
    samples, names = tuple(replication), tuple(sorted(set(regions)))
    replicas = readable(samples, policy, names, now)
    highest = max((item.epoch for item in samples), default=0)
    young = [item for item in samples if 0 <= now - item.at <= policy.database.sample_age_seconds]
    agree = {item.region for item in young if item.epoch == highest and item.region in names}
    against = []
    if 2 * len(agree) <= len(names):
        against.append(f"{len(agree)} of {len(names)} regions know epoch {highest}: no majority")
    able = sorted(
        (item for item in replicas if item.readable and not item.writer),
        key=lambda item: (item.lag_seconds, item.region),
    )
    if not able:
        against.append("no replica is fit: " + "; ".join(f"{item.region}: {_reason(item)}" for item in replicas))
    eligible = () if against else tuple(item.region for item in able)
    return Promotion(
        candidate=eligible[0] if eligible else "",
        eligible=eligible,
        automatic=policy.database.promotion == "automatic",
        fence=tuple(item.region for item in replicas if item.writer),
        epoch=highest + 1,
        against=tuple(against),
    )


def _reason(item: Replica) -> str:
    return "it is the writer" if item.writer and item.readable else ", ".join(item.reasons)
