# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `routing_simulate` shows: a table for people, plain data, maps of the world. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..routing.model import RoutingTable
from ..routing.simulate import DIVERGENCES, EDGES_DOWN, STATIC, Answers, Divergence, Report
from .worldmap import NEUTRAL, region_colours, worldmap
from .worldmap import STATIC as HATCHED

_DEAD, _NOTHING = "#111827", "#B91C1C"


def plain(report: Report) -> dict[str, Any]:
    """The whole report as JSON takes it: what each class of countries is answered in each situation, divergences."""
    return {
        "passed": not report.failures,
        "sets": report.sets,
        "sampled": report.sampled,
        "situations": [{"name": words, "up": list(up)} for words, up in report.situations],
        "answers": [
            {
                "backend": item.backend,
                "geography": item.geography,
                "countries": list(item.countries),
                "answers": [list(names) for names in item.answers],
            }
            for item in report.answers
        ],
        "divergences": [
            {**asdict(item), "id": item.id, "meaning": DIVERGENCES[item.kind]} for item in report.divergences
        ],
        "unsupported_countries": {name: list(codes) for name, codes in report.fallen},
        "unused_waivers": [asdict(waiver) for waiver in report.unused],
    }


def text(report: Report) -> str:
    """The report for people: what each geography is answered, then every divergence with its counter-example."""
    how = "a sample of" if report.sampled else "all"
    backends = list(dict.fromkeys(item.backend for item in report.answers))
    lines = [f"SIMULATION  {len(backends)} back ends, every country, {how} {report.sets} sets of what is up", ""]
    head = ("back end", "geography", "answered while every region is up", "as the policy says")
    lines += _columns([head, *_rows(report)])
    lines += [f"  {name}: {', '.join(codes)} unknown there, so default geography" for name, codes in report.fallen]
    for title, items in (
        ("DIVERGENCES that fail", report.failures),
        ("DIVERGENCES that the policy waives", [item for item in report.divergences if item.reason]),
    ):
        lines += ["", title, *(line for item in items for line in _told(item))] if items else []
    lines += ["", *(f"  needless waiver: {item.backend} {item.divergence}" for item in report.unused)]
    return "\n".join(lines).rstrip() + "\n"


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    kinds: dict[tuple[str, str], list[Divergence]] = {}
    for found in report.divergences:
        kinds.setdefault((found.backend, found.geography), []).append(found)
    groups: dict[tuple[str, str], list[Answers]] = {}
    for item in report.answers:
        groups.setdefault((item.backend, item.geography), []).append(item)
    for key, items in groups.items():
        place = _telling(report, items)
        counts: Counter[str] = Counter()
        for item in items:
            counts["+".join(item.answers[place]) or "nothing"] += len(item.countries)
        said = ", ".join(f"{names} {count}" for names, count in counts.most_common())
        wrong = [f"{found.kind}{' (waived)' if found.reason else ''}" for found in kinds.get(key, ())]
        yield (*key, said, ", ".join(wrong) or "yes")


def _telling(report: Report, items: Iterable[Answers]) -> int:
    """The situation to show: everything up, or the edges down where they are all that is answered else."""
    first = {names for item in items for names in item.answers[:1]}
    down = next((place for place, (words, _up) in enumerate(report.situations) if words.startswith(EDGES_DOWN)), 0)
    everything = report.situations[down][1]
    return down if first and not any(name in everything for names in first for name in names) else 0


def _told(item: Divergence) -> Iterator[str]:
    up = f"only {', '.join(item.up)} up" if item.up else "nothing up"
    yield f"  {item.backend} {item.id}: {DIVERGENCES[item.kind]}"
    yield (
        f"    a client in {item.country}, {up}: the policy says {', '.join(item.expected)}, "
        f"{item.backend} answers {', '.join(item.answered) or 'nothing'}"
    )
    yield f"    {len(item.countries)} countries, up to {item.sets} sets" + (f"; {item.reason}" if item.reason else "")


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def pictures(report: Report, table: RoutingTable) -> dict[str, str]:
    """A map of the world a back end and situation, by file name: who serves each country."""
    colours = region_colours([region.name for region in table.regions])
    by_backend: dict[str, list[Answers]] = {}
    for item in report.answers:
        by_backend.setdefault(item.backend, []).append(item)
    made = {}
    for backend, items in by_backend.items():
        known: dict[str, list[tuple[str, ...]]] = {}
        for place, (words, up) in enumerate(report.situations):
            known[words] = said = [item.answers[place] for item in items]
            if said == known.get(words.removeprefix(EDGES_DOWN)) and words.startswith(EDGES_DOWN):
                continue  # the edges' health doesn't matter to it
            painted = {code: _colour(names, up, colours) for item, names in zip(items, said) for code in item.countries}
            if set(painted.values()) != {NEUTRAL}:  # edges everywhere say nothing of regions
                name = re.sub(r"[^a-z0-9]+", "-", f"{backend} {words}".lower())
                made[f"{name}.svg"] = worldmap(painted, f"{backend}: {words}", _legend(painted.values(), colours))
    return made


def _colour(names: tuple[str, ...], up: tuple[str, ...], colours: Mapping[str, str]) -> str:
    if not names:
        return _NOTHING
    if names == (STATIC,):
        return HATCHED
    if not set(names) <= set(up):
        return _DEAD
    return colours.get(names[0], NEUTRAL) if len(names) == 1 else NEUTRAL


def _legend(used: Iterable[str], colours: Mapping[str, str]) -> list[tuple[str, str]]:
    words = [*colours.items(), ("static site", HATCHED), ("no answer", _NOTHING)]
    words += [("something that is down", _DEAD), ("several, or an edge", NEUTRAL)]
    there = set(used)
    return [(word, colour) for word, colour in words if colour in there]
