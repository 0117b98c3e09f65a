# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running edge: HTTP/2, request ids, its access log, slow clients, port 80, its admin socket, and reloads under load.

Regions are servers that answer with the request id they got; `/held` is answered once a file says so.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy

from .conftest import ROOT
from .test_live_geography import EDGE, HOST, Lab, certificate, front_door, tree

SLOW_CLIENT_SECONDS = 1
PATIENCE = 20.0  # seconds; all but a slow client's end comes at once on an idle machine
TEXTS = {"request_id", "client", "country", "geography", "method", "path", "region", "retries", "tls", "ended"}
NUMBERS = {"time", "status", "milliseconds", "answer_milliseconds", "in", "out"}
REGIONS = """
import http.server, os, ssl, sys, threading, time
folder, addresses = sys.argv[1], sys.argv[2:]
class Region(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    def do_GET(self):
        end = time.monotonic() + 50
        while self.path == "/held" and not os.path.exists(folder + "/release") and time.monotonic() < end:
            open(folder + "/holding", "w").close()
            time.sleep(0.05)
        said = self.headers.get("X-Request-ID", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def log_message(self, *_words):
        pass
class Server(http.server.ThreadingHTTPServer):
    allow_reuse_port, request_queue_size = True, 128
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/tls.crt", folder + "/tls.key")
for address in addresses:
    server = Server((address, 443), Region)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever).start()
"""
# Asks all the time until a file is there: on new connections, or on one as long as it is kept. Then what failed.
LOOP = """
import http.client, json, os, ssl, sys
folder, kept = sys.argv[1], sys.argv[2] == "kept"
context, connection, done, failed = ssl.create_default_context(cafile=folder + "/tls.crt"), None, 0, []
class Connection(http.client.HTTPSConnection):
    def connect(self):
        self.host, name = "10.1.201.10", self.host
        http.client.HTTPConnection.connect(self)
        self.host = name
        self.sock = context.wrap_socket(self.sock, server_hostname=name)
while not os.path.exists(folder + "/stop"):
    try:
        connection = connection or Connection("api.llm-verifier.com", 443, timeout=10)
        connection.request("GET", "/x")
        answer = connection.getresponse()
        answer.read()
        done += 1
        if answer.status != 200:
            failed.append(answer.status)
        if not kept or answer.will_close:
            connection.close()
            connection = None
    except (OSError, http.client.HTTPException) as error:
        failed.append(repr(error))
        connection = None
print(json.dumps([done, failed]))
"""
# Sends bytes and reads until the other end closes: what came, and after how many seconds.
HALF = """
import json, socket, ssl, sys, time
said, came = sys.argv[3].encode("latin-1"), b""
connection = socket.create_connection(("10.1.201.10", int(sys.argv[2])), 30)
if sys.argv[2] == "443":
    connection = ssl.create_default_context(cafile=sys.argv[1] + "/tls.crt").wrap_socket(
        connection, server_hostname="api.llm-verifier.com")
begun = time.monotonic()
connection.sendall(said)
try:
    while part := connection.recv(4096):
        came += part
except OSError as error:
    came += repr(error).encode()
print(json.dumps([came.decode("latin-1"), time.monotonic() - begun]))
"""


class Edge(Lab):
    """An edge's HAProxy as its role runs it, before four regions."""

    def serve(self) -> None:
        """Start regions and edge; its access log is edge.json."""
        table, site = front_door()
        settings = haproxy.Settings(
            certificate="/mnt/tls.crt", ca_file="/mnt/tls.crt", admin_socket="/mnt/admin.sock", ask_socket="",
            state_file="/mnt/servers.state", slow_client_seconds=SLOW_CLIENT_SECONDS, acme_thumbprint="thumb-print",
        )
        for path, text in haproxy.edge(table, site, settings).items():
            (self.folder / Path(path).name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))
        (self.folder / "servers.state").write_text("1\n")
        self.processes.append(self.python(REGIONS, *(region.endpoint for region in table.regions)))
        for region in table.regions:
            self.until(PATIENCE, ["curl", "-sik", f"https://{region.endpoint}/"], "200 OK")
        self.start("sh", "-c", "exec haproxy -W -db -f /mnt/haproxy.cfg >/mnt/edge.json 2>/mnt/errors.log")
        self.master = self.processes[-1].pid
        self.until(PATIENCE, ["curl", "-s", f"http://{EDGE}/api/health"], "ok")

    def python(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a program of Python in the lab's network; the folder is its first argument."""
        argv = [*self._enter, sys.executable, "-c", program, str(self.folder), *words]
        return subprocess.Popen(argv, stdout=subprocess.PIPE)

    def result(self, process: subprocess.Popen[bytes]) -> Any:
        """What a program said, as JSON."""
        return json.loads(process.communicate(timeout=60)[0])

    def curl(self, *words: str) -> str:
        """Head and body of an answer of the TLS port."""
        place = f"{HOST}:443:{EDGE}"
        return self.run("curl", "-si", "--max-time", "20", "--cacert", "/mnt/tls.crt", "--resolve", place, *words)

    def log(self) -> list[str]:
        """The whole lines of the access log so far."""
        return (self.folder / "edge.json").read_text(encoding="utf-8").split("\n")[:-1]

    def logged(self, path: str) -> list[dict[str, Any]]:
        """What the access log has about a path."""
        return [line for line in map(json.loads, self.log()) if line["path"] == path]

    def reload(self) -> None:
        """Reload as the role does; returns once another worker is there."""
        service = yaml.safe_load((ROOT / "roles/global_lb/vars/main.yml").read_text())["global_lb__service"]
        before = self.workers()
        subprocess.run(["sh", "-c", service["reload"]], env={**os.environ, "PID": str(self.master)}, check=True)
        wait_until(lambda: self.workers() - before, "another worker")

    def workers(self) -> set[str]:
        """Process numbers of HAProxy's workers, those too that finish their last requests."""
        return set(Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split())


def wait_until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder, root = tmp_path_factory.mktemp("edge"), tree()
    certificate(folder)
    made = Edge(folder, root)
    try:
        made.serve()
        yield made
    finally:
        for process in reversed(made.processes):
            process.terminate()
            process.communicate(timeout=10)


def test_http_2_is_agreed_on_and_a_request_has_one_id_everywhere(edge: Edge) -> None:
    said = edge.curl("--http2", "-H", "X-Request-ID: forged-by-a-client", f"https://{HOST}/id")
    head, _blank, body = said.partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.lower().splitlines()[1:])
    assert head.startswith("HTTP/2 200")
    assert edge.curl("--http1.1", f"https://{HOST}/old").startswith("HTTP/1.1 200")
    wait_until(lambda: edge.logged("/id"), "the log's line")
    (logged,) = edge.logged("/id")
    assert body == logged["request_id"] and headers["x-request-id"] == body.lower()
    assert len(body) > 8 and "forged" not in body


@pytest.mark.parametrize(
    ("port", "said"),
    [
        (443, "GET / HTTP/1.1\r\nHost: api.llm-verifier.com\r\nX-Half: "),
        (443, "POST / HTTP/1.1\r\nHost: api.llm-verifier.com\r\nContent-Length: 100\r\n\r\nhalf"),
        (80, "GET / HTTP/1.1\r\nHost: api.llm-verifier.com\r\n"),
    ],
    ids=["half a head", "half a body", "half a head on port 80"],
)
def test_half_a_request_is_ended(edge: Edge, port: int, said: str) -> None:
    came, seconds = edge.result(edge.python(HALF, str(port), said))
    assert came.startswith("HTTP/1.1 408 ")
    assert SLOW_CLIENT_SECONDS * 0.9 < seconds < 10, "not the minute that a connection may take else"


def test_port_80_sends_to_tls_but_for_health_and_acme(edge: Edge) -> None:
    def plain(path: str) -> str:
        return edge.run("curl", "-si", "-H", f"Host: {HOST}", f"http://{EDGE}{path}")

    moved = plain("/api/models?all=1")
    assert moved.startswith("HTTP/1.1 308") and f"location: https://{HOST}/api/models?all=1" in moved
    assert plain("/api/health").startswith("HTTP/1.1 200")
    assert plain("/.well-known/acme-challenge/a-token").endswith("\n\na-token.thumb-print")


def test_the_admin_socket_is_for_root_alone(edge: Edge) -> None:
    found = (edge.folder / "admin.sock").stat()
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
    assert (found.st_uid, found.st_gid) == (0, 0)
    (worker, *_others) = edge.workers()
    assert "\nUid:\t0\t" not in Path(f"/proc/{worker}/status").read_text(), "HAProxy itself is not root"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ('/a"b\\c', '/a"b\\c'),
        ("/plain?token=secret", "/plain"),
        ("/\xc3\xa9\xff\x80", None),
        ("/two words and\x01", None),
        ("/" + "long" * 2000, "/" + "long" * 127 + "lon"),
    ],
    ids=["quotes", "query", "no UTF-8", "refused", "long"],
)
def test_every_line_of_the_access_log_is_one_object(edge: Edge, path: str, logged: str | None) -> None:
    before = len(edge.log())
    edge.result(edge.python(HALF, "443", f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"))
    edge.result(edge.python(HALF, "80", f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"))
    wait_until(lambda: len(edge.log()) >= before + 2, "two more lines")
    for line in map(json.loads, edge.log()):
        assert {key for key, value in line.items() if isinstance(value, str)} == TEXTS
        assert {key for key, value in line.items() if isinstance(value, int | float)} == NUMBERS
    assert not logged or edge.logged(logged)
    assert "secret" not in "".join(edge.log())


def test_reloads_lose_no_request(edge: Edge) -> None:
    """Three reloads under load: on new connections, on a kept one, and with a request in flight through them all."""
    loops = [edge.python(LOOP, kind) for kind in ("new", "new", "kept")]
    asked = f"GET /held HTTP/1.1\r\nHost: {HOST}\r\nPrefer: wait=50\r\nConnection: close\r\n\r\n"
    held = edge.python(HALF, "443", asked)
    wait_until((edge.folder / "holding").exists, "the request in flight")
    first = edge.workers()
    for _number in range(3):
        edge.reload()
        time.sleep(0.5)
    assert first & edge.workers(), "the first worker finishes its request"
    (edge.folder / "release").touch()
    came, _seconds = edge.result(held)
    (edge.folder / "stop").touch()
    results = [edge.result(loop) for loop in loops]
    assert came.startswith("HTTP/1.1 200")
    assert all(done > 3 and not failed for done, failed in results), results


def test_a_server_that_goes_and_comes_is_told_with_the_time(edge: Edge) -> None:
    name = front_door()[0].regions[0].name
    for word in ("disable", "enable"):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(edge.folder / "admin.sock"))
            admin.sendall(f"{word} server regions/{name}\n".encode())
            assert admin.recv(1000).strip() == b""

    def told() -> list[str]:
        return [line for line in edge.log() if not line.startswith("{") and f"regions/{name} is" in line]

    wait_until(lambda: len(told()) >= 2, "two lines of the server")
    times = [dt.datetime.fromisoformat(line.split()[0]) for line in told()]
    assert all(abs(dt.datetime.now(dt.UTC) - moment) < dt.timedelta(minutes=1) for moment in times), told()
