# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes of the status page: its JSON, text and map, each written whole for whoever reads it."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from pathlib import Path
from typing import Any

from ..routing.decision import Decision
from ..routing.observations import Observations
from ..site.status_document import MOST_CHANGES, picture, status_document, text
from ..site.worldmap import template
from .history import changes_of
from .journal import Journal
from .settings import Settings

EVERY_SECONDS = 1.0


class Page:
    """Writes `status.json`, `status.txt` and maps in `folder`, at most once a second; the rest there is the role's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.folder / "www"
        self._drawn = ""
        self._head: str | None = None
        self._changes: deque[dict[str, Any]] = deque(maxlen=MOST_CHANGES)
        self._written = float("-inf")

    def write(self, journal: Journal, active: str, decision: Decision, seen: Observations) -> None:
        """Show a decision. Raises OSError when the disk doesn't take it."""
        if time.monotonic() - self._written < EVERY_SECONDS:
            return
        head = journal.head()
        if head != self._head:
            self._changes.extend(change for line in self._news(journal) for change in changes_of(line))
            self._head = head
        settings, drills = self._settings, _drills(self._settings.folder / "drills")
        document = status_document(
            settings.policy, settings.regions, settings.site, decision, seen,
            generated_at=time.time(), active_edge=active, changes=self._changes, drills=drills,
            tick_seconds=settings.tick_seconds,
        )  # fmt: skip
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self._replace("status.json", json.dumps(document, separators=(",", ":"), allow_nan=False))
        self._replace("status.txt", text(document))
        shown = f"{document['generation']} {document['countries']}"
        if self._drawn != shown:
            self._replace("map.svg", picture(document))
            self._replace("world.svg", template())
            self._drawn = shown
        self._written = time.monotonic()

    def _replace(self, name: str, content: str) -> None:
        beside = self.folder / f".{name}"
        beside.write_text(content, encoding="utf-8")
        os.chmod(beside, 0o644)
        os.replace(beside, self.folder / name)

    def _news(self, journal: Journal) -> list[str]:
        found = None if self._head is None else journal.after(self._head)
        if found is None:
            self._changes.clear()
            return journal.tail(MOST_CHANGES)
        return found


def _drills(folder: Path) -> list[dict[str, Any]]:
    """Reports of drills that were put beside the page."""
    found = []
    for path in sorted(folder.glob("*.json"))[-20:]:
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return [item for item in found if isinstance(item, dict)]
