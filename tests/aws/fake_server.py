# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake's HTTP server, and what goes wrong on the way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .fake_globalaccelerator import HOME, Fake, State
from .service_model import Refused


class Handler(BaseHTTPRequestHandler):
    """One request."""

    fake: Fake
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: in two, each would wait for the other side's delayed acknowledgement
    disable_nagle_algorithm = True

    def log_message(self, *_words: Any) -> None:
        return None

    def do_POST(self) -> None:
        """Any operation."""
        prefix, _dot, operation = self.headers.get("X-Amz-Target", "").partition(".")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.fake.next_fault(operation)
        if fault == "hang":
            time.sleep(2)
        if fault in ("hang", "drop"):
            self.close_connection = True
            return
        if fault and fault != "lost":
            self._answer(int(fault) if fault.isdecimal() else 400, {} if fault.isdecimal() else {"__type": fault})
            return
        scope = f"/{HOME}/globalaccelerator/aws4_request"
        try:
            if prefix != self.fake.model.prefix or scope not in self.headers.get("Authorization", ""):
                raise Refused("UnrecognizedClientException", f"this service answers in {HOME} alone")
            status, found = 200, self.fake.do(operation, json.loads(body))
        except Refused as error:
            status, found = 400, {"__type": error.code, "Message": str(error)}
        if fault == "lost":
            self.close_connection = True
            return
        self._answer(status, found)

    def _answer(self, status: int, content: State) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """Let it answer on a free port of 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
