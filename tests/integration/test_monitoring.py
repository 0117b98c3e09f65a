# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Monitoring of a whole site: panels have data; a region's death reaches a webhook at once, and so does its return."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import all as every
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import checks
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards.model import EVICTION
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .conftest import DOMAIN, REGIONS, Site, all_own, steady, until

ROOT = Path(__file__).resolve().parents[2]

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
# Half a minute's requests of every region, past the edges, and of the edges.
ASK = """
for _turn in $(seq 15); do
  for address in {addresses}; do
    curl -s -o /dev/null --max-time 5 -k --resolve {name}:443:$address https://{name}/api/models || true
  done
  sleep 2
done
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


def asked_by_panels(when: str) -> dict[str, str]:
    """The queries of all dashboards' panels that have data then, by dashboard and panel."""
    prices = yaml.safe_load((ROOT / "inventories/local/group_vars/all/monitoring.yml").read_text())["monitoring_prices"]
    return {f"{board.uid}: {panel.title}: {target.expr}": checks.chosen(target.expr)
            for board in every.dashboards(Settings.from_dict({"prices": prices}))
            for row in board.rows for panel in row.panels if panel.when == when for target in panel.targets}


def without_data(site: Site, edge: str, queries: dict[str, str]) -> list[str]:
    """Those of the queries that an edge has no number for, or not for all regions where it has some by region."""
    empty = []
    for name, query in queries.items():
        found = {region for region, value in asked(site, edge, query).items() if not math.isnan(value)}
        if not found or (found & set(REGIONS) and not found >= set(REGIONS)):
            empty.append(name)
    return empty


@pytest.mark.parametrize("edge", EDGES)
def test_every_panel_of_every_dashboard_has_data(site: Site, edge: str) -> None:
    regions = (site.kubectl(region, "get", "svc", "llm-verifier-gateway", "-n", "llm-verifier-gateway", "-o",
                            "jsonpath={.status.loadBalancer.ingress[0].ip}") for region in REGIONS)  # fmt: skip
    addresses = [*regions, *(f"{site.instance.prefix}.{subnet}.10" for subnet in (201, 202))]
    ask = "sh", "-c", ASK.format(addresses=" ".join(addresses), name=f"api.{DOMAIN}")
    site.run("client-eu", *ask, timeout=180)
    queries = asked_by_panels("")
    assert len(queries) > 70
    # Ratios over long windows are counted every five minutes.
    end = time.monotonic() + 330
    while (empty := without_data(site, edge, queries)) and time.monotonic() < end:
        queries = {name: queries[name] for name in empty}
        time.sleep(5)
        site.run("client-eu", *ask, timeout=180)  # a ratio without requests is no number
    assert not empty, "\n".join(empty)


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_sees_all_regions(site: Site, edge: str) -> None:
    def all_regions(query: str) -> bool:
        return set(asked(site, edge, query)) == set(REGIONS)

    until(lambda: all_regions('region_job:up:avg{job="workload"} == 1'), 60, "every region's pods are scraped")
    until(lambda: all_regions("region:availability:avg5m > 0.5"), 60, "every region is probed by its peers")
    peers = len(REGIONS) - 1
    until(lambda: asked(site, edge, "count by (region) (region:probe_success:avg5m)") == dict.fromkeys(REGIONS, peers),
          60, "what each peer sees is a series of its own")
    until(lambda: all_regions('up{job="region"} == 1'), 60, "every region answers the edge")
    until(lambda: asked(site, edge, "sum(routing_agent_active)") == {"": 1.0}, 60, "it sees the other edge's agent")


@pytest.mark.parametrize(("program", "path", "said"), [
    ("prometheus", "api/v1/query?query=count(up%7Bjob%3D%22region%22%7D)", '"4"]'),
    ("prometheus", "consoles/index.html?region=eu-west-1", "LLM Verifier / Overview"),
    ("alertmanager", "api/v2/status", '"cluster"'),
])  # fmt: skip
def test_a_door_on_loopback_leads_there_until_it_is_closed(site: Site, program: str, path: str, said: str) -> None:
    environment = {**os.environ, "LLM_VERIFIER_STATE": str(site.state)}
    process = subprocess.Popen([sys.executable, str(ROOT / "scripts/open.py"), program, "0"], env=environment,
                               text=True, stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout
    try:
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            assert said in answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_a_regions_death_is_told_at_once_and_its_return_too(site: Site, told: Told) -> None:
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole before")
    assert not told("RegionEvicted", "firing")
    began = time.monotonic()
    site.fault(REGION, "down")
    try:
        until(lambda: told("RegionEvicted", "firing"), 60, "the webhook is told")
        print(f"told {time.monotonic() - began:.1f} s after the fault began to be made")
        for name, query in asked_by_panels(EVICTION).items():
            assert REGION in asked(site, "edge-1", query), name
    finally:
        site.fault(REGION, "up")
    until(lambda: told("RegionEvicted", "resolved"), 240, "the webhook is told that it is over")
    assert [len(told("RegionEvicted", status)) for status in ("firing", "resolved")] == [1, 1], "by one edge alone"
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole after")
