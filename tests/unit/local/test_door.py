# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door of `make open-…`: on loopback alone, by mutual TLS, to the first edge that answers, until Ctrl-C."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki

SCRIPT = Path(__file__).resolve().parents[3] / "scripts/open.py"


class Program(BaseHTTPRequestHandler):
    """Answers with what the client's certificate says."""

    def do_GET(self) -> None:
        shown: Any = self.connection
        subject = dict(part[0] for part in shown.getpeercert()["subject"])
        body = f"{self.path} for {subject['commonName']} {'x' * 200_000}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Nothing."""


@pytest.fixture(name="state")
def fixture_state(tmp_path: Path) -> Iterator[Path]:
    """A state folder with two edges: nobody listens at the first one."""
    edges, pki = ("edge-1", "edge-2"), tmp_path / "routing-ca"
    wanted = [Wanted(edge, "ca", edge, names=(edge, "127.0.0.1")) for edge in edges]
    ensure_pki(pki, ["ca"], wanted, [], dt.datetime.now(dt.UTC), check=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "edge-2.crt", pki / "edge-2.key")
    context.load_verify_locations(pki / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), Program)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for edge, port in (("edge-1", 1), ("edge-2", server.server_address[1])):
        folder = tmp_path / "nodes" / edge / "node/etc/monitoring"
        folder.mkdir(parents=True)
        (folder / "doors.json").write_text(json.dumps({"prometheus": f"127.0.0.1:{port}", "nobody": "127.0.0.1:1"}))
    yield tmp_path
    server.shutdown()
    server.server_close()


@contextmanager
def opened(state: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The script while it runs, and its first line."""
    environment = {**os.environ, "LLM_VERIFIER_STATE": str(state)}
    process = subprocess.Popen([sys.executable, str(SCRIPT), *words], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert process.stdout
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_leads_to_the_edge_that_answers_until_it_is_told_to_end(state: Path) -> None:
    with opened(state, "prometheus", "0") as (process, said):
        address = said.split()[0]
        assert address.startswith("http://127.0.0.1:") and "edge-1, else edge-2 until Ctrl-C" in said
        for _turn in range(3):
            with urllib.request.urlopen(f"{address}graph", timeout=5) as answer:
                body = answer.read()
            assert body.startswith(b"/graph for edge-2 ") and len(body) > 200_000
        port = int(address.rstrip("/").rpartition(":")[2])
        held = socket.create_connection(("127.0.0.1", port))
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0, "also while a connection is open"
        held.close()


def test_it_listens_on_loopback_alone(state: Path) -> None:
    with opened(state, "prometheus", "0") as (process, said):
        port = int(said.split()[0].rstrip("/").rpartition(":")[2])
        tables = [line.split()[1] for name in ("tcp", "tcp6")
                  for line in Path(f"/proc/{process.pid}/net/{name}").read_text().splitlines()
                  if line.split()[3] == "0A"]  # fmt: skip
        assert [place for place in tables if place.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_nobody_there_is_told(state: Path) -> None:
    with opened(state, "nobody", "0") as (_process, said), pytest.raises(urllib.error.HTTPError, match="502"):
        urllib.request.urlopen(said.split()[0], timeout=5)


def test_what_there_is_not_is_told(state: Path) -> None:
    with opened(state, "grafana") as (process, said):
        assert said.startswith(f"no grafana in {state}: there are nobody, prometheus")
        assert process.wait(5) == 1


def test_a_port_that_is_taken_is_told(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with opened(state, "prometheus", str(taken.getsockname()[1])) as (process, said):
            assert "can't be opened" in said and "PORT" in said
            assert process.wait(5) == 1
