# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What edges say to each other: JSON over HTTPS, each side known by its certificate."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from .serving import Server

LARGEST = 32 << 20
"""Bytes of a question at most: the state of a thousand regions has a tenth of it."""

SERVER_TIMEOUT = 30.0
"""Seconds that a server waits on an open connection."""

Handler = Callable[[str, Mapping[str, Any]], tuple[int, Mapping[str, Any]]]
"""(the asking edge, its question) to HTTP status and answer."""

Routes = Mapping[tuple[str, str], Handler]
"""(method, path) to what answers it."""


class PeerError(Exception):
    """Another edge wasn't reached or didn't answer; `status` is 0 or the answer's, `answer` what it said."""

    def __init__(self, text: str, status: int = 0, answer: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status, self.answer = status, answer or {}


def names(certificate: Mapping[str, Any] | None) -> set[str]:
    """The DNS names and common names in what `SSLSocket.getpeercert` gives."""
    found = {value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "DNS"}
    subject = (certificate or {}).get("subject", ())
    return found | {value for part in subject for key, value in part if key == "commonName"}


def server_context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS that refuses clients without a certificate of the authority. Raises OSError for unfit files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """The other side of it. Raises OSError for unfit files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    return context


class PeerServer(Server):
    """Answers the edges named in `allowed`; everybody else of the same authority gets 403. One thread a connection."""

    thread_name = "peer"

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext, allowed: Collection[str], routes: Routes
    ) -> None:
        self.context, self.allowed, self.routes = context, frozenset(allowed), routes
        super().__init__(address, _Asked)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake runs in the connection's own thread, so that a slow client holds nobody up."""
        request.settimeout(SERVER_TIMEOUT)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):
            return
        with secured:
            super().finish_request(secured, client_address)


class _Asked(BaseHTTPRequestHandler):
    server: PeerServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_words: Any) -> None:
        """Nothing: metrics count, the decision log tells."""

    def _answer(self) -> None:
        status, answer = self._worked_out()
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _worked_out(self) -> tuple[int, Mapping[str, Any]]:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= LARGEST:
                self.close_connection = True
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"{length} bytes"}
            raw = self.rfile.read(length)
            who = sorted(names(self.connection.getpeercert()) & self.server.allowed)
            if not who:
                return HTTPStatus.FORBIDDEN, {"error": "this certificate is no edge's"}
            handler = self.server.routes.get((self.command, self.path))
            if handler is None:
                return HTTPStatus.NOT_FOUND, {"error": self.path}
            question = json.loads(raw) if raw else {}
            if not isinstance(question, dict):
                return HTTPStatus.BAD_REQUEST, {"error": "no JSON object"}
            return handler(who[0], question)
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except OSError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)}


class _Connection(http.client.HTTPSConnection):
    """Goes to an address, but expects the certificate of a name."""

    def __init__(self, name: str, address: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(address, port, context=context, timeout=timeout)
        self._expected, self._tls = name, context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self._expected)
        except BaseException:
            plain.close()
            raise


class Peer:
    """One other edge. Keeps its connection from question to question; one thread at a time may ask."""

    def __init__(self, name: str, address: str, port: int, context: ssl.SSLContext, timeout: float = 2.0) -> None:
        self.name = name
        self._connection = _Connection(name, address, port, context, timeout)

    def ask(self, method: str, path: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer. Raises PeerError when there is none, or one of another status than 200.

        A connection that was open may have been closed by the other side meanwhile: then one new one is tried.
        """
        body = None if question is None else json.dumps(question, separators=(",", ":")).encode()
        fresh = self._connection.sock is None
        try:
            try:
                status, raw = self._once(method, path, body)
            except (http.client.HTTPException, ConnectionError):
                if fresh:
                    raise
                self.close()
                status, raw = self._once(method, path, body)
            answer = json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise PeerError(f"{self.name}: {error or type(error).__name__}") from error
        if status != HTTPStatus.OK or not isinstance(answer, dict):
            said = answer if isinstance(answer, dict) else {}
            raise PeerError(f"{self.name}: {said.get('error', f'status {status}')}", status, said)
        return answer

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Let the connection go; the next question opens one."""
        self._connection.close()
