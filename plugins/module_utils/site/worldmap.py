# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A map of the world in which every ISO 3166 country has a colour, as SVG. Pure."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape

from .worldmap_data import HEIGHT, PACKED, WIDTH

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Okabe and Ito's colours for all kinds of colour vision (Color Universal Design, 2008), without black."""
STATIC = "static"
"""Stands for a colour where only the static site serves: a grey hatching."""
NEUTRAL = "#9CA3AF"
"""Countries that nothing is said of."""

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_DOT, _MARGIN, _HEAD, _FOOT, _ROW, _COLUMNS = 5, 40, 90, 70, 56, 4
_HATCHING = (
    '<pattern id="static" width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="12" height="12" fill="#D1D5DB"/><rect width="5" height="12" fill="#4B5563"/></pattern>'
)
_STYLE = (
    ".paper{fill:#F8FAFC}.land{stroke:#F8FAFC}text{fill:#0F172A;font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){.paper{fill:#0F172A}.land{stroke:#0F172A}text{fill:#E2E8F0}}"
)


def region_colours(regions: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in the given order: the palette, then lighter, then darker ones, then again."""
    shades = [*PALETTE, *(_mix(c, 255, 0.5) for c in PALETTE), *(_mix(c, 0, 0.45) for c in PALETTE)]
    return {name: shades[index % len(shades)] for index, name in enumerate(regions)}


def worldmap(colours: Mapping[str, str], title: str, legend: Sequence[tuple[str, str]]) -> str:
    """A picture that stands alone: no script, nothing from elsewhere, its own light and dark paper.

    `colours` gives ISO 3166 alpha-2 codes a colour, "#rrggbb" or `STATIC`; codes without one are neutral, unknown ones
    are passed over. `legend` is pairs of words and colour; a country's tooltip is its name and its colour's words.
    Raises ValueError for what is no colour.
    """
    for colour in (*colours.values(), *(colour for _words, colour in legend)):
        if colour != STATIC and not _COLOUR.fullmatch(colour):
            raise ValueError(f"{colour!r} is no colour: #rrggbb or {STATIC!r}")
    words: dict[str, str] = {}
    for label, colour in legend:
        words.setdefault(colour, label)

    def about(code: str) -> tuple[str, str]:
        colour = colours.get(code, NEUTRAL)
        return _paint(colour), words.get(colour, "")

    width, height = WIDTH + 2 * _MARGIN, _HEAD + HEIGHT + _FOOT + _ROW * -(-len(legend) // _COLUMNS)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(_description(colours, legend))}</desc>',
        f"<style>{_STYLE}</style><defs>{_HATCHING}</defs>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text x="{_MARGIN}" y="58" font-size="38" font-weight="600">{escape(title)}</text>',
        f'<svg x="{_MARGIN}" y="{_HEAD}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
        *_land(about),
        "</svg>",
        *_legend(legend, _HEAD + HEIGHT + _FOOT),
        "</svg>",
        "",
    ])


def template() -> str:
    """The map that the status page paints: every country is an element with `data-country`, all of them neutral."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f"<defs>{_HATCHING}</defs>",
        *_land(lambda _code: (NEUTRAL, "")),
        "</svg>",
        "",
    ])


def country_names() -> dict[str, str]:
    """ISO 3166 alpha-2 codes and the countries' short English names, and XK, which the standard doesn't hold."""
    return {code: name for code, (name, _path, _dot) in _shapes().items()}


@lru_cache(maxsize=1)
def _shapes() -> dict[str, tuple[str, str, list[int]]]:
    """Code -> name, path, dot of a small country or nothing."""
    table = json.loads(zlib.decompress(base64.b64decode(PACKED)))
    return {code: (name, path, dot) for code, (name, path, dot) in table.items()}


def _mix(colour: str, other: int, ratio: float) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part * (1 - ratio) + other * ratio):02X}" for part in parts)


def _paint(colour: str) -> str:
    return "url(#static)" if colour == STATIC else colour


def _land(about: Callable[[str], tuple[str, str]]) -> list[str]:
    """Countries as elements, the dots of small ones above all else; `about` says a code's paint and words."""
    areas: list[str] = []
    dots: list[str] = []
    for code, (name, path, dot) in _shapes().items():
        paint, words = about(code)
        title = f"{name} ({code}){': ' if words else ''}{words}"
        shapes = f'<path d="{path}"/>' if path else ""
        if dot:
            shapes += f'<circle cx="{dot[0]}" cy="{dot[1]}" r="{_DOT}"/>'
        item = f'<g data-country="{code}" fill="{paint}"><title>{escape(title)}</title>{shapes}</g>'
        (dots if dot else areas).append(item)
    return ['<g class="land" stroke-width="1" stroke-linejoin="round">', *areas, *dots, "</g>"]


def _legend(legend: Sequence[tuple[str, str]], top: int) -> list[str]:
    items = []
    for index, (words, colour) in enumerate(legend):
        x, y = _MARGIN + index % _COLUMNS * WIDTH // _COLUMNS, top + index // _COLUMNS * _ROW
        items.append(f'<rect x="{x}" y="{y - 28}" width="32" height="32" rx="6" fill="{_paint(colour)}"/>')
        items.append(f'<text x="{x + 46}" y="{y}" font-size="30">{escape(words)}</text>')
    return items


def _description(colours: Mapping[str, str], legend: Sequence[tuple[str, str]]) -> str:
    """The legend with the number of countries, for those who don't see the map."""
    counts = [(words, sum(used == colour for used in colours.values())) for words, colour in legend]
    return "; ".join(f"{words}: {count} {'country' if count == 1 else 'countries'}" for words, count in counts)
