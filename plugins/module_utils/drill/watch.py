# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches what the front door answers and believes; one JSON line for each change.

Runs by itself (standard library only) in a client: ``python3 -m module_utils.drill.watch < settings.json``. Settings:
``seconds``, ``interval``, ``output`` and ``probes``, each with ``kind``: ``dns`` asks ``server`` for ``name``;
``check`` reads from the metrics of the edge at ``address`` whether it believes ``region`` to be up.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any, TextIO

from .dns import DnsError, ask
from .wire import Pool, WireError

METRICS_PORT = 8404
METRICS_PATH = "/metrics?scope=server"


def check_state(page: str, region: str) -> str:
    """Return UP, DOWN or another state of a region's server from HAProxy's metrics; empty when it isn't there."""
    wanted = re.compile(rf'haproxy_server_status\{{proxy="regions",server="{re.escape(region)}",state="(\w+)"\}} 1')
    found = wanted.search(page)
    return found.group(1) if found else ""


async def look(probe: dict[str, Any]) -> str:
    """Return what a probe sees now, ``no answer`` when it sees nothing."""
    try:
        if probe["kind"] == "dns":
            addresses, _ttl = await ask(probe["server"], probe.get("port", 53), probe["name"])
            return ",".join(sorted(addresses))
        pool = Pool(probe["address"], METRICS_PORT, None, 0.3, 0.3)
        text = f"GET {METRICS_PATH} HTTP/1.1\r\nHost: {probe['address']}\r\nConnection: close\r\n\r\n"
        answer = await pool.request(probe["address"], text.encode(), 1.0)
        return check_state(answer.body.decode("utf-8", "replace"), probe["region"])
    except (DnsError, WireError):
        return "no answer"


async def watch(probe: dict[str, Any], interval: float, until: float, output: TextIO) -> None:
    """Look every ``interval`` seconds and write the first value and every other one."""
    last = None
    while time.monotonic() < until:
        at = time.time()
        value = await look(probe)
        if value != last:
            output.write(json.dumps({"at": at, "probe": probe["label"], "kind": probe["kind"], "value": value}) + "\n")
            output.flush()
            last = value
        await asyncio.sleep(interval)


async def run(settings: dict[str, Any]) -> None:
    until = time.monotonic() + settings["seconds"]
    with open(settings["output"], "w", encoding="utf-8") as output:
        await asyncio.gather(*(watch(probe, settings["interval"], until, output) for probe in settings["probes"]))


if __name__ == "__main__":
    asyncio.run(run(json.load(sys.stdin)))
