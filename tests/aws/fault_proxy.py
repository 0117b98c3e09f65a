# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before an emulator that fails on demand: errors of AWS, connections that end before or after the work."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

ERROR = "<ErrorResponse><Error><Code>{code}</Code><Message>by the test</Message></Error></ErrorResponse>"
S3_ERROR = "<Error><Code>{code}</Code><Message>by the test</Message></Error>"


@dataclass
class Trouble:
    """What goes wrong with the next `times` requests of a method whose path holds a text.

    `kind` is "drop" (nothing was done), "lost" (it was done, the answer is gone), or status and code: "503 SlowDown".
    """

    kind: str
    method: str
    path: str = ""
    times: int = 1


@dataclass
class Proxy:
    """The proxy's address, what goes wrong, and how often it did."""

    target: str
    url: str = ""
    troubles: list[Trouble] = field(default_factory=list)
    met: int = 0

    def next(self, method: str, path: str) -> str:
        """The kind of trouble that this request meets; empty for none."""
        for trouble in self.troubles:
            if trouble.times > 0 and trouble.method == method and trouble.path in path:
                trouble.times -= 1
                self.met += 1
                return trouble.kind
        return ""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    proxy: Proxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_words: Any) -> None:
        return None

    def _pass(self) -> None:
        body = self._body()
        kind = self.proxy.next(self.command, self.path)
        if kind == "drop":
            self.close_connection = True
            return
        if kind and kind != "lost":
            status, code = kind.split()
            form = ERROR if self.path.startswith("/2013-04-01") else S3_ERROR
            self._answer(int(status), [("Content-Type", "text/xml")], form.format(code=code).encode())
            return
        place = urlsplit(self.proxy.target)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("expect", "connection")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content, given = answer.read(), answer.getheaders()
        connection.close()
        if kind == "lost":
            self.close_connection = True
            return
        kept = [(name, value) for name, value in given if name.lower() not in ("content-length", "connection", "date")]
        self._answer(answer.status, kept, content)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass


@contextmanager
def failing(target: str) -> Iterator[Proxy]:
    """A proxy on a free port of 127.0.0.1 before an emulator."""
    proxy = Proxy(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
