# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a node's services, read on the host, so that a node that is down tells them too."""

from __future__ import annotations

from collections import deque

from .instance import LocalError
from .node import Node


def last_lines(node: Node, service: str, lines: int) -> dict[str, list[str]]:
    """Each service's last lines, the newest last; of all services when none is named. Raises LocalError."""
    folder = node.inside / "log"
    known = sorted(path.parent.name for path in folder.glob("*/current"))
    if not known:
        raise LocalError(f"node {node.name} has no logs in {folder}: run `make site`")
    if service and service not in known:
        raise LocalError(f"node {node.name} has no service {service}: there are {', '.join(known)}")
    return {name: _tail(node, name, lines) for name in ([service] if service else known)}


def _tail(node: Node, service: str, lines: int) -> list[str]:
    folder = node.inside / "log" / service
    found: deque[str] = deque(maxlen=lines)
    for path in (*sorted(folder.glob("@*"))[-1:], folder / "current"):
        with path.open(encoding="utf-8", errors="replace") as stream:
            found.extend(line.rstrip("\n") for line in stream)
    return list(found)


def text(name: str, found: dict[str, list[str]]) -> str:
    """The lines as people read them."""
    return "\n".join(line for service, lines in found.items() for line in (f"== {name} {service}", *lines))
