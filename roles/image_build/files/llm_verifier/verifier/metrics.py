# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in a registry of their own; methods and paths are routes, so that the series stay few."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from .server import Door

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PLACE = ("region", "cluster")

disable_created_metrics()


class Metrics:
    """Counters and histograms of one process."""

    def __init__(self, region: str, cluster: str, version: str, digest: str) -> None:
        self._place = (region, cluster)
        self._registry = CollectorRegistry()
        self._requests = Counter("http_requests", "Finished requests.", (*_PLACE, "method", "path", "code"),
                                 registry=self._registry)
        self._seconds = Histogram("http_request_duration_seconds", "Time to answer a request.",
                                  (*_PLACE, "method", "path"), buckets=BUCKETS, registry=self._registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.inflight = self._gauge("http_requests_in_flight", "Requests being answered.")
        self.refused = self._counter("http_connections_refused", "Connections over the limit.")
        self.spans_dropped = self._counter("llm_verifier_spans_dropped", "Spans that could not be sent.")
        Gauge("llm_verifier_build_info", "What runs.", (*_PLACE, "version", "digest"),
              registry=self._registry).labels(region, cluster, version, digest).set(1)
        ProcessCollector(registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, _PLACE, registry=self._registry).labels(*self._place)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, _PLACE, registry=self._registry).labels(*self._place)

    def watch(self, door: Door, ready: Callable[[], float]) -> None:
        """Say where connections and readiness are read when somebody asks."""
        door.on_refused = self.refused.inc
        self._gauge("http_connections", "Open connections.").set_function(lambda: door.open)
        self._gauge("llm_verifier_ready", "1 while the process wants traffic.").set_function(ready)

    def observe(self, method: str, path: str, code: int, seconds: float) -> None:
        """Count one finished request and how long it took (seconds)."""
        name = (method, path, code)
        if name not in self._children:
            self._children[name] = (self._requests.labels(*self._place, method, path, str(code)),
                                    self._seconds.labels(*self._place, method, path))
        count, histogram = self._children[name]
        count.inc()
        histogram.observe(seconds)

    def render(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self._registry)
