# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edges keep: the decision log since a moment, and what the status page says now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..local.node import Node
from ..routing.errors import RoutingError
from ..routing.log import parse
from ..routing.log import rows as flat

KEPT = 20
"""Reports that the status page shows."""

DATA = "data/routing"


def decisions(edges: Sequence[Node], since: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the entries of all edges' logs since a moment (seconds since the epoch), each once, and their rows."""
    lines: dict[str, dict[str, Any]] = {}
    for edge in edges:
        for path in sorted((edge.inside / DATA).glob("decisions*.jsonl"))[-2:]:
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    found = parse(line)
                except RoutingError:
                    continue  # the last line may be half-written
                if float(found.get("at", 0)) >= since:
                    lines[str(found.get("hash"))] = found
    entries = sorted(lines.values(), key=lambda entry: (entry["at"], entry.get("generation", 0)))
    return entries, [row for entry in entries for row in flat(entry)]


def sample(edges: Sequence[Node]) -> dict[str, Any]:
    """Return the newest page: {at, regions: {name: {phase, admission, verdict, hold_until, now}}}; empty for none.

    Its time is the file's: a drill may have set the agent's clock.
    """
    pages: list[tuple[float, dict[str, Any]]] = []
    for edge in edges:
        path = edge.inside / DATA / "www/status.json"
        try:
            pages.append((path.stat().st_mtime, json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    if not pages:
        return {}
    now, page = max(pages, key=lambda item: item[0])
    keys = ("phase", "admission", "verdict", "hold_until")
    return {"at": now, "regions": {item["name"]: {**{key: item[key] for key in keys}, "now": now}
                                   for item in page["regions"]}}
