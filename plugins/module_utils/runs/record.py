# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of one run over regions, and what it allows. Pure.

A record is `{version, id, started, image, primary, regions: {name: outcome}}`, an outcome is
`{state, at, message, image, phase, seconds}`. States: `waiting` (not begun), `started` (begun and not ended: the
process died), `passed`, `failed`, `rolled_back` (failed, and the region runs its last good release again).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
STATES = ("waiting", "started", "passed", "failed", "rolled_back")
_BAD = frozenset({"failed", "rolled_back"})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a region may go on, and why not."""

    go: bool
    reason: str


def begun(
    run_id: str, at: str, image: str, primary: str, regions: Iterable[str], alive: Iterable[str]
) -> dict[str, Any]:
    """The record of a run that begins; regions that aren't alive failed in an earlier stage."""
    living = set(alive)
    outcomes = {
        name: {"state": "waiting", "at": at}
        if name in living
        else {"state": "failed", "at": at, "message": "an earlier stage of this run failed"}
        for name in sorted(regions)
    }
    return {"version": VERSION, "id": run_id, "started": at, "image": image, "primary": primary, "regions": outcomes}


def noted(record: Mapping[str, Any], region: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The record with a region's outcome. ValueError for a state that isn't one.

    A region that began keeps when it did: `began`.
    """
    if outcome["state"] not in STATES:
        raise ValueError(f"{outcome['state']!r} is no state of a region: {', '.join(STATES)}")
    before = record["regions"].get(region, {})
    began = outcome["at"] if outcome["state"] == "started" else before.get("began")
    kept = {"message": before["message"]} if before.get("message") and not outcome.get("message") else {}
    entry = {**kept, **{name: value for name, value in outcome.items() if value not in ("", None)}}
    if began:
        entry["began"] = began
    return {**record, "regions": {**record["regions"], region: entry}}


def halted(record: Mapping[str, Any], max_failed: int) -> str:
    """Why no further region may be touched; empty when one may."""
    regions = record["regions"]
    bad = sorted(name for name, outcome in regions.items() if outcome["state"] in _BAD)
    primary = record.get("primary") or ""
    if primary in bad:
        return f"the primary region {primary} failed"
    if primary in regions and regions[primary]["state"] == "started":
        return f"the primary region {primary} has no outcome"
    if len(bad) > max_failed:
        return f"{len(bad)} regions failed ({', '.join(bad)}), at most {max_failed} may"
    return ""


def may_begin(record: Mapping[str, Any], region: str, max_failed: int) -> Decision:
    """Whether a region's turn may begin now."""
    reason = halted(record, max_failed)
    primary = record.get("primary") or ""
    if not reason and primary in record["regions"] and primary != region:
        state = record["regions"][primary]["state"]
        reason = "" if state == "passed" else f"the primary region {primary} hasn't passed yet ({state})"
    return Decision(not reason, reason)


def closing(record: Mapping[str, Any], region: str, max_failed: int) -> Decision:
    """Whether a region ends the run well. When the run was halted none does, so that nothing after it is touched."""
    outcome = record["regions"].get(region, {"state": "waiting"})
    state, said = outcome["state"], outcome.get("message", "").partition("\n")[0]
    reason = halted(record, max_failed)
    if state == "passed":
        return Decision(not reason, f"{region} passed, but the run was halted: {reason}" if reason else "")
    if state == "waiting":
        return Decision(False, f"{region} wasn't begun" + (f": {reason}" if reason else ""))
    if state == "started":
        return Decision(False, f"{region} was begun and has no outcome")
    back = " and runs its last good release again" if state == "rolled_back" else ""
    return Decision(False, f"{region} failed{back}: {said}" if said else f"{region} failed{back}")


def interrupted(record: Mapping[str, Any]) -> list[str]:
    """The regions that an earlier run began and never ended."""
    return sorted(name for name, outcome in record["regions"].items() if outcome["state"] == "started")
