#!/usr/bin/env python3
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to compare every back end with the policy, by the number of regions.

`benchmarks/simulate.py [--regions 4,8,12,16] [--algorithm geo] [--unsteered] [--svg FILE]`. The local inventory's
policy, two edges, a static site, all back ends, every country, every set of healthy regions (a sample above 12);
`--unsteered` lets none of them steer to the nearest region. Seconds of one run: `walk` compares, `report` makes table,
JSON and maps of it; `cpu` is the processor time of both, which other work on the machine doesn't change.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import simulation

TARGET = 10.0
KINDS = ("walk", "report", "cpu")
COLOURS = {"walk": "#2563eb", "report": "#dc2626", "cpu": "#059669"}
REGIONS = {
    "us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia",
    "eu-central-1": "europe", "ap-northeast-1": "asia", "sa-east-1": "other", "ca-central-1": "north-america",
    "eu-north-1": "europe", "ap-south-1": "asia", "af-south-1": "other", "us-east-2": "north-america",
    "eu-south-1": "europe", "ap-southeast-2": "asia", "me-central-1": "other", "us-west-1": "north-america",
}  # fmt: skip
"""Region to geography; the first so many are taken."""


def fleet(count: int, algorithm: str, steered: bool) -> tuple[RoutingTable, Site]:
    """The local inventory's policy with so many regions, and what is in front of them."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)["routing_policy"]
    door = data["front_door"] if steered else {**data["front_door"], "steering": {}}
    policy = Policy.from_dict({**data, "algorithm": algorithm, "front_door": door})
    regions = [
        Region(name=name, geography=place, endpoint=f"10.1.{order}.10", order=order)
        for order, (name, place) in enumerate(list(REGIONS.items())[:count], 1)
    ]
    edges = tuple(Machine(name=f"edge-{number}", address=f"10.1.20{number}.10") for number in (1, 2))
    return compile_table(policy, regions, 1), Site(
        edges=edges, static_site=Machine(name="static-1", address="10.1.211.10")
    )


def measure(count: int, algorithm: str, steered: bool) -> tuple[int, dict[str, float]]:
    """The number of sets, and the seconds of each kind."""
    table, site = fleet(count, algorithm, steered)
    started, busy = time.perf_counter(), time.process_time()
    report = compare(table, site)
    walked = time.perf_counter()
    simulation.text(report)
    json.dumps(simulation.plain(report))
    simulation.pictures(report, table)
    ended = time.perf_counter()
    return report.sets, {"walk": walked - started, "report": ended - walked, "cpu": time.process_time() - busy}


def drawing(found: dict[int, dict[str, float]]) -> str:
    """The times as bars by the number of regions, under a line at the target."""
    width, height, left, base = 640, 300, 60, 250
    scale = (base - 40) / max(TARGET, *(seconds for times in found.values() for seconds in times.values()))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} 20V{base}H{width - 20}" fill="none" stroke="#64748b"/>',
        f'<text x="{left - 50}" y="14">seconds, all back ends</text>',
        f'<text x="{width - 70}" y="{base + 34}">regions</text>',
        f'<path d="M{left} {base - scale * TARGET:.0f}H{width - 20}" stroke="#94a3b8" stroke-dasharray="4 4"/>',
        f'<text x="{left - 24}" y="{base - scale * TARGET + 4:.0f}">{TARGET:.0f}</text>',
    ]
    step = (width - left - 40) / len(found)
    for column, (count, times) in enumerate(sorted(found.items())):
        start = left + 20 + column * step
        parts.append(f'<text x="{start + 50:.0f}" y="{base + 16}" text-anchor="middle">{count}</text>')
        for row, kind in enumerate(KINDS):
            tall = scale * times[kind]
            place = start + row * 34
            parts.append(
                f'<rect x="{place:.0f}" y="{base - tall:.1f}" width="28" height="{tall:.1f}" fill="{COLOURS[kind]}"/>'
                f'<text x="{place + 14:.0f}" y="{base - tall - 4:.1f}" text-anchor="middle" font-size="10">'
                f"{times[kind]:.1f}</text>"
            )
    for row, kind in enumerate(KINDS):
        parts.append(f'<text x="{left + 180 + 70 * row}" y="14" fill="{COLOURS[kind]}">{kind}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", default="4,8,12,16")
    parser.add_argument("--algorithm", default="geo")
    parser.add_argument("--unsteered", action="store_true")
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    found: dict[int, dict[str, float]] = {}
    print("regions    sets  " + "  ".join(f"{kind:>8}" for kind in KINDS))
    for count in map(int, arguments.regions.split(",")):
        sets, found[count] = measure(count, arguments.algorithm, not arguments.unsteered)
        print(f"{count:7} {sets:7}  " + "  ".join(f"{found[count][kind]:6.2f} s" for kind in KINDS), flush=True)
    if arguments.svg:
        arguments.svg.write_text(drawing(found), encoding="utf-8")
    kept = all(times["walk"] + times["report"] <= TARGET for times in found.values())
    print("target kept" if kept else "target missed")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
