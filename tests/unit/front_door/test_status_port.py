# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page through a real HAProxy: on the metrics port, for listed networks, from the agent's own server."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.metrics import MetricsServer
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import blocks, status
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy.settings import Settings


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def ask(port: int, path: str, method: str = "GET") -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Security-Policy", "")
    finally:
        connection.close()


@contextmanager
def haproxy(folder: Path, settings: Settings) -> Iterator[int]:
    """The metrics port of an edge in the Debian tree."""
    cache = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
    trees = [path for path in sorted((cache / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
    if not trees or os.geteuid() != 0:
        pytest.skip("needs root and the Debian tree, which `make site` builds")
    parts = [blocks.defaults_section(settings), status.frontend(settings), status.backend(settings)]
    (folder / "haproxy.cfg").write_text("global\n  maxconn 100\n" + "".join(parts))
    enter = 'mount --bind "$0" "$1/mnt" && exec chroot "$@"'
    command = ["unshare", "-m", "sh", "-c", enter, str(folder), str(trees[-1]), "haproxy", "-db", "-f"]
    process = subprocess.Popen([*command, "/mnt/haproxy.cfg"], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", settings.metrics_port)) == 0:
                    break
            time.sleep(0.05)
        yield settings.metrics_port
    finally:
        process.terminate()
        process.wait(10)


def test_listed_networks_read_the_page_and_nothing_else_changes(tmp_path: Path) -> None:
    www = tmp_path / "www"
    www.mkdir()
    (www / "index.html").write_text("the page")
    agent = MetricsServer(0, list, lambda: "", www)
    agent.start()
    settings = Settings(metrics_port=free_port(), status_port=agent.server_address[1])
    try:
        with haproxy(tmp_path, settings) as port:
            status_code, body, policy = ask(port, "/status/")
            assert (status_code, body) == (200, b"the page") and policy.startswith("default-src 'none'")
            assert ask(port, "/status")[0] == 308
            assert ask(port, "/status/../healthz")[0] == 404, "the agent's other paths stay on loopback"
            assert ask(port, "/status/", "POST")[0] == 405
            assert ask(port, "/")[:2] == (200, b"ready") and ask(port, "/healthz")[1] == b"ready"
            assert b"haproxy_process" in ask(port, "/metrics")[1]
            agent.shutdown()
            agent.server_close()
            assert ask(port, "/status/")[0] == 503
    finally:
        agent.server_close()


def test_others_get_no_connection(tmp_path: Path) -> None:
    settings = Settings(metrics_port=free_port(), metrics_networks=("192.0.2.0/24",))
    with haproxy(tmp_path, settings) as port, pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(port, "/status/")


def test_without_a_port_there_is_no_page(tmp_path: Path) -> None:
    settings = Settings(metrics_port=free_port(), status_port=0)
    with haproxy(tmp_path, settings) as port:
        assert ask(port, "/status/")[:2] == (200, b"ready")
