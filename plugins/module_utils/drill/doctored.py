# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routing agent with something wrong on purpose, in its place on an edge: `python3 doctored.py clock|dying`.

Runs by itself (standard library only); the agent's own file holds no such thing.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

AGENT = "/node/etc/routing/agent.pyz"
LOOP = "ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.loop"
AHEAD = "data/drill/clock"
"""Below the node's folder: by how many seconds the machine's clock is said to be ahead."""


def clock(ahead: Path = Path("/node") / AHEAD, real: Callable[[], float] = time.time) -> None:
    """The machine's clock, for this process alone: nodes share the real one."""
    def told() -> float:
        return real() + (float(ahead.read_text(encoding="ascii") or 0) if ahead.exists() else 0.0)

    time.time = told


def dying(loop: ModuleType | None = None) -> None:
    """Killed after the first step of what is applied next: written down, half done, told to nobody."""
    if loop is None:
        sys.path.insert(0, AGENT)
        loop = import_module(LOOP)
    apply = loop.apply

    def killed(adapter: Any, wanted: Any) -> Any:
        if not wanted.steps:
            return apply(adapter, wanted)
        adapter.claim(wanted.generation)
        adapter.apply(wanted.steps[0])
        return os.kill(os.getpid(), signal.SIGKILL)

    vars(loop)["apply"] = killed


if __name__ == "__main__":
    (clock if sys.argv[1] == "clock" else dying)()
    sys.argv = [AGENT, "serve"]
    runpy.run_path(AGENT, run_name="__main__")
