# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics, health and status page of the agent, on loopback; metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from .pages import page
from .serving import Server

Sample = tuple[str, dict[str, str], float]
"""Name without the prefix, labels, value."""

PREFIX = "routing_agent_"
HELP = {
    "active": ("gauge", "1 on the edge that decides."),
    "epoch": ("gauge", "How often an active edge was chosen."),
    "generation": ("gauge", "Generation of the decision in force."),
    "admission": ("gauge", "Ratio of its normal weight that a region gets."),
    "phase": ("gauge", "1 for the phase that a region is in."),
    "verdict": ("gauge", "1 for what the observations say of a region."),
    "log_head": ("gauge", "1 for the hash of the last line of the decision log."),
    "orders": ("gauge", "Operators' orders in force."),
    "ticks_total": ("counter", "Rounds of the loop."),
    "tick_seconds": ("gauge", "How long the last round took."),
    "tick_age_seconds": ("gauge", "Time since the last round."),
    "failures": ("gauge", "What isn't as decided after the last round."),
    "state_refused": ("gauge", "1 while the state on disk can't be used."),
    "peer_reached": ("gauge", "1 for an edge that answered in the last round."),
    "clock_ahead_seconds": ("gauge", "How far the machine's clock is ahead of the engine's."),
}


def text(samples: Iterable[Sample]) -> str:
    """The samples as Prometheus reads them. Raises KeyError for a name without help."""
    lines: list[str] = []
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample[0], []).append(sample)
    for name, found in by_name.items():
        kind, about = HELP[name]
        lines += [f"# HELP {PREFIX}{name} {about}", f"# TYPE {PREFIX}{name} {kind}"]
        for _name, labels, value in found:
            inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
            lines.append(f"{PREFIX}{name}{{{inner}}} {value:.10g}" if inner else f"{PREFIX}{name} {value:.10g}")
    return "\n".join([*lines, ""])


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MetricsServer(Server):
    """Serves `/metrics`, `/healthz` (200 or 503, with the reason) and, below `/status/`, the files of `pages`."""

    thread_name = "metrics"

    def __init__(
        self,
        port: int,
        samples: Callable[[], Iterable[Sample]],
        trouble: Callable[[], str],
        pages: Path | None = None,
    ) -> None:
        self.samples, self.trouble, self.pages = samples, trouble, pages
        super().__init__(("127.0.0.1", port), _Asked)


class _Asked(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = 10
    server_version, sys_version = "routing", ""

    def do_GET(self) -> None:
        pages = self.server.pages
        found = page(pages, self.path, self.headers.get("If-None-Match", "")) if pages else None
        if found:
            self._send(found.status, found.headers, found.body)
        elif self.path == "/metrics":
            self._answer(200, text(self.server.samples()))
        elif self.path == "/healthz":
            trouble = self.server.trouble()
            self._answer(503 if trouble else 200, f"{trouble or 'ok'}\n")
        else:
            self._answer(404, "there are /metrics and /healthz\n")

    do_HEAD = do_GET

    def log_message(self, *_words: Any) -> None:
        """Nothing."""

    def _answer(self, status: int, body: str) -> None:
        self._send(status, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}, body.encode())

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
