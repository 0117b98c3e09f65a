#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients and the engine do in drills, on a running site: `benchmarks/drills.py [name …]`, by default all of them.

Uses the default inventory's site (`make site`).
`--kept FILE …` reads reports instead. Prints a table in Markdown and a line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import SCENARIOS

STATE = Path("/var/lib/llm-verifier/llmv")
COLUMNS = ("requests", "failed", "slowest_lost", "slowest", "detection", "decision", "failover", "budget_seconds",
           "back_up", "admitted")


def whole() -> bool:
    """Tell whether the engine admits every region wholly."""
    page = json.loads((STATE / "nodes/edge-1/node/data/routing/www/status.json").read_text())
    return all(item["phase"] == "HEALTHY" and item["admission"] == 1 for item in page["regions"])


def drill(name: str) -> dict[str, Any]:
    """Run one drill on a whole site and return its figures, in seconds."""
    until = time.monotonic() + 900
    while not whole() and time.monotonic() < until:
        time.sleep(1)
    before = set((STATE / "drills").glob("*.json"))
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "playbooks/drill.yml", "-e", f"drill_fault={name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    made = set((STATE / "drills").glob("*.json")) - before
    if not made:
        raise SystemExit(f"the drill left no report:\n{done.stdout[-3000:]}")
    figures: dict[str, Any] = json.loads(made.pop().read_text())
    return figures


def row(figures: dict[str, Any]) -> str:
    """Return a row of the table: what was done, what was seen, and what was otherwise than expected."""
    def shown(name: str) -> str:
        value = figures.get(name)
        return "" if value is None else f"{value:,}" if name in ("requests", "failed") else f"{value:.1f} s"

    otherwise = "; ".join([*figures["wrong"], *figures["late"]]) or "as expected"
    cells = [figures["title"], *map(shown, COLUMNS), str(len(figures["false_evictions"])), otherwise]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run the drills, or with --kept FILE … read their reports, and print their figures."""
    words = sys.argv[1:]
    print(f"| drill | {' | '.join(name.replace('_', ' ') for name in COLUMNS)} | false evictions | result |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    kept = [json.loads(Path(path).read_text()) for path in words[1:]] if words[:1] == ["--kept"] else None
    rows = []
    for found in kept if kept is not None else map(drill, words or SCENARIOS):
        rows.append(found)
        print(row(found), flush=True)
    print(json.dumps({found["fault"]: {name: found.get(name) for name in COLUMNS} for found in rows}))


if __name__ == "__main__":
    main()
