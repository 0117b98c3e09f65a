# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's own rules in a real HAProxy: whatever goes wrong at a region is counted there once."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.config import Config
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.haproxy_counters import (
    ask,
    parse,
    traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.window import Window
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Region, Site

from .conftest import OK, RESET, MakeConfig, Serve, free_port, policy

BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\nConnection: close\r\n\r\nok"
FRONT = """global
  stats socket {folder}/admin.sock mode 600 level admin
defaults
  mode http
  timeout client 60s
  timeout connect 5s
  timeout server 60s
frontend edge
  bind 127.0.0.1:{port}
  tcp-request session set-var(sess.geography) str(all)
  default_backend regions
"""


def misbehave(path: str) -> bytes | None:
    """What region `a` answers to a path."""
    status = re.fullmatch(r"/(5\d\d)", path)
    if status:
        return f"HTTP/1.1 {status[1]} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    if path == "/late":
        time.sleep(1.6)
    return {"/empty": b"", "/reset": RESET, "/broken": BROKEN, "/hang": None}.get(path, OK)


class Edge:
    """A running HAProxy with the edge's rules before regions `a` and `b`."""

    def __init__(self, config: Config, port: int) -> None:
        self.config, self.port = config, port

    def figures(self) -> tuple[str, dict[str, tuple[float, ...]]]:
        return asyncio.run(ask(self.config))

    def grown(self, method: str, path: str, times: int) -> dict[str, tuple[float, float, float]]:
        """(requests, errors, slow) of each region from so many requests."""
        window = Window(600)
        window.add(0, *self.figures())
        for _time in range(times):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request(method, path, body=None if method == "GET" else b"x")
                connection.getresponse().read()
            except (http.client.HTTPException, OSError):
                pass
            finally:
                connection.close()
        time.sleep(0.1)
        window.add(1, *self.figures())
        found = traffic(self.config, window, 5.0)
        return {item.region: (item.requests, item.errors, item.slow) for item in found}


def rules(ports: dict[str, int]) -> str:
    """The edge's backend and table as they are rendered, but for TLS, checks and addresses."""
    regions = [Region(name=name, endpoint="127.0.0.1", order=order) for order, name in enumerate(ports)]
    table = compile_table(policy(latency_seconds=1), regions, 1)
    text = next(iter(haproxy.edge(table, Site(), haproxy.Settings()).values()))
    sections = re.findall(r"^backend (?:regions|slow)\n(?:  .*\n)*", text, re.M)
    assert len(sections) == 2
    lines = [line for line in "".join(sections).splitlines() if not re.search(r"default-server|server-state", line)]
    return re.sub(r"server (\S+) 127.0.0.1:443", lambda found: f"server {found[1]} 127.0.0.1:{ports[found[1]]}",
                  "\n".join(lines)) + "\n"


def start(folder: Path, make_config: MakeConfig, ports: dict[str, int]) -> tuple[Edge, subprocess.Popen[bytes]]:
    cache = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
    trees = [path for path in sorted((cache / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
    if not trees or os.geteuid() != 0:
        pytest.skip("needs root and the Debian tree, which `make site` builds")
    port = free_port()
    (folder / "haproxy.cfg").write_text(FRONT.format(folder="/mnt", port=port) + rules(ports))
    enter = 'mount --bind "$0" "$1/mnt" && exec chroot "$@"'
    command = ["unshare", "-m", "sh", "-c", enter, str(folder), str(trees[-1]), "haproxy", "-db", "-f"]
    process = subprocess.Popen([*command, "/mnt/haproxy.cfg"], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not (folder / "admin.sock").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return Edge(make_config(admin_socket=str(folder / "admin.sock")), port), process


CASES = [
    ("GET", "/fine", {"a": (2, 0, 0), "b": (0, 0, 0)}),
    ("GET", "/500", {"a": (2, 2, 0), "b": (0, 0, 0)}),
    ("GET", "/503", {"a": (2, 2, 0), "b": (2, 0, 0)}),
    ("POST", "/503", {"a": (2, 2, 0), "b": (0, 0, 0)}),
    ("GET", "/empty", {"a": (2, 2, 0), "b": (2, 0, 0)}),
    ("POST", "/empty", {"a": (2, 2, 0), "b": (0, 0, 0)}),
    ("GET", "/reset", {"a": (2, 2, 0), "b": (2, 0, 0)}),
    ("POST", "/reset", {"a": (2, 2, 0), "b": (0, 0, 0)}),
    ("GET", "/broken", {"a": (2, 2, 0), "b": (0, 0, 0)}),
    ("GET", "/hang", {"a": (2, 2, 0), "b": (2, 0, 0)}),
    ("POST", "/late", {"a": (2, 0, 2), "b": (0, 0, 0)}),
]


def test_whatever_fails_at_a_region_is_counted_there_once(
    tmp_path: Path, make_config: MakeConfig, serve: Serve
) -> None:
    edge, process = start(tmp_path, make_config, {"a": serve(misbehave), "b": serve(lambda path: OK)})
    try:
        found = [(method, path, edge.grown(method, path, 2)) for method, path, _expected in CASES]
    finally:
        process.terminate()
        process.wait(10)
    assert found == CASES


def test_a_refused_connection_is_counted_once_too(tmp_path: Path, make_config: MakeConfig, serve: Serve) -> None:
    edge, process = start(tmp_path, make_config, {"a": free_port(), "b": serve(lambda path: OK)})
    try:
        assert edge.grown("POST", "/", 2) == {"a": (2, 2, 0), "b": (2, 0, 0)}
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("said", ["", "Unknown command\n", "Pid: 3\n", "# pxname,svname\nregions,a\n"])
def test_what_is_no_answer_of_haproxy_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        parse(said, "regions")
