# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running edge before a running gateway before what echoes headers: a request is one trace by their access logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.tracing.spans import span_of

from .test_live_edge import wait_until
from .test_live_geography import EDGE, HOST, Lab, certificate, front_door, tree

FORGED = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
# The workload's place: what it is told of a trace.
ECHO = """defaults
  mode http
  timeout client 9s
frontend echo
  bind 127.0.0.1:8081
  http-request return status 200 content-type text/plain lf-string "%[req.hdr(traceparent)] %[req.hdr(b3)]."
"""


@pytest.fixture(name="start")
def fixture_start(tmp_path: Path) -> Iterator[Any]:
    """A function (ratio) -> a lab with the chain."""
    root, made = tree(), []
    certificate(tmp_path)

    def start(ratio: float) -> Lab:
        table, site = front_door()
        files: dict[str, Any] = {"certificate": "/mnt/tls.crt", "ca_file": "/mnt/tls.crt"}
        files |= {"admin_socket": "", "user": ""}
        edge = haproxy.Settings(**files, ask_socket="", state_file="", trace_ratio=ratio)
        gateway = haproxy.Settings(**files, http_port=8088, metrics_port=8405, trace_ratio=1.0)
        for path, text in haproxy.edge(table, site, edge).items():
            text = text.replace("/node/etc/haproxy/", "/mnt/").replace("bind :443", f"bind {EDGE}:443")
            # All are on one loopback: say who asks.
            text = text.replace("backend regions\n", f"backend regions\n  source {EDGE}\n")
            (tmp_path / Path(path).name).write_text(text)
        (text,) = haproxy.gateway(table.policy, site, gateway, "eu-west-1", "127.0.0.1:8081").values()
        places = ",".join(f"{region.endpoint}:443" for region in table.regions)
        (tmp_path / "gateway.cfg").write_text(text.replace("bind :443", f"bind {places}"))
        (tmp_path / "echo.cfg").write_text(ECHO)
        lab = Lab(tmp_path, root)
        made.append(lab)
        for name in ("echo", "gateway", "haproxy"):
            lab.start("sh", "-c", f"exec haproxy -db -f /mnt/{name}.cfg >/mnt/{name}.json 2>/mnt/{name}.errors.log")
        lab.until(20, ["curl", "-s", f"http://{EDGE}/api/health"], "ok")
        return lab

    yield start
    for lab in made:
        for process in reversed(lab.processes):
            process.terminate()
            process.communicate(timeout=10)


def asked(lab: Lab) -> str:
    """What the workload was told of a request that brings a trace of its own."""
    trace, span = FORGED
    return lab.run("curl", "-s", "--cacert", "/mnt/tls.crt", "--resolve", f"{HOST}:443:{EDGE}",
                   "-H", f"traceparent: 00-{trace}-{span}-01", "-H", f"b3: {trace}-{span}-1", f"https://{HOST}/traced")


def logged(folder: Path, name: str) -> list[bytes]:
    return [line for line in (folder / f"{name}.json").read_bytes().split(b"\n") if b'traced"' in line]


def test_a_request_is_one_trace_from_the_edge_to_the_workload(start: Any, tmp_path: Path) -> None:
    told = asked(start(1.0)).split()
    wait_until(lambda: logged(tmp_path, "haproxy") and logged(tmp_path, "gateway"), "both logs' lines")
    edge = span_of(logged(tmp_path, "haproxy")[0], "edge", {"generation": "7"})
    gateway = span_of(logged(tmp_path, "gateway")[0], "gateway", {"region": "eu-west-1"})
    assert edge and gateway
    _version, trace, parent, flags = told[0].split("-")
    assert edge["traceId"] == gateway["traceId"] == trace != FORGED[0]
    assert "parentId" not in edge and gateway["parentId"] == edge["id"] and parent == gateway["id"] and flags == "01"
    assert told[1] == ".", "a stranger's b3 went on"
    assert 0 <= gateway["timestamp"] - edge["timestamp"] <= edge["duration"] + 1000
    assert edge["tags"] | {"request_id": ""} == {
        "request_id": "", "http.method": "GET", "http.path": "/traced", "http.status_code": "200", "country": "ZZ",
        "geography": edge["tags"]["geography"], "region": edge["tags"]["region"], "retries": "0", "generation": "7",
    }


def test_a_request_that_is_not_drawn_carries_no_trace_whatever_it_brings(start: Any, tmp_path: Path) -> None:
    assert asked(start(0.000001)).split() == ["."]
    wait_until(lambda: logged(tmp_path, "haproxy") and logged(tmp_path, "gateway"), "both logs' lines")
    lines = [logged(tmp_path, name)[0] for name in ("haproxy", "gateway")]
    assert [json.loads(line)["trace"] for line in lines] == ["-", "-"]
    assert [span_of(line, "any", {}) for line in lines] == [None, None]
