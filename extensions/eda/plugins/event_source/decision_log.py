# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow the routing's decision log and tell changes of regions and verdicts; it decides nothing itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
---
short_description: Follow the decision log of the routing
description:
  - Reads the files of the decision log as they grow, through rotation, and puts one event into the queue per change,
    C(verdict_change), C(region_change) or C(order_change).
  - Several copies of the log (one on every edge) may be followed; a decision that is in more than one counts once.
options:
  paths:
    description: Files C(decisions.jsonl), one per edge. A file that isn't there yet is waited for.
    type: list
    elements: str
    required: true
  from_start:
    description: Tell what the files already hold as well, instead of only what is added.
    type: bool
    default: false
  interval:
    description: Seconds between two looks at the files.
    type: float
    default: 1.0
"""

EXAMPLES = r"""
- llm_verifier.multi_region.decision_log:
    paths:
      - /node/data/routing/decisions.jsonl
"""

REMEMBERED = 10000
"""Decisions that are known as told already."""


class Follower:
    """Reads what is added to one log. A file that was renamed is read to its end before the new one is begun."""

    def __init__(self, path: Path, from_start: bool) -> None:
        self._path, self._rest = path, b""
        self._file = self._open()
        if self._file and not from_start:
            self._file.seek(0, os.SEEK_END)

    def _open(self) -> Any:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def lines(self) -> Iterator[bytes]:
        """The lines that were finished since the last call."""
        while True:
            if self._file is None:
                self._file = self._open()
            if self._file is None:
                return
            # Looked at before reading: what is added to a file before it is renamed is then seen by this reading.
            replaced = self._replaced()
            *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
            yield from whole
            if not replaced:
                return
            self._file.close()
            self._file, self._rest = None, b""

    def _replaced(self) -> bool:
        now = os.fstat(self._file.fileno())
        if now.st_size < self._file.tell():  # cut off: begin again
            self._file.seek(0)
            self._rest = b""
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        return (there.st_ino, there.st_dev) != (now.st_ino, now.st_dev)

    def close(self) -> None:
        """Let the file go."""
        if self._file:
            self._file.close()


def events(line: bytes, told: OrderedDict[str, None], verdicts: dict[str, str]) -> list[dict[str, Any]]:
    """What a line of the log is told as; nothing for a line that isn't one or was told before."""
    try:
        entry = json.loads(line)
    except ValueError:
        return []
    if not isinstance(entry, dict) or not isinstance(entry.get("hash"), str) or entry["hash"] in told:
        return []
    told[entry["hash"]] = None
    while len(told) > REMEMBERED:
        told.popitem(last=False)
    return list(changes(entry, verdicts))


def changes(entry: dict[str, Any], verdicts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What changed with an entry: verdicts (against `verdicts`, brought up to date), moves of regions, orders."""
    common = {"at": entry.get("at"), "generation": entry.get("generation"), "hash": entry["hash"]}
    said = {str(item.get("subject")): item for item in _objects(entry.get("verdicts"))}
    for subject in sorted(verdicts.keys() | said.keys()):
        item = said.get(subject, {"verdict": "OK"})
        before, after = verdicts.get(subject, "OK"), item.get("verdict", "UNKNOWN")
        if before != after:
            verdicts[subject] = after
            told = {"region": subject, "before": before, "after": after, "evidence": item.get("evidence", [])}
            yield {"verdict_change": {**common, **told}}
    for change in _objects(entry.get("changes")):
        yield {"region_change": {**common, "refused": False, **change}}
    for kind, key in (("given", "orders"), ("lifted", "lifted")):
        for order in _objects(entry.get(key)):
            yield {"order_change": {**common, **order, "order": order.get("kind"), "kind": kind}}


def _objects(found: object) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


async def main(queue: asyncio.Queue[dict[str, Any]], args: dict[str, Any]) -> None:
    """Put events into the queue until the task is cancelled. Raises ValueError for arguments that aren't right."""
    paths = args.get("paths")
    if not isinstance(paths, list) or not paths:
        raise ValueError("decision_log: `paths` must name at least one decisions.jsonl")
    from_start = args.get("from_start") is True or str(args.get("from_start", "")).lower() in ("true", "yes", "1")
    followers = [Follower(Path(str(path)), from_start) for path in paths]
    told: OrderedDict[str, None] = OrderedDict()
    verdicts: dict[str, str] = {}
    try:
        while True:
            for follower in followers:
                for line in follower.lines():
                    for event in events(line, told, verdicts):
                        await queue.put(event)
            await asyncio.sleep(float(args.get("interval", 1.0)))
    finally:
        for follower in followers:
            follower.close()


if __name__ == "__main__":

    class _Printed:
        async def put(self, event: dict[str, Any]) -> None:
            """Show an event."""
            print(json.dumps(event), flush=True)

    asyncio.run(main(_Printed(), {"paths": sys.argv[1:], "from_start": True}))  # type: ignore[arg-type]
