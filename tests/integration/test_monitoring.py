# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of a whole site: a region's death reaches a webhook at once, and so does its return."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import REGIONS, Site, all_own, steady, until

EDGES, REGION, HOOK, PORT = ("edge-1", "edge-2"), "eu-west-1", "services-1", 9999
LISTEN = f"""
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = self.rfile.read(int(self.headers['Content-Length'])).decode()
        with open('/node/data/hook.jsonl', 'a') as file:
            file.write(said.strip() + chr(10))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.HTTPServer(('', {PORT}), Hook).serve_forever()
"""
Told = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(name="told")
def fixture_told(site: Site) -> Iterator[Told]:
    """A function (alert, status): what a webhook in another node was told so far."""
    start = f"rm -f /node/data/hook.jsonl; python3 -c \"{LISTEN}\" > /dev/null 2>&1 & echo $!"
    process = site.run(HOOK, "sh", "-c", start).strip()
    url = f"http://{site.instance.prefix}.210.2:{PORT}/"
    site.play("playbooks/85_monitoring.yml", "--limit", "localhost,edge", "-e",
              json.dumps({"monitoring_receivers": {"devops": [{"kind": "webhook", "url": url}]}}))  # fmt: skip

    def told(alert: str, status: str) -> list[dict[str, Any]]:
        lines = site.run(HOOK, "sh", "-c", "cat /node/data/hook.jsonl 2>/dev/null", check=False).splitlines()
        said = [json.loads(line) for line in lines if line]
        return [item for item in said if item["status"] == status and item["groupLabels"]["alertname"] == alert
                and item["groupLabels"].get("region", REGION) == REGION]  # fmt: skip

    try:
        yield told
    finally:
        site.run(HOOK, "kill", process, check=False)
        site.play("playbooks/85_monitoring.yml", "--limit", "localhost,edge")


def asked(site: Site, edge: str, query: str) -> dict[str, float]:
    """An edge's answer by region."""
    result = json.loads(site.run(edge, "/node/etc/monitoring/ask", query))["data"]["result"]
    return {item["metric"].get("region", ""): float(item["value"][1]) for item in result}


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_sees_all_regions(site: Site, edge: str) -> None:
    def all_regions(query: str) -> bool:
        return set(asked(site, edge, query)) == set(REGIONS)

    until(lambda: all_regions('region_job:up:avg{job="workload"} == 1'), 60, "every region's pods are scraped")
    until(lambda: all_regions("region:availability:avg5m > 0.5"), 60, "every region is probed by its peers")
    until(lambda: all_regions('up{job="region"} == 1'), 60, "every region answers the edge")
    until(lambda: asked(site, edge, "sum(routing_agent_active)") == {"": 1.0}, 60, "it sees the other edge's agent")


def test_a_regions_death_is_told_at_once_and_its_return_too(site: Site, told: Told) -> None:
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole before")
    assert not told("RegionEvicted", "firing")
    began = time.monotonic()
    site.fault(REGION, "down")
    try:
        until(lambda: told("RegionEvicted", "firing"), 60, "the webhook is told")
        print(f"told {time.monotonic() - began:.1f} s after the fault began to be made")
    finally:
        site.fault(REGION, "up")
    until(lambda: told("RegionEvicted", "resolved"), 240, "the webhook is told that it is over")
    assert [len(told("RegionEvicted", status)) for status in ("firing", "resolved")] == [1, 1], "by one edge alone"
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole after")
