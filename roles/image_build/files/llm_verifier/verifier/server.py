# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uvicorn with what it leaves open: bounded connections and patience, a status for every refusal, our own drain."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import h11
from starlette.responses import Response
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

HEADER_BYTES, BACKLOG = 16384, 512


def answer(status: int, value: Any, **headers: str) -> Response:
    """Return ``value`` as a JSON response; header names with _ for -."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value, separators=(",", ":")) + "\n", status, names, "application/json")


@dataclass
class Door:
    """One port: its limits (durations in seconds), how many connections are open, what to do when one is refused."""

    limit: int
    idle_seconds: float = 75.0
    header_seconds: float = 10.0
    open: int = 0
    on_refused: Callable[[], None] = lambda: None


class Protocol(H11Protocol):
    """One connection. ``doors`` are the ports by number."""

    def __init__(self, doors: dict[int, Door], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._doors = doors
        self._door: Door | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        door = self._doors[transport.get_extra_info("sockname")[1]]
        if door.open >= door.limit:
            door.on_refused()
            self.transport = transport
            self._refuse(503, "too many connections")
            return
        self._door = door
        door.open += 1
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(door.idle_seconds, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        if self._door:
            self._door.open -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            # A request has begun: it has to be here as a whole in time, however it trickles.
            if self._patience is None and self._door:
                self._patience = self.loop.call_later(self._door.header_seconds, self.transport.close)
        else:
            self._settle()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP with the status that h11 has for it."""
        self._refuse(getattr(sys.exception(), "error_status_hint", 400), msg)

    def _settle(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, status: int, text: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": text}).encode() + b"\n"
            head = (f"HTTP/1.1 {status} {STATUS_PHRASES[status].decode()}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
            self.transport.write(head.encode() + body)
        self.transport.close()


class Listener(Server):
    """A uvicorn server that leaves signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listener(app: Any, doors: dict[int, Door], shutdown_seconds: float) -> Listener:
    """Return a server of the ports in ``doors``; open requests get ``shutdown_seconds`` when it stops."""
    def protocol(**arguments: Any) -> Protocol:
        return Protocol(doors, **arguments)

    idle = max(door.idle_seconds for door in doors.values())
    return Listener(Config(
        app, http=protocol, loop="asyncio", ws="none", lifespan="off", log_config=None, log_level="error",  # type: ignore[arg-type]
        access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=idle,  # type: ignore[arg-type]
        timeout_graceful_shutdown=shutdown_seconds, backlog=BACKLOG,  # type: ignore[arg-type]
        h11_max_incomplete_event_size=HEADER_BYTES))


def sockets(bind: str, port: int) -> list[socket.socket]:
    """Listen on ``bind`` (empty: every address, also of IPv6 where there is that); port 0 picks one."""
    if bind:
        return [_listen(bind, port)]
    found = [_listen("0.0.0.0", port)]
    with contextlib.suppress(OSError):
        found.append(_listen("::", found[0].getsockname()[1]))
    return found


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.create_server((address, port), family=family, backlog=BACKLOG)
    # Connections inherit it. asyncio sets it only on sockets made with IPPROTO_TCP, and uvicorn writes head and body
    # apart: with Nagle's algorithm each answer would wait 40 ms for an acknowledgement.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
