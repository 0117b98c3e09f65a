# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A door on loopback of the control host: what is said there goes on by mutual TLS to the first place that answers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 3.0
_PART = 65536
_NOBODY = b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 14\r\n\r\nnobody answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a door leads to, and the certificate that is shown there."""

    name: str
    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What the connection is secured by. Raises OSError where a file is missing or none of a certificate."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.certificate, self.key)
        return context


async def serve(places: Sequence[Place], port: int, opened: Callable[[int], None]) -> None:
    """Keep the door open until SIGINT or SIGTERM; `opened` is told its port, which is a free one where 0 is wanted.

    Raises OSError where the port is taken.
    """
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    inside: set[asyncio.Task[None]] = set()

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:  # it always is one: asyncio starts a task for every connection
            inside.add(task)
        try:
            await _led_on(places, reader, writer)
        finally:
            inside.discard(task)

    server = await asyncio.start_server(came, "127.0.0.1", port)
    opened(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()
    for task in inside:
        task.cancel()
    await asyncio.gather(*inside, return_exceptions=True)


async def _led_on(places: Sequence[Place], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        far = await _first(places)
        if far is None:
            writer.write(_NOBODY)
            with contextlib.suppress(OSError):
                await writer.drain()
            return
        with contextlib.closing(far[1]):
            await asyncio.gather(_pass(reader, far[1]), _pass(far[0], writer))


async def _first(places: Sequence[Place]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    for place in places:
        try:
            async with asyncio.timeout(SECONDS):  # wait_for would lose the end of the program
                return await asyncio.open_connection(place.host, place.port, ssl=place.context())
        except (TimeoutError, OSError):
            continue
    return None


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Hand on what comes until its end, which ends the other side as well."""
    with contextlib.suppress(OSError):
        while part := await source.read(_PART):
            target.write(part)
            await target.drain()
    target.close()
