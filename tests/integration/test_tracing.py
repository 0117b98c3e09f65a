# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces of a whole site: a request through the front door is one of edge, gateway and workload; strangers get none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from .conftest import DOMAIN, OWN, Site, until
from .test_certificates import EDGES
from .test_monitoring import ROOT

CLIENT, REGION, COLLECTOR, INNER, PORT, ASKED = "client-eu", OWN["europe"], "services-1", 9410, 9411, 300
LAYERS = {"edge", "gateway", "llm-verifier"}
A_MINUTE = 60_000_000  # microseconds
FORGED = "0af7651916cd43dd8448eb211c80319c"


def asked(site: Site, edge: int) -> set[str]:
    """Ask one edge so often; the traces that the workload's answers tell, which most of them don't keep."""
    url = f"https://api.{DOMAIN}/api/models?[1-{ASKED}]"  # without a token: refused by the workload
    said = site.run(CLIENT, "curl", "-skS", "--http1.1", "-D", "-", "-o", "/dev/null",
                    "--resolve", f"api.{DOMAIN}:443:{site.end(edge).address}",
                    "-H", f"traceparent: 00-{FORGED}-b7ad6b7169203331-01", url, timeout=120)
    return set(re.findall(r"(?im)^x-trace-id: ([0-9a-f]{32})", said))


def collected(site: Site) -> dict[str, list[dict[str, Any]]]:
    """The spans of the latest traces that began at an edge."""
    said = site.run(COLLECTOR, "curl", "-sf", f"http://127.0.0.1:{INNER}/api/v2/traces?serviceName=edge&limit=500&lookback=300000")
    return {spans[0]["traceId"]: spans for spans in json.loads(said)}


@pytest.mark.parametrize("edge", EDGES)
def test_a_request_is_one_trace_of_edge_gateway_and_workload(site: Site, edge: str) -> None:
    told, whole = asked(site, EDGES[edge]), {}
    assert len(told) == ASKED and FORGED not in told

    def arrived() -> bool:
        whole.update({trace: spans for trace, spans in collected(site).items() if trace in told
                      and {span["localEndpoint"]["serviceName"] for span in spans} == LAYERS})  # fmt: skip
        return len(whole) >= 3

    until(arrived, 30, "three requests' spans of all layers are collected")
    ratio = yaml.safe_load((ROOT / "inventories/local/group_vars/all/tracing.yml").read_text())["tracing_ratio"]
    assert len(whole) < 3 * ratio * ASKED
    for spans in whole.values():
        by = {span["localEndpoint"]["serviceName"]: span for span in spans}
        front, gateway, workload = (by[name] for name in ("edge", "gateway", "llm-verifier"))
        assert "parentId" not in front and gateway["parentId"] == front["id"] and workload["parentId"] == gateway["id"]
        assert front["tags"]["region"] == gateway["tags"]["region"] == REGION and front["tags"]["geography"] == "europe"
        assert front["tags"]["edge"] == edge and int(front["tags"]["generation"]) > 0
        assert abs(front["timestamp"] - gateway["timestamp"]) < A_MINUTE > front["duration"] > 0


def test_only_who_shows_a_certificate_reaches_the_collector(site: Site) -> None:
    prefix = site.instance.prefix
    refused = [f"https://{prefix}.210.2:{PORT}/health", f"http://{prefix}.210.2:{INNER}/health",
               f"http://{prefix}.3.2:{PORT}/health"]  # fmt: skip
    for url in refused:
        said = site.run(CLIENT, "sh", "-c", f"curl -sk -m 3 -o /dev/null {url} || echo refused")
        assert said.strip() == "refused", url
