# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a drill: latency and serving region over time, as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .report import IDEMPOTENT, Moments, ok, percentile

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 420, 64, 24, 56, 96
COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed", "#db2777", "#475569")
FAILED, MOVE = "#dc2626", "#be185d"
STEP_SECONDS = 0.25


def _slices(records: Sequence[dict[str, Any]], first: float) -> dict[int, list[dict[str, Any]]]:
    slices: dict[int, list[dict[str, Any]]] = {}
    for record in records:
        slices.setdefault(int((record["start"] - first) / STEP_SECONDS), []).append(record)
    return slices


def _text(x: float, y: float, words: str, extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(words)}</text>'


class _Plot:
    """Places seconds and milliseconds on the picture."""

    def __init__(self, seconds: float, top: float) -> None:
        self.seconds, self.top = max(seconds, 1.0), max(top, 0.1)
        self.floor = HEIGHT - BOTTOM

    def x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds / self.seconds, 0.0), 1.0)

    def y(self, seconds: float) -> float:
        return self.floor - (self.floor - TOP) * min(seconds / self.top, 1.0)


def _axes(plot: _Plot) -> list[str]:
    parts = []
    for part in range(5):
        value = plot.top * part / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{plot.y(value):.1f}" y2="{plot.y(value):.1f}" '
                     'stroke="#e2e8f0"/>')
        parts.append(_text(LEFT - 8, plot.y(value) + 4, f"{value * 1000:.0f} ms", 'text-anchor="end"'))
    for part in range(7):
        seconds = plot.seconds * part / 6
        parts.append(_text(plot.x(seconds), plot.floor + 50, f"{seconds:.0f} s", 'text-anchor="middle"'))
    return parts


def _served(plot: _Plot, slices: dict[int, list[dict[str, Any]]], colours: dict[str, str]) -> list[str]:
    """A strip below the axis: who served in each slice."""
    bars = []
    for number, part in sorted(slices.items()):
        left, right = plot.x(number * STEP_SECONDS), plot.x((number + 1) * STEP_SECONDS)
        at = plot.floor + 10.0
        for region, colour in colours.items():
            height = 22 * sum(record["region"] == region for record in part) / len(part)
            if height:
                bars.append(f'<rect x="{left:.1f}" y="{at:.1f}" width="{max(right - left, 0.5):.1f}" '
                            f'height="{height:.1f}" fill="{colour}"/>')
                at += height
    return bars


def _curve(plot: _Plot, slices: dict[int, list[dict[str, Any]]], share: float, colour: str) -> str:
    """The latency that ``share`` of a slice's requests don't exceed."""
    points = [(number, percentile((record["seconds"] for record in part), share))
              for number, part in sorted(slices.items())]
    line = " ".join(f"{plot.x((number + 0.5) * STEP_SECONDS):.1f},{plot.y(value):.1f}" for number, value in points)
    return f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _moves(plot: _Plot, moves: Sequence[dict[str, Any]], first: float) -> list[str]:
    """The engine's moves: a line each, with the region and what became of it."""
    parts = []
    for number, move in enumerate(move for move in moves if not move["refused"]):
        x = plot.x(move["at"] - first)
        right = x > WIDTH * 0.7
        words = f"{move['region']} {str(move['after']).lower()} {float(move['admission_after'] or 0):.0%}"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{plot.floor + 32:.1f}" stroke="{MOVE}" '
                     'stroke-dasharray="4 3"/>')
        parts.append(_text(x + (-4 if right else 4), TOP + 12 + 13 * (number % 12), words,
                           f'fill="{MOVE}" font-size="11" text-anchor="{"end" if right else "start"}"'))
    return parts


def picture(records: Sequence[dict[str, Any]], moments: Moments, moves: Sequence[dict[str, Any]] = ()) -> str:
    """Return the picture of the idempotent requests of a drill, and of the engine's moves (rows of the log)."""
    chosen = sorted((r for r in records if r["kind"] in IDEMPOTENT), key=lambda record: record["start"])
    first = chosen[0]["start"] if chosen else moments.fault_at
    last = chosen[-1]["start"] if chosen else moments.back_at
    slices = _slices(chosen, first)
    names = sorted({record["region"] for record in chosen if record["region"]})
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    plot = _Plot(last - first, max((record["seconds"] for record in chosen), default=0.1))
    fault, back = plot.x(moments.fault_at - first), plot.x(moments.back_at - first)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 24, f"{moments.target}: {moments.fault}; {len(chosen)} idempotent requests, "
                        f"{sum(not ok(record) for record in chosen)} failed", 'font-size="16"'),
        f'<rect x="{fault:.1f}" y="{TOP}" width="{max(back - fault, 1):.1f}" height="{plot.floor - TOP}" '
        'fill="#fee2e2"/>',
        *_axes(plot),
    ]
    parts += [_curve(plot, slices, 0.5, "#94a3b8"), _curve(plot, slices, 0.99, "#0f172a")]
    parts += [f'<circle cx="{plot.x(r["start"] - first):.1f}" cy="{TOP}" r="3" fill="{FAILED}"/>'
              for r in chosen if not ok(r)]
    parts += _served(plot, slices, colours)
    parts += _moves(plot, moves, first)
    at = float(LEFT)
    legend = [("median", "#94a3b8"), ("p99", "#0f172a"), ("fault", "#fecaca"), ("failed", FAILED),
              ("move", MOVE), *colours.items()]
    for name, colour in legend:
        parts.append(f'<rect x="{at:.0f}" y="{HEIGHT - 26}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(at + 18, HEIGHT - 16, name))
        at += 36 + 7.2 * len(name)
    return "\n".join([*parts, "</svg>", ""])
