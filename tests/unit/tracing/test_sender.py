# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender as it runs on a node: packed, with a collector that asks for a certificate, and one that is away."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.bundle import bundle
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import state
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.tracing import sender

from .test_spans import line


class Collector:
    """Takes spans from who shows the certificate; `status` is its answer."""

    def __init__(self, folder: Path) -> None:
        self.spans: list[dict[str, Any]] = []
        self.status = 202
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if collector.status == 202:
                    collector.spans += body
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        context.load_verify_locations(folder / "tls.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=t", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "tls.key"),
         "-out", str(tmp_path / "tls.crt")], check=True, capture_output=True)
    (tmp_path / "log").touch()
    (tmp_path / "servers.state").write_text(state.state_file(41, [], {}))
    return tmp_path


@pytest.fixture(name="collector")
def fixture_collector(folder: Path) -> Iterator[Collector]:
    made = Collector(folder)
    yield made
    made.server.shutdown()
    made.server.server_close()


def raw(folder: Path, port: int) -> dict[str, Any]:
    own = {"ca": "tls.crt", "certificate": "tls.crt", "key": "tls.key", "state_file": "servers.state"}
    paths = {name: str(folder / path) for name, path in own.items()}
    return {"service": "edge", "files": [str(folder / "log")], "tags": {"edge": "edge-1"}, "host": "127.0.0.1",
            "port": port, **paths}


def made_of(folder: Path, port: int) -> sender.Sender:
    return sender.Sender(sender.Settings(**{**raw(folder, port), "files": (str(folder / "log"),)}))


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_what_the_log_gets_is_sent_with_the_generation_in_force(folder: Path, collector: Collector) -> None:
    (folder / "sender.pyz").write_bytes(bundle(sender.__name__))
    (folder / "sender.json").write_text(json.dumps(raw(folder, collector.server.server_port)))
    command = [sys.executable, "-I", "-S", str(folder / "sender.pyz"), str(folder / "sender.json")]

    def told() -> bool:  # what was in the log before it began isn't its to send
        with (folder / "log").open("ab") as stream:
            stream.write(line() + b"\n" + line("-") + b"\n")
        time.sleep(0.2)
        return bool(collector.spans)

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            until(told, "a span arrives")
        finally:
            running.terminate()
        said, _none = running.communicate(timeout=20)
    assert running.returncode == 0 and said == ""
    assert all(span["tags"]["generation"] == "41" and span["tags"]["edge"] == "edge-1" for span in collector.spans)


def test_spans_wait_for_a_collector_that_is_away_and_bad_ones_do_not_block(folder: Path, collector: Collector) -> None:
    sending, follower = made_of(folder, collector.server.server_port), sender.Follower([str(folder / "log")])
    (folder / "log").write_bytes(line() + b"\n")
    sending.take(follower)
    collector.status = 503
    assert not sending.send() and len(sending.waiting) == 1
    collector.status = 202
    assert sending.send() and not sending.waiting and len(collector.spans) == 1
    collector.status = 400
    sending.waiting.append({"id": "bad"})
    assert sending.send() and not sending.waiting
    follower.close()


def test_only_the_latest_wait(folder: Path) -> None:
    sending = made_of(folder, 1)
    sending.waiting.extend({"id": number} for number in range(sender.KEPT + 5))
    assert not sending.send() and len(sending.waiting) == sender.KEPT and sending.waiting[0] == {"id": 5}
