# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracing: contexts by W3C traceparent or B3, spans to Zipkin. A full queue or a dead collector drops spans,
never requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.propagators.b3 import B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

BATCH, QUEUE, POST_SECONDS, WAIT_SECONDS = 100, 500, 2, 0.5
_CARRIERS = CompositePropagator([B3SingleFormat(), TraceContextTextMapPropagator()])  # the last one that speaks wins


def spans_url(endpoint: str) -> str:
    """Return where spans go: ``host:port`` means ``http://host:port/api/v2/spans``."""
    url = endpoint if "://" in endpoint else f"http://{endpoint}"
    return url if "/" in url.split("://", 1)[1] else f"{url}/api/v2/spans"


class _Exporter(SpanExporter):
    """Counts what another exporter doesn't get rid of; after ``close`` it gives up in bounded time."""

    def __init__(self, exporter: SpanExporter, dropped: Callable[[int], None]) -> None:
        self._exporter, self._dropped = exporter, dropped
        self._until = float("inf")
        self.waiting = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            if time.monotonic() < self._until:
                result = self._exporter.export(spans)
        except Exception:  # whatever the collector or the way to it does
            result = SpanExportResult.FAILURE
        self.waiting -= len(spans)
        if result is not SpanExportResult.SUCCESS:
            self._dropped(len(spans))
        return result

    def close(self) -> None:
        self._until = time.monotonic() + POST_SECONDS

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Processor(BatchSpanProcessor):
    """Drops the newest spans when the queue is full, and counts them."""

    def __init__(self, exporter: _Exporter, dropped: Callable[[int], None]) -> None:
        super().__init__(exporter, max_queue_size=QUEUE + BATCH, max_export_batch_size=BATCH,
                         schedule_delay_millis=WAIT_SECONDS * 1000)
        self._counting, self._dropped = exporter, dropped

    def on_end(self, span: ReadableSpan) -> None:
        if span.context and span.context.trace_flags.sampled:
            if self._counting.waiting >= QUEUE:
                self._dropped(1)
                return
            self._counting.waiting += 1
        super().on_end(span)


class Tracer:
    """Makes spans; one that is never ended is never sent."""

    def __init__(self, endpoint: str, ratio: float, tags: Mapping[str, str], dropped: Callable[[int], None]) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False,
            resource=Resource({"service.name": "llm-verifier", **tags}))
        self._exporter: _Exporter | None = None
        if endpoint:
            import requests  # 7 MiB that only tracing needs
            from opentelemetry.exporter.zipkin.json import ZipkinExporter

            session = requests.Session()
            session.max_redirects = 0  # what is listed is asked, nothing that it names
            zipkin = ZipkinExporter(endpoint=spans_url(endpoint), timeout=POST_SECONDS, session=session)
            self._exporter = _Exporter(zipkin, dropped)
            self._provider.add_span_processor(_Processor(self._exporter, dropped))
        self._tracer = self._provider.get_tracer("verifier")

    def server(self, name: str, headers: Mapping[str, str]) -> Span:
        """Start the span of a request below what its headers (lower-case names) carry."""
        return self._tracer.start_span(name, _CARRIERS.extract(headers, Context()), SpanKind.SERVER)

    def client(self, name: str, parent: Span, attributes: Mapping[str, str]) -> Span:
        """Start the span of a call made for ``parent``."""
        return self._tracer.start_span(name, set_span_in_context(parent, Context()), SpanKind.CLIENT, attributes)

    def close(self) -> None:
        """Send what is left, for at most two posts' time."""
        if self._exporter:
            self._exporter.close()
        self._provider.shutdown()


def trace_id(span: Span) -> str:
    """Return the identifier of a span's trace, 32 hexadecimal digits."""
    return format_trace_id(span.get_span_context().trace_id)


def carry(span: Span) -> dict[str, str]:
    """Return the headers that carry a span to what is called next."""
    headers: dict[str, str] = {}
    _CARRIERS.inject(headers, set_span_in_context(span, Context()))
    return headers
