# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that serve restart one after the other, each once the one before serves again, for all hosts of a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from ..durable import write_atomically
from .instance import Instance, LocalError
from .node import Node
from .state import instance_lock

RETURN_SECONDS = 180.0
"""How long a node may take until it serves again."""

_EVERY_SECONDS = 0.5


@contextlib.contextmanager
def turn(node: Node, serving: str) -> Iterator[None]:
    """Hold the instance's turn while a running node restarts, and until it serves again if it did before.

    `serving` is a command that succeeds in a node that serves; without one nobody waits. A node that doesn't come back
    is remembered: until it serves again no other one restarts. Raises LocalError then.
    """
    if not serving:
        yield
        return
    with instance_lock(node.instance, ".turn"):
        gone = _gone(node.instance)
        before = gone.read_text().strip() if gone.exists() else ""
        if before not in ("", node.name):
            raise LocalError(f"node {node.name} stays as it is: {before} was restarted and does not serve again yet. "
                             f"Look into it (make region-logs REGION={before}), and run `make site` once it serves")
        if before or serves(node, serving):
            write_atomically(gone, f"{node.name}\n", 0o600)
        yield
        await_return(node, serving)


def await_return(node: Node, serving: str) -> None:
    """Wait for a node if it was restarted and isn't back yet. Raises LocalError when it doesn't serve."""
    gone = _gone(node.instance)
    if not serving or not gone.exists() or gone.read_text().strip() != node.name:
        return
    until = time.monotonic() + RETURN_SECONDS
    while not serves(node, serving):
        if time.monotonic() > until:
            raise LocalError(f"node {node.name} was restarted and does not serve after {RETURN_SECONDS:.0f} s; no "
                             f"other one restarts before. Look further with: make region-logs REGION={node.name}")
        time.sleep(_EVERY_SECONDS)
    gone.unlink()


def serves(node: Node, serving: str) -> bool:
    """Whether a node serves, by the command that tells."""
    return node.run(["sh", "-c", serving], check=False).returncode == 0


def _gone(instance: Instance) -> Path:
    return instance.state_dir / "restarted"
