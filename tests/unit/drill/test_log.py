# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the edges: the newest page, whatever their agents take for the time."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.log import sample
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node


def page(node: Node, at: float, says: float, phase: str) -> None:
    """A page written at `at` by an agent that takes it for `says`."""
    path = node.inside / "data/routing/www/status.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    region = {"name": "eu-west-1", "phase": phase, "admission": 1, "verdict": "OK", "hold_until": 0.0}
    path.write_text(json.dumps({"generated_at": says, "regions": [region]}))
    os.utime(path, (at, at))


def test_the_page_that_was_written_last_counts_though_its_clock_is_two_hours_behind(tmp_path: Path) -> None:
    edges = [Node(Instance("llmu", "10.90", tmp_path, tmp_path), name) for name in ("edge-1", "edge-2")]
    assert sample(edges) == {}
    page(edges[0], 1000.0, 1000.0 - 7200, "SUSPECT")
    page(edges[1], 500.0, 500.0, "HEALTHY")
    found = sample(edges)
    assert (found["at"], found["regions"]["eu-west-1"]["phase"]) == (1000.0, "SUSPECT")
