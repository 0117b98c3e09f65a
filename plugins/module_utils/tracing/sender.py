# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the spans of a node's HAProxy to the collector: `python3 span-sender.pyz settings.json`.

Requests never wait for it. What a collector that is away doesn't get in time is dropped, the oldest first.
"""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..providers.haproxy import state
from .follow import Follower
from .spans import span_of

EVERY_SECONDS = 1.0
AGAIN_SECONDS = 5.0
POST_SECONDS = 3.0
KEPT, BATCH = 5000, 500
SPANS = "/api/v2/spans"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is read, and where it goes.

    Attributes:
        service: the name of who wrote the logs.
        files: patterns of the access logs' paths.
        tags: tags of every span.
        running: a file that is made once it runs; empty for none.
        state_file: HAProxy's, whose generation (what this edge has applied) becomes a tag; empty for none.
        host, port: the collector, which shows and asks for a certificate.
        ca, certificate, key: files of the routing authority.
    """

    service: str
    files: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    state_file: str = ""
    running: str = ""
    host: str
    port: int
    ca: str
    certificate: str
    key: str


class Sender:
    """Spans that wait for the collector."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.waiting: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._context = ssl.create_default_context(cafile=settings.ca)
        self._context.load_cert_chain(settings.certificate, settings.key)
        self._trouble = ""

    def take(self, follower: Follower) -> None:
        """Read what the logs have since got."""
        made = (span_of(line, self.settings.service, self.settings.tags) for line in follower.lines())
        spans = [span for span in made if span is not None]
        generation = self._generation() if spans else {}
        for span in spans:
            span["tags"].update(generation)
        self.waiting.extend(spans)

    def send(self) -> bool:
        """Post what waits; whether nothing is left. A collector's trouble is told once."""
        while self.waiting:
            batch = list(islice(self.waiting, BATCH))
            trouble = self._post(batch)
            if trouble and trouble != self._trouble:
                _say(f"the collector takes no spans: {trouble}")
            self._trouble = trouble
            if trouble:
                return False
            for _span in batch:
                self.waiting.popleft()
        return True

    def _post(self, batch: Sequence[Mapping[str, Any]]) -> str:
        """Send spans; what went wrong, or nothing. Those that it refuses as such would be refused again."""
        settings = self.settings
        link = http.client.HTTPSConnection(settings.host, settings.port, timeout=POST_SECONDS, context=self._context)
        try:
            link.request("POST", SPANS, json.dumps(batch), {"Content-Type": "application/json"})
            status = link.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            link.close()
        if 400 <= status < 500:
            _say(f"the collector refused {len(batch)} spans with status {status}")
            return ""
        return "" if status < 300 else f"status {status}"

    def _generation(self) -> dict[str, str]:
        if not self.settings.state_file:
            return {}
        try:
            return {"generation": str(state.generation(Path(self.settings.state_file).read_text("utf-8")))}
        except (OSError, ValueError):
            return {}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to end; its exit status."""
    path = (sys.argv[1:] if argv is None else argv)[0]
    raw: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    settings = Settings(**{**raw, "files": tuple(raw["files"])})
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: ended.set())
    sender, follower = Sender(settings), Follower(settings.files)
    if settings.running:
        Path(settings.running).touch()
    wait = EVERY_SECONDS
    while not ended.wait(wait):
        sender.take(follower)
        wait = EVERY_SECONDS if sender.send() else AGAIN_SECONDS
    follower.close()
    return 0
