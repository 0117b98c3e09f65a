# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ring of two keys: one signs, both are accepted. Pure.

Replacing a key takes three steps, with every region brought to each before the next begins, so that no token signed
anywhere is refused anywhere: *introduce* (a new key is accepted but signs nothing), *promote* (it signs, the old one is
still accepted), *settle*. Each step is remembered, so that an interrupted rotation goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

STEADY, INTRODUCED, PROMOTED = "steady", "introduced", "promoted"


class RingError(Exception):
    """The ring isn't one, or the step isn't possible from where it is."""


def turned(ring: Mapping[str, str] | None, step: str, new_key: Callable[[], str]) -> dict[str, str]:
    """The ring after a step: `present`, `introduced`, `promoted` or `settled`. A step already made changes nothing.

    A ring maps `current`, `previous` (may be missing) and `phase` to texts. RingError when it can't be.
    """
    if ring is None:
        if step not in ("present", INTRODUCED):
            raise RingError(f"there is no key yet that could be {step}")
        ring = {"current": new_key(), "phase": STEADY}
    if not ring.get("current") or ring.get("phase") not in (STEADY, INTRODUCED, PROMOTED):
        raise RingError("the file holds no ring of keys")
    phase = ring["phase"]
    if step == INTRODUCED and phase == STEADY:
        return {"current": ring["current"], "previous": new_key(), "phase": INTRODUCED}
    if step == "promoted" and phase == INTRODUCED:
        return {"current": ring["previous"], "previous": ring["current"], "phase": PROMOTED}
    if step == "settled" and phase == PROMOTED:
        return {**ring, "phase": STEADY}
    if step == "settled" and phase == INTRODUCED:
        raise RingError("the new key was introduced but doesn't sign yet: promote it first")
    return dict(ring)
