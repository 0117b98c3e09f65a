# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`server.py PORT DATABASE`: /ready writes to the database, /api/health tells who answers."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATABASE = sys.argv[2]
SAID = {"/ready": "INSERT INTO asked DEFAULT VALUES", "/api/health": "SELECT 1"}


class Handler(BaseHTTPRequestHandler):
    """No header but those that HTTP wants."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, 404 for what there isn't."""
        known = self.path in SAID
        count = 0
        if known:
            with sqlite3.connect(DATABASE, timeout=5) as database:
                database.execute(SAID[self.path])
                (count,) = database.execute("SELECT count(*) FROM asked").fetchone()
        body = {"who": os.environ["WHO"], "user": os.getuid(), "asked": count, "signs": "JWT_SECRET" in os.environ}
        text = json.dumps(body).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    with sqlite3.connect(DATABASE) as made:
        made.execute("CREATE TABLE IF NOT EXISTS asked (id INTEGER PRIMARY KEY)")
    ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
