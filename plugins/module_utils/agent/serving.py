# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's two servers, of metrics and for the other edges, have in common."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Any, ClassVar


class Server(ThreadingHTTPServer):
    """Serves in a thread of its own, each connection in another one; none of them holds up the end of the program."""

    thread_name: ClassVar[str]
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the client's business."""

    def start(self) -> threading.Thread:
        """Serve until `shutdown`."""
        poll = {"poll_interval": 1.0}
        thread = threading.Thread(target=self.serve_forever, kwargs=poll, name=self.thread_name, daemon=True)
        thread.start()
        return thread
