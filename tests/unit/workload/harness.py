# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verifier of one's own on loopback."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).resolve().parents[3] / "roles/image_build/files/llm_verifier"
SECRET, PREVIOUS, API_KEY = "current-key-of-the-ring", "previous-key-of-the-ring", "sk-openai-key"
ENVIRONMENT = {"REGION": "eu-west-1", "CLUSTER_NAME": "eu-1", "JWT_SECRET": SECRET, "JWT_SECRET_PREVIOUS": PREVIOUS,
               "OPENAI_API_KEY": API_KEY, "IMAGE_DIGEST": "sha256:abc", "BIND": "127.0.0.1", "PORT": "0",
               "METRICS_PORT": "0", "DRAIN_SECONDS": "0", "SHUTDOWN_SECONDS": "5"}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(key: str = SECRET, alg: str = "HS256", **claims: Any) -> str:
    """Return a signed token that is valid for an hour unless the claims say otherwise; None takes a claim away."""
    claims = {"sub": "me", "exp": time.time() + 3600, **claims}
    said = {name: value for name, value in claims.items() if value is not None}
    signed = f"{_part({'alg': alg, 'typ': 'JWT'})}.{_part(said)}"
    name = {"HS512": "sha512"}.get(alg, "sha256")
    signature = b"" if alg.lower() == "none" else hmac.digest(key.encode(), signed.encode(), name)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Verifier:
    """A running process."""

    process: subprocess.Popen[str]
    port: int = 0
    metrics_port: int = 0
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread = field(default_factory=threading.Thread)

    def listen(self) -> None:
        """Learn the ports from the first line, then keep reading, so that the process never waits for its log."""
        output = self.process.stdout
        assert output
        self.lines.append(output.readline())
        first = json.loads(self.lines[0])
        self.port, self.metrics_port = first["port"], first["metrics_port"]
        self.reader = threading.Thread(target=lambda: self.lines.extend(output), daemon=True)
        self.reader.start()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        if self.reader.ident:
            self.reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    def ask(self, method: str, path: str, body: Any = None, *, port: int = 0, **headers: Any) -> Answer:
        """Send one request on a connection of its own; header names with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, payload, {name.replace("_", "-"): text for name, text in headers.items()})
            reply = connection.getresponse()
            return Answer(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def verify(self, body: Any = None, key: str = "", bearer: str | None = None) -> Answer:
        """POST /api/verify with a valid token unless another is given."""
        headers: dict[str, Any] = {"Authorization": f"Bearer {token() if bearer is None else bearer}"}
        if key:
            headers["Idempotency_Key"] = key
        return self.ask("POST", "/api/verify", {"prompt": "hello"} if body is None else body, **headers)

    def end(self) -> tuple[int, str]:
        """Terminate it; return its exit code and all that it wrote."""
        self.process.terminate()
        code = self.process.wait(15)
        self.reader.join()
        return code, "".join(self.lines)


def exchange(connection: socket.socket, request: bytes) -> int:
    """Send one request on a connection that stays open, read its whole answer and return the status."""
    connection.sendall(request)
    with http.client.HTTPResponse(connection) as reply:
        reply.begin()
        reply.read()
        return reply.status


def spawn(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-B", "-m", "verifier"], cwd=APP, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], **environment})


@pytest.fixture
def start() -> Iterator[Callable[..., Verifier]]:
    """Start a verifier with more environment; all end with the test."""
    started: list[Verifier] = []

    def starter(**environment: str) -> Verifier:
        verifier = Verifier(spawn({**ENVIRONMENT, **environment}))
        started.append(verifier)
        verifier.listen()
        return verifier

    yield starter
    for verifier in started:
        verifier.kill()


@pytest.fixture(scope="module")
def shared() -> Iterator[Verifier]:
    """One verifier for tests that don't end it."""
    verifier = Verifier(spawn(ENVIRONMENT))
    verifier.listen()
    yield verifier
    verifier.kill()


def redirect(handler: BaseHTTPRequestHandler, status: int, place: str) -> None:
    """Answer a request by naming another address."""
    handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    handler.send_response(status)
    handler.send_header("Location", place)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@contextmanager
def listening(reply: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on loopback that answers everything like that; its address."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply(self)

        do_GET = do_POST

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    """Take what is posted; return where to and the list of bodies with path and headers."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taken.append({"path": self.path, "headers": dict(self.headers), "body": None})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.append({"path": self.path, "headers": dict(self.headers), "body": body})
            answer = json.dumps({"choices": [{"message": {"content": "yes"}}]}).encode()
            self.send_response(202 if "spans" in self.path else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", taken
    server.shutdown()
    server.server_close()
    thread.join()
