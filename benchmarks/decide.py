#!/usr/bin/env python3
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a decision and the table of 249 countries cost, by the number of regions.

`benchmarks/decide.py [--regions 125,250,500,1000] [--svg FILE]`. 20 geographies, lists of 8 regions, 6 samples a region
(two edges, four peers), two witnesses of requests. Processor time of one core, the best of several runs: `quiet` is a
tick without news, `eviction` one that takes a region out.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decide import decide
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    PEER,
    Observations,
    Probe,
    Traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import State

GEOGRAPHIES, LISTED, PEERS = 20, 8, 4
NOW = 1_000_000_000.0
TARGETS = {"quiet": 0.05, "eviction": 0.05, "table": 1.0}
COLOURS = {"quiet": "#2563eb", "eviction": "#dc2626", "table": "#059669"}


def fleet(count: int) -> tuple[Policy, tuple[Region, ...]]:
    """A policy of 20 geographies and so many regions."""
    names = [f"region-{index:04d}" for index in range(count)]
    codes = sorted(COUNTRIES)
    geographies = {
        f"geography-{index:02d}": {
            "regions": [names[(index * 7 + place * 13) % count] for place in range(min(LISTED, count // 2))],
            "countries": codes[index::GEOGRAPHIES],
            "default": index == 0,
        }
        for index in range(GEOGRAPHIES)
    }
    regions = tuple(
        Region(name=name, geography=f"geography-{index % GEOGRAPHIES:02d}", order=index, capacity_rps=1000)
        for index, name in enumerate(names)
    )
    return Policy.from_dict({"version": 1, "geographies": geographies}), regions


def observed(regions: tuple[Region, ...], now: float, dead: str = "") -> Observations:
    """What all vantage points see; region `dead` answers nobody."""
    names = [region.name for region in regions]
    probes, traffic = [], []
    for index, name in enumerate(names):
        places = [("edge-1", EDGE), ("edge-2", EDGE)]
        places += [(names[(index + step * 17 + 1) % len(names)], PEER) for step in range(PEERS)]
        probes += [Probe(vantage=place, kind=kind, region=name, at=now, ok=name != dead) for place, kind in places]
        traffic += [
            Traffic(witness=edge, region=name, at=now, window_seconds=15, requests=2000, errors=3)
            for edge in ("edge-1", "edge-2")
        ]
    return Observations(at=now, probes=tuple(probes), traffic=tuple(traffic))


def best(work: Callable[[], object], runs: int = 7) -> float:
    """Seconds of processor time of the fastest run, without the collector's."""
    times = []
    for _run in range(runs):
        gc.collect()
        gc.disable()
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
        gc.enable()
    return min(times)


def measure(count: int) -> dict[str, float]:
    """Seconds of each kind of work."""
    policy, regions = fleet(count)
    sick, state, now = policy.geographies[0][1].regions[0], State(), NOW
    for _tick in range(3):
        state, now = decide(policy, regions, state, observed(regions, now), now).state, now + 2
    quiet = observed(regions, now)
    times = {"quiet": best(lambda: decide(policy, regions, state, quiet, now))}
    for _tick in range(policy.health.failures - 1):
        state, now = decide(policy, regions, state, observed(regions, now, sick), now).state, now + 2
    seen = observed(regions, now, sick)
    decision = decide(policy, regions, state, seen, now)
    if dict(decision.admissions)[sick] != 0:
        raise SystemExit(f"{sick} should be out")
    times["eviction"] = best(lambda: decide(policy, regions, state, seen, now))
    admissions = dict(decision.admissions)
    table = effective_table(policy, regions, admissions, 2)
    if len(table.countries) != len(COUNTRIES):
        raise SystemExit("countries are missing")
    regions = tuple(replace(region) for region in regions)
    times["table"] = best(lambda: effective_table(policy, regions, admissions, 2), 3)
    return times


def drawing(found: dict[int, dict[str, float]]) -> str:
    """The times as lines over the number of regions, each as a share of its target."""
    width, height, left, base = 640, 320, 60, 270
    most = max(found)
    top = max(times[kind] / TARGETS[kind] for times in found.values() for kind in TARGETS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} 20V{base}H{width - 20}" fill="none" stroke="#64748b"/>',
        f'<text x="{left - 50}" y="14">share of the target</text>',
        f'<text x="{width - 70}" y="{base + 34}">regions</text>',
    ]
    scale = (base - 30) / max(1.0, top)
    parts.append(
        f'<path d="M{left} {base - scale:.0f}H{width - 20}" stroke="#94a3b8" stroke-dasharray="4 4"/>'
        f'<text x="{left - 32}" y="{base - scale + 4:.0f}">1</text>'
    )
    for count in sorted(found):
        place = left + (width - left - 40) * count / most
        parts.append(f'<text x="{place:.0f}" y="{base + 16}" text-anchor="middle">{count}</text>')
    for row, kind in enumerate(TARGETS):
        points = " ".join(
            f"{left + (width - left - 40) * count / most:.1f},{base - scale * times[kind] / TARGETS[kind]:.1f}"
            for count, times in sorted(found.items())
        )
        label = f"{kind}: {found[most][kind] * 1000:.0f} ms of {TARGETS[kind] * 1000:.0f} ms at {most}"
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 16}" y="{36 + 16 * row}" fill="{COLOURS[kind]}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", default="125,250,500,1000")
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    found = {int(count): measure(int(count)) for count in arguments.regions.split(",")}
    print("regions  " + "  ".join(f"{kind:>12}" for kind in TARGETS))
    for count, times in found.items():
        print(f"{count:7}  " + "  ".join(f"{times[kind] * 1000:9.1f} ms" for kind in TARGETS))
    if arguments.svg:
        arguments.svg.write_text(drawing(found), encoding="utf-8")
    kept = all(times[kind] < TARGETS[kind] for times in found.values() for kind in TARGETS)
    print("targets kept" if kept else "targets missed")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
