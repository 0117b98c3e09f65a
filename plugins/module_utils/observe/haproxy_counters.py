# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edge's HAProxy counted of each region: requests, failed attempts, slow answers."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Mapping

from ..routing.observations import Traffic
from .config import Config
from .window import Figures, Window

_PROCESS = re.compile(r"^Pid: *(\d+)", re.MULTILINE)
_SLOW = re.compile(r"key=(\S+) .*\bgpc0=(\d+)")
_LARGEST_ANSWER = 4 << 20  # bytes


_STATUSES = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")


def figures_of(row: Mapping[str, str]) -> tuple[float, float]:
    """(requests, errors) of a server's row of `show stat`, each request at this server counted once.

    Found by trying HAProxy 2.6 with `option redispatch 1`: what is taken elsewhere, whatever failed, is one `wredis`,
    and one `eresp` too when the connection was reset; a failure of the last attempt is one `econ`, `eresp` or answer
    5xx; an answer that breaks off counts as an answer, an `eresp` and a `srv_abrt`. `stot` leaves out connections that
    were never made and counts those still waiting, `wretr` leaves out those that were refused.
    """
    count = {name: int(row.get(name) or 0) for name in (*_STATUSES, "stot", "wredis", "econ", "eresp", "srv_abrt")}
    answers, broken = sum(count[name] for name in _STATUSES), min(count["eresp"], count["srv_abrt"])
    unanswered = max(0, min(count["eresp"] - broken, count["stot"] - answers - count["wredis"]))
    lost = count["wredis"] + count["econ"] + unanswered
    return float(answers + lost), float(lost + broken + count["hrsp_5xx"])


def parse(said: str, backend: str) -> tuple[str, Figures]:
    """The process and its (requests, errors, slow answers) by region, of `command(…)`'s answer.

    Raises ValueError when it isn't one.
    """
    process = _PROCESS.search(said)
    table = said.find("# pxname,")
    if process is None or table < 0:
        raise ValueError("not an answer of HAProxy")
    statistics, _blank, slow = said[table + 2 :].partition("\n\n")
    late = {name: float(count) for name, count in _SLOW.findall(slow)}
    return process.group(1), {
        row["svname"]: (*figures_of(row), late.get(row["svname"], 0.0))
        for row in csv.DictReader(statistics.splitlines())
        if row["pxname"] == backend and row["type"] == "2"
    }


def command(config: Config) -> str:
    """The question; all of it in one, so that the process is the one that counted."""
    return f"show info;show stat {config.backend} 4 -1;show table {config.slow_table}\n"


async def ask(config: Config) -> tuple[str, Figures]:
    """Read the counters. Raises OSError, EOFError or ValueError."""
    reader, writer = await asyncio.open_unix_connection(config.admin_socket, limit=1 << 16)
    try:
        writer.write(command(config).encode())
        await writer.drain()
        said = bytearray()
        while piece := await reader.read(1 << 16):
            said += piece
            if len(said) > _LARGEST_ANSWER:
                raise ValueError("too large an answer")
        return parse(said.decode("utf-8", "replace"), config.backend)
    finally:
        writer.transport.abort()


RECENT_SECONDS = 4.0
"""Over which the present load is counted: two ticks, enough to be steady and little enough not to be thinned."""


def traffic(config: Config, window: Window, now: float) -> tuple[Traffic, ...]:
    """What a window of counters says of each known region, as this edge's word at `now` (seconds since the epoch)."""
    seconds, grown = window.growth()
    recent, grew = window.growth(RECENT_SECONDS)
    known, steps = {region.name for region in config.regions}, window.steps()
    return tuple(
        Traffic(
            witness=config.vantage, region=name, at=now, window_seconds=seconds, requests=figures[0],
            errors=min(figures[0], figures[1]), slow=min(figures[0], figures[2]),
            recent_per_second=grew[name][0] / recent,
            ticks=tuple((step[name][0], step[name][1], step[name][2]) for step in steps if name in step),
        )
        for name, figures in sorted(grown.items())
        if name in known and seconds > 0
    )  # fmt: skip
