# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes and what surrounds every request: limits, faults, metrics, spans, access log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import Span
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from . import __version__, auth, trace, upstream
from .config import DELAY_CAP_SECONDS, Config
from .metrics import CONTENT_TYPE, Metrics
from .replay import Replays
from .server import HEADER_BYTES, answer

REFERENCE_MODEL = "reference-1"
QUIET = ("/api/health", "/api/live")
ROUTES = (*QUIET, "/api/models", "/api/verify")
METHODS = ("GET", "HEAD", "POST")
ONCE = (b"authorization", b"idempotency-key")  # two of one of these would let two readers see two requests
CLIENT_GONE = 499


class BadBody(Exception):
    """The body isn't what the route wants; the text says what it wants."""


def log(config: Config, message: str, **fields: Any) -> None:
    """Write one JSON line to standard output."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "message": message,
            "region": config.region, "cluster": config.cluster, **fields}
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


@dataclass
class Exchange:
    """One request on its way; ``status`` is 0 until an answer begins."""

    scope: Scope
    method: str
    route: str
    headers: dict[str, str]
    span: Span
    status: int = 0
    sent: int = 0


class App:
    """Answers requests of the API port and, on another, for metrics."""

    def __init__(self, config: Config, metrics_port: int = 0) -> None:
        self.config = config
        self.draining = False
        self.metrics = Metrics(config.region, config.cluster, __version__, config.image_digest)
        self.tracer = trace.Tracer(config.zipkin_endpoint, config.sample_ratio,
                                   {"region": config.region, "cluster": config.cluster}, self.metrics.spans_dropped.inc)
        self.upstream = upstream.Upstream(config)
        self._metrics_port = metrics_port
        self._fault_turn = 0
        self._replays = Replays(time.monotonic)
        self._routes = Starlette(
            routes=[Route("/api/health", self._health), Route("/api/live", self._live),
                    Route("/api/models", self._models), Route("/api/verify", self._verify, methods=["POST"])],
            exception_handlers={HTTPException: _refusal})
        self._routes.router.redirect_slashes = False
        self._identity = [(name.encode(), text.encode("latin-1", "replace")) for name, text in (
            ("x-region", config.region), ("x-cluster", config.cluster), ("x-image-digest", config.image_digest))]

    @property
    def ready(self) -> bool:
        """Whether the process wants traffic."""
        return not (self.draining or self.config.faults.not_ready)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["server"][1] == self._metrics_port:
            await self._show_metrics(scope)(scope, receive, send)
            return
        start = time.monotonic()
        headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = scope["path"] if scope["path"] in ROUTES else "other"
        span = self.tracer.server(f"{method.lower()} {route}", headers)
        exchange = scope["exchange"] = Exchange(scope, method, route, headers, span)
        self.metrics.inflight.inc()
        try:
            await self._answer(exchange, receive, self._sender(exchange, send))
        finally:
            self.metrics.inflight.dec()
            self._finish(exchange, time.monotonic() - start)

    def _sender(self, exchange: Exchange, send: Send) -> Send:
        more = [*self._identity, (b"x-trace-id", trace.trace_id(exchange.span).encode())]

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], *more]
                if self.draining:
                    message["headers"].append((b"connection", b"close"))
            else:
                exchange.sent += len(message.get("body", b""))
            await send(message)

        return sender

    async def _answer(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        scope, response = exchange.scope, None
        try:
            response = self._refused(exchange) or await self._fault(exchange)
            if response is None:
                await self._routes(scope, receive, send)
        except ClientDisconnect:
            exchange.status = exchange.status or CLIENT_GONE
        except Exception as error:  # the last line of defence: a defined answer, no text of the error
            log(self.config, "error", error=type(error).__name__, trace_id=trace.trace_id(exchange.span))
            response = None if exchange.status else answer(500, {"error": "internal error"})
        if response is not None:
            await response(scope, receive, send)

    def _refused(self, exchange: Exchange) -> Response | None:
        pairs = exchange.scope["headers"]
        if sum(len(name) + len(text) for name, text in pairs) > HEADER_BYTES:
            return answer(431, {"error": "headers are too large"}, Connection="close")
        names = [name for name, _text in pairs]
        for name in ONCE:
            if names.count(name) > 1:
                return answer(400, {"error": f"{name.decode()} given twice"})
        if {"transfer-encoding", "content-length"} <= exchange.headers.keys():  # h11 lets the first one win
            return answer(400, {"error": "transfer-encoding and content-length"}, Connection="close")
        if int(exchange.headers.get("content-length", "0")) > self.config.max_body_bytes:
            return answer(413, {"error": "body is too large"}, Connection="close")
        return None

    async def _fault(self, exchange: Exchange) -> Response | None:
        """Do what is to be injected into this request: all below the path, or every n-th of them."""
        faults = self.config.faults
        if not (faults.delay_seconds or faults.status) or not exchange.scope["path"].startswith(faults.path):
            return None
        self._fault_turn += 1
        if self._fault_turn % faults.every:
            return None
        await asyncio.sleep(faults.delay_seconds)
        return answer(faults.status, {"error": "injected fault"}) if faults.status else None

    def _finish(self, exchange: Exchange, seconds: float) -> None:
        status, config = exchange.status or 500, self.config
        self.metrics.observe(exchange.method, exchange.route, status, seconds)
        if exchange.route in QUIET and status < 400 and not config.log_health:
            return
        span, client = exchange.span, exchange.scope.get("client") or ("", 0)
        span.set_attributes({"http.method": exchange.method, "http.path": exchange.route, "http.status_code": status})
        span.end()
        log(config, "request", method=exchange.scope["method"][:16], path=exchange.scope["path"][:256], status=status,
            duration_ms=round(seconds * 1000, 3), bytes=exchange.sent, remote=client[0], trace_id=trace.trace_id(span),
            request_id=exchange.headers.get("x-request-id", "")[:64])

    def _show_metrics(self, scope: Scope) -> Response:
        if scope["path"] != "/metrics":
            return answer(404, {"error": "not found"})
        return Response(self.metrics.render(), headers={"content-type": CONTENT_TYPE})

    async def _health(self, _request: Request) -> Response:
        config, ready = self.config, self.ready
        status = "ok" if ready else "draining" if self.draining else "not ready"
        return answer(200 if ready else 503, {
            "status": status, "ready": ready, "region": config.region, "cluster": config.cluster,
            "version": __version__, "image_digest": config.image_digest}, Cache_Control="no-store")

    async def _live(self, _request: Request) -> Response:
        return answer(200, {"status": "ok"}, Cache_Control="no-store")

    async def _models(self, _request: Request) -> Response:
        models = [{"id": REFERENCE_MODEL, "provider": "reference"}]
        models += [{"id": f"{name}/*", "provider": name} for name in upstream.providers(self.config)]
        return answer(200, {"models": models})

    async def _verify(self, request: Request) -> Response:
        exchange: Exchange = request.scope["exchange"]
        headers = exchange.headers
        try:
            claims = auth.verify(auth.bearer(headers.get("authorization", "")), self.config.jwt_keys)
        except auth.TokenError as error:
            return answer(401, {"error": str(error)}, WWW_Authenticate="Bearer")
        try:
            body = await self._body(request)
            wish = _wish(body)
        except BadBody as error:
            return answer(400, {"error": str(error)})
        owner, key = str(claims.get("sub", "")), headers.get("idempotency-key", "")
        return await self._replays.answer(owner, key, body, lambda: self._work(wish, owner, key, exchange.span))

    async def _body(self, request: Request) -> bytes:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self.config.max_body_bytes:
                raise HTTPException(413, "body is too large", {"Connection": "close"})
        return body

    async def _work(self, wish: dict[str, Any], owner: str, key: str, span: Span) -> Response:
        await asyncio.sleep(wish["delay_seconds"])
        provider, _, model = wish["model"].partition("/")
        try:
            if provider in upstream.providers(self.config):
                text = await self._ask(provider, model, wish["prompt"], span)
            elif wish["model"] == REFERENCE_MODEL:
                text = hashlib.sha256(wish["prompt"].encode()).hexdigest()[:16]
            else:
                return answer(404, {"error": "no such model: see /api/models"})
        except upstream.UpstreamError as error:
            return answer(502, {"error": str(error)})
        # The same key makes the same identifier in every replica and region, so that a retry elsewhere agrees.
        name = json.dumps([owner, key, wish], sort_keys=True)
        identifier = uuid.uuid5(uuid.NAMESPACE_URL, name) if key else uuid.uuid4()
        return answer(200, {"id": str(identifier), "model": wish["model"], "verified": bool(text), "answer": text})

    async def _ask(self, provider: str, model: str, prompt: str, parent: Span) -> str:
        with self.tracer.client(f"ask {provider}", parent, {"model": model}) as span:
            return await self.upstream.ask(provider, model, prompt, trace.carry(span))


async def _refusal(_request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses: no such path, no such method."""
    status, text, headers = 500, "", None
    if isinstance(error, HTTPException):
        status, text, headers = error.status_code, error.detail.lower(), error.headers
    response = answer(status, {"error": text})
    response.headers.update(headers or {})
    return response


def _wish(body: bytes) -> dict[str, Any]:
    """Return model, prompt and delay (seconds, capped) of a body; raise BadBody."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadBody("the body must be a JSON object")
    model, prompt, delay = value.get("model", REFERENCE_MODEL), value.get("prompt", ""), value.get("delay_seconds", 0)
    if not isinstance(model, str) or not isinstance(prompt, str):
        raise BadBody("model and prompt must be strings")
    if isinstance(delay, bool) or not isinstance(delay, (int, float)) or not delay >= 0:
        raise BadBody("delay_seconds must be a number of at least 0")
    return {"model": model, "prompt": prompt, "delay_seconds": float(min(delay, DELAY_CAP_SECONDS))}
