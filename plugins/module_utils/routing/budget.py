# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long clients may wait when a region is lost or sick, worked out from the policy alone."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Policy
from .records import Card

KINDS = ("killed", "packets dropped", "frozen")
"""Kinds of loss, which the checks of what answers see by themselves."""

SOFT = "failing or slow"
"""The region answers, but with errors or late: only the engine sees it, by the requests of a window."""

TICK_SECONDS = 2.0
"""From one look of the engine at the regions to the next, unless its settings say otherwise."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The longest times of one kind of loss, or of SOFT, in seconds.

    `detection` until the checks agree (SOFT: until the engine has decided), `answers` until the name servers answer
    with another region, `total` until the last resolver's copy of the old answer has run out. Requests through the load
    balancer wait for none of them: they are tried on another region at once.
    """

    kind: str
    detection_seconds: float
    answers_seconds: float
    ttl_seconds: float
    total_seconds: float
    objective_seconds: float

    @property
    def within_objective(self) -> bool:
        """Whether the recovery-time objective holds."""
        return self.total_seconds <= self.objective_seconds


def budget(policy: Policy, tick_seconds: float = TICK_SECONDS, card: Card | None = None) -> tuple[BudgetLine, ...]:
    """One line for each kind of loss: failures x max(interval, timeout) + tick + publish + TTL; the last one is SOFT.

    A killed endpoint refuses at once; where packets vanish or the process is frozen, the last check still has to run
    into its timeout. A region whose whole network is gone counts as "packets dropped". Errors and slow answers count
    over a window, and the next two ticks of the engine (`tick_seconds`) must say so; no policy is refused for SOFT.
    With a cloud's `card` its own health checks and times count, and a load balancer's addresses run out in no time.
    """
    if card is not None and card.check_seconds:
        return _by_card(policy, tick_seconds, card)
    health, door = policy.health, policy.front_door
    refused = health.failures * max(health.interval_seconds, health.timeout_seconds)
    unanswered = refused + health.timeout_seconds
    detections: dict[str, float] = {kind: refused if kind == "killed" else unanswered for kind in KINDS}
    detections[SOFT] = health.window_seconds + 2 * tick_seconds
    lines = []
    for kind, detection in detections.items():
        answers = detection + door.tick_seconds + door.publish_seconds
        ttl = policy.ttl.normal_seconds
        lines.append(BudgetLine(kind, detection, answers, ttl, answers + ttl, policy.recovery_time_objective_seconds))
    return tuple(lines)


def _by_card(policy: Policy, tick_seconds: float, card: Card) -> tuple[BudgetLine, ...]:
    """The same for a back end whose health checks are a cloud's."""
    health = policy.health
    interval = next((step for step in card.check_seconds if step >= health.interval_seconds), card.check_seconds[-1])
    timeout = card.check_timeout_seconds or health.timeout_seconds
    refused = health.failures * max(interval, timeout)
    detections = {kind: refused if kind == "killed" else refused + timeout for kind in KINDS}
    detections[SOFT] = health.window_seconds + 2 * tick_seconds
    ttl = policy.ttl.normal_seconds if card.layer == "dns" else 0.0
    lines = []
    for kind, detection in detections.items():
        answers = detection + card.publish_seconds + (card.steer_seconds if kind == SOFT else 0.0)
        lines.append(BudgetLine(kind, detection, answers, ttl, answers + ttl, policy.recovery_time_objective_seconds))
    return tuple(lines)
