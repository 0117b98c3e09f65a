#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running instance takes: memory (PSS) and processor time of every node, pods apart.

`benchmarks/resources.py [--instance llmv] [--seconds 60]`. PSS counts a shared page once over all that share it
(/proc/<pid>/smaps_rollup); processor time is that of the node's control group over the given seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import cgroups
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node

TICK = os.sysconf("SC_CLK_TCK")


def pss_mib(pids: set[int]) -> float:
    """Memory of these processes in MiB; those that end meanwhile count nothing."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def own_processes(instance: Instance, node: str) -> set[int]:
    """The node's own processes, without those of its pods."""
    lists = (folder / "init/cgroup.procs" for folder in cgroups.folders(instance, node))
    return {int(pid) for path in lists for pid in path.read_text().split()}


def measure(instance: Instance, seconds: float) -> dict[str, dict[str, float]]:
    """Node -> its figures."""
    names = sorted(path.name for path in (instance.state_dir / "nodes").iterdir())
    nodes = [name for name in names if Node(instance, name).pid() is not None]
    before = {node: cgroups.processor_seconds(instance, node) for node in nodes}
    started = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - started
    figures = {}
    for node in nodes:
        everything, own = cgroups.processes(instance, node), own_processes(instance, node)
        figures[node] = {
            "pss_mib": round(pss_mib(own), 1),
            "pods_pss_mib": round(pss_mib(everything - own), 1),
            "cores": round((cgroups.processor_seconds(instance, node) - before[node]) / passed, 3),
        }
    return figures


def main() -> None:
    """Print the figures as a table and, last, as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instance", default="llmv")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    state_dir = Path("/var/lib/llm-verifier") / options.instance
    figures = measure(Instance(options.instance, "10.0", state_dir, state_dir), options.seconds)
    keys = ("pss_mib", "pods_pss_mib", "cores")
    total = {key: round(sum(row[key] for row in figures.values()), 3) for key in keys}
    print(f"{'node':<18}{'PSS MiB':>10}{'pods MiB':>10}{'cores':>8}")
    for node, row in [*figures.items(), ("all", total)]:
        print(f"{node:<18}{row['pss_mib']:>10.0f}{row['pods_pss_mib']:>10.0f}{row['cores']:>8.3f}")
    print(json.dumps({**figures, "all": total}))


if __name__ == "__main__":
    main()
