# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log on disk tells: whether it is whole, whether it replays, what happened and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..routing.errors import RoutingError
from ..routing.log import parse, replay, rows, verify


def changes_of(line: str) -> list[dict[str, Any]]:
    """A line of the log as rows of the status page; none for a line that can't be read."""
    try:
        return list(rows(parse(line)))
    except RoutingError:
        return []


def verified(lines: Sequence[str], head: str, *, again: bool) -> dict[str, Any]:
    """Whether a log is one chain ending in `head` (empty for unknown); `again` decides every line once more."""
    found = verify(lines, head)
    problems = [str(problem) for problem in found.problems]
    replayed = 0
    if again and not problems:
        try:
            for replayed, (line, wanted) in enumerate(zip(lines, replay(lines)), 1):
                if line != wanted:
                    problems.append(f"line {replayed}: the same inputs give another decision now")
        except RoutingError as error:
            problems.append(f"line {replayed + 1}: {error}")
    return {"whole": not problems, "lines": found.count, "head": found.head, "replayed": replayed, "problems": problems}
