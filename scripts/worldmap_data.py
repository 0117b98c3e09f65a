#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make plugins/module_utils/site/worldmap_data.py, the country shapes of the world map. Needed only to change them.

    npm pack world-atlas@2.0.2 && tar xf world-atlas-2.0.2.tgz
    pip install pycountry==26.2.16
    scripts/worldmap_data.py package/countries-50m.json

Shapes: Natural Earth 4.1 (public domain) in world-atlas's TopoJSON (ISC), in the Equal Earth projection (Šavrič,
Patterson, Jenny 2018), lines simplified by Visvalingam's areas. Borders are simplified once for both their sides.
"""

from __future__ import annotations

import base64
import json
import math
import sys
import textwrap
import zlib
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

WIDTH = 2000
SOUTHERNMOST = -78.0  # the rest of Antarctica is cut off
LEAST_TRIANGLE = 1.6  # square units: a point that spans less with its neighbours is left out
LEAST_ISLAND = 2.5  # square units: smaller rings are left out, but for a country's largest
DOT_BELOW = 60.0  # square units: countries smaller than this also get a dot

TARGET = Path(__file__).resolve().parent.parent / "plugins/module_utils/site/worldmap_data.py"

# Parts that ISO 3166 counts apart, by where they lie: west, south, east, north.
PARTS: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "FR": {"GF": (-55, 2, -51, 6), "GP": (-62, 15.7, -61, 16.6), "MQ": (-61.3, 14.3, -60.7, 15),
           "RE": (55, -21.5, 56, -20.8), "YT": (45, -13.1, 45.4, -12.5)},
    "NO": {"SJ": (-10, 70.5, 36, 81), "BV": (3, -55, 4, -54)},
    "NL": {"BQ": (-69, 11.9, -62, 18)},
}
MAINLAND_NORWAY = (10, 57, 32, 71.3)
MERGED = {"Somaliland": "SO", "N. Cyprus": "CY", "Kosovo": "XK"}
# Countries that the shapes don't hold: longitude and latitude of a dot.
PLACES = {"BV": (3.4, -54.4), "CC": (96.8, -12.2), "CX": (105.6, -10.5), "GI": (-5.35, 36.14), "TK": (-171.8, -9.2),
          "TV": (179.2, -8.5), "UM": (166.6, 19.3), "BQ": (-68.3, 12.2), "GP": (-61.5, 16.2), "MQ": (-61.0, 14.65),
          "RE": (55.5, -21.1), "YT": (45.15, -12.8)}

Point = tuple[float, float]
Ring = list[Point]


def project(longitude: float, latitude: float) -> Point:
    """Equal Earth, scaled to WIDTH, y downwards from the north pole."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    slope = 9 * a4 * theta**8 + 7 * a3 * theta**6 + 3 * a2 * theta**2 + a1
    x = 2 * math.sqrt(3) * math.radians(longitude) * math.cos(theta) / (3 * slope)
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    scale = WIDTH / (4 * math.sqrt(3) * math.pi / (3 * a1))
    return WIDTH / 2 + x * scale, (1.3173627591574133 - y) * scale


def triangle(a: Point, b: Point, c: Point) -> float:
    """The area of a triangle."""
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def area(ring: Ring) -> float:
    """The area of a closed ring."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1]))) / 2


def simplify(line: Ring) -> Ring:
    """Drop the point that matters least on the map until all matter; both ends stay, of a closed line two more."""
    line, drawn = list(line), [project(*point) for point in line]
    least = 4 if line[0] == line[-1] else 2
    while len(line) > least:
        sizes = [triangle(*drawn[i - 1:i + 2]) for i in range(1, len(drawn) - 1)]
        smallest = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[smallest] >= LEAST_TRIANGLE:
            break
        del line[smallest + 1], drawn[smallest + 1]
    return line


def unwrap(ring: Ring) -> Ring:
    """A ring whose longitudes go on over the 180th meridian; one that goes round a pole is closed along the south."""
    result = ring[:1]
    for longitude, latitude in ring[1:] + ring[:1]:
        result.append((longitude - 360 * round((longitude - result[-1][0]) / 360), latitude))
    first, last = result[0], result[-1]
    if abs(last[0] - first[0]) > 1:
        return [*result, (last[0], SOUTHERNMOST), (first[0], SOUTHERNMOST)]
    return result[:-1]


def clip(ring: Ring, limit: float, east: bool) -> Ring:
    """The part of a ring on one side of a meridian (Sutherland and Hodgman)."""
    result: Ring = []
    for a, b in zip(ring, ring[1:] + ring[:1]):
        inside, follows = ((p[0] >= limit) == east or p[0] == limit for p in (a, b))
        if inside:
            result.append(a)
        if inside != follows:
            result.append((limit, a[1] + (b[1] - a[1]) * (limit - a[0]) / (b[0] - a[0])))
    return result


class Topology:
    """A TopoJSON file's arcs in degrees, simplified."""

    def __init__(self, topology: dict[str, Any]) -> None:
        (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
        self.lines: list[Ring] = []
        for arc in topology["arcs"]:
            x = y = 0
            line = []
            for dx, dy in arc:
                x, y = x + dx, y + dy
                line.append((x * sx + tx, max(y * sy + ty, SOUTHERNMOST)))
            self.lines.append(simplify(line))
        self.geometries = topology["objects"]["countries"]["geometries"]

    def _join(self, arcs: list[int]) -> Ring:
        ring: Ring = []
        for index in arcs:
            line = self.lines[index] if index >= 0 else self.lines[~index][::-1]
            ring += line[1:] if ring else line
        return ring[:-1]

    def rings(self, geometry: dict[str, Any]) -> Iterator[tuple[Point, Ring]]:
        """Every ring of a geometry: the middle of its polygon in degrees, and its points on the map."""
        for polygon in [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]:
            outer = unwrap(self._join(polygon[0]))
            middle = tuple((min(p[axis] for p in outer) + max(p[axis] for p in outer)) / 2 for axis in (0, 1))
            for arcs in polygon:
                ring = unwrap(self._join(arcs))
                for turn in (-360, 0, 360):
                    part = clip(clip([(x + turn, y) for x, y in ring], -180, True), 180, False)
                    if part:
                        yield (middle[0], middle[1]), [project(*point) for point in part]


def part_of(code: str, place: Point) -> str:
    """The ISO code of a part of a country."""
    for part, (west, south, east, north) in PARTS.get(code, {}).items():
        inside = west <= place[0] <= east and south <= place[1] <= north
        west, south, east, north = MAINLAND_NORWAY
        if inside and not (part == "SJ" and west <= place[0] <= east and south <= place[1] <= north):
            return part
    return code


def path(rings: list[Ring]) -> str:
    """An SVG path in whole units, relative, as short as can be."""
    words = []
    for ring in rings:
        points = [(round(x), round(y)) for x, y in ring]
        points = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
        if len(points) < 3:
            continue
        steps = "".join(f"{b[0] - a[0]} {b[1] - a[1]} " for a, b in pairwise(points))
        words.append(f"m{points[0][0]} {points[0][1]}l{steps}".replace(" -", "-").strip() + "z")
    return "".join(word.replace("m", "M", 1) for word in words)


def dot(rings: list[Ring]) -> list[int]:
    """The middle of a small country's largest ring."""
    ring = max(rings, key=area)
    return [round(sum(p[axis] for p in ring) / len(ring)) for axis in (0, 1)]


def shapes(topology: Topology, codes: dict[str, str], names: dict[str, str]) -> dict[str, list[Any]]:
    """Code -> name, path, dot (empty for countries that are large enough)."""
    found: dict[str, list[Ring]] = {}
    for geometry in topology.geometries:
        code = codes.get(geometry.get("id", ""), MERGED.get(geometry["properties"]["name"], ""))
        for place, ring in topology.rings(geometry) if code else ():
            found.setdefault(part_of(code, place), []).append(ring)
    result: dict[str, list[Any]] = {}
    for code, name in names.items():
        rings = sorted(found.get(code, []), key=area, reverse=True)
        kept = [ring for index, ring in enumerate(rings) if index == 0 or area(ring) >= LEAST_ISLAND]
        small = sum(map(area, kept)) < DOT_BELOW
        middle = [round(v) for v in project(*PLACES[code])] if not kept else dot(kept) if small else []
        result[code] = [name, path(kept), middle]
    return result


def main() -> int:
    """Write the file from the TopoJSON file that the command line names."""
    pycountry = import_module("pycountry")
    countries = sorted(pycountry.countries, key=lambda country: str(country.alpha_2))
    names = {c.alpha_2: getattr(c, "common_name", c.name) for c in countries} | {"XK": "Kosovo"}
    topology = Topology(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    table = shapes(topology, {c.numeric: c.alpha_2 for c in countries}, names)
    height = round(project(0, SOUTHERNMOST)[1])
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(packed, 114))
    head = Path(__file__).read_text(encoding="utf-8").split("\n")[1:4]
    TARGET.write_text("\n".join([
        *head,
        '"""Shapes and names of all ISO 3166 countries, made by scripts/worldmap_data.py: JSON, zlib, base 64.',
        "",
        "Natural Earth 4.1 (public domain) by way of world-atlas 2.0.2 (ISC); names of iso-codes by way of pycountry.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        f"WIDTH, HEIGHT = {WIDTH}, {height}",
        "PACKED = (",
        lines,
        ")",
        "",
    ]), encoding="utf-8")
    print(f"{len(table)} countries, {len(text)} bytes of JSON, {len(packed)} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
