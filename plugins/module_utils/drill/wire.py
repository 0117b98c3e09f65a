# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 over kept connections, as little as a load client needs."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from dataclasses import dataclass

IDLE_SECONDS = 10.0
MOST_CONNECTIONS = 100  # to one address: a crowd of new connections would make a slow edge slower
LARGEST_BODY = 1 << 20


class WireError(Exception):
    """An attempt failed. ``sent`` tells whether the server may have seen the request."""

    def __init__(self, text: str, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: float

    def alive(self) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing() and time.monotonic() - self.used < IDLE_SECONDS


def _said(error: Exception) -> str:
    """What went wrong, for people."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, EOFError | ConnectionResetError | BrokenPipeError):
        return "connection closed before an answer"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return f"malformed answer ({type(error).__name__})" if not isinstance(error, OSError) else str(error)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """Read one answer; tell whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    fields = (line.partition(":") for line in head[1:])
    headers = {name.strip().lower(): value.strip() for name, _colon, value in fields}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
            if len(body) > LARGEST_BODY:
                raise ValueError("answer too large")
        await reader.readuntil(b"\r\n")
    else:
        body = await reader.readexactly(min(int(headers.get("content-length", "0")), LARGEST_BODY))
    return Answer(status, headers, body), headers.get("connection", "").lower() != "close"


class Pool:
    """Connections to the addresses of one name."""

    def __init__(self, name: str, port: int, tls: ssl.SSLContext | None, connect_seconds: float,
                 handshake_seconds: float) -> None:
        self._name, self._port, self._tls = name, port, tls
        self._connect_seconds, self._handshake_seconds = connect_seconds, handshake_seconds
        self._idle: dict[str, deque[_Connection]] = {}
        self._places: dict[str, asyncio.Semaphore] = {}

    async def _open(self, address: str) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                reader, writer = await asyncio.open_connection(address, self._port)
        except (OSError, TimeoutError) as error:
            raise WireError(f"connect: {_said(error)}", sent=False) from error
        if self._tls is not None:
            try:
                async with asyncio.timeout(self._handshake_seconds):
                    await writer.start_tls(self._tls, server_hostname=self._name)
            except (OSError, TimeoutError) as error:
                writer.transport.abort()
                raise WireError(f"TLS: {_said(error)}", sent=False) from error
        return _Connection(reader, writer, loop.time())

    async def request(self, address: str, message: bytes, seconds: float) -> Answer:
        """Send a message to an address and return its answer within ``seconds``. Raises WireError."""
        place = self._places.setdefault(address, asyncio.Semaphore(MOST_CONNECTIONS))
        try:
            async with asyncio.timeout(seconds):
                await place.acquire()
        except TimeoutError as error:
            raise WireError("all connections are busy", sent=False) from error
        try:
            return await self._request(address, message, seconds)
        finally:
            place.release()

    async def _request(self, address: str, message: bytes, seconds: float) -> Answer:
        idle = self._idle.setdefault(address, deque())
        connection = None
        while idle and connection is None:
            connection = idle.pop()
            if not connection.alive():
                connection.writer.transport.abort()
                connection = None
        connection = connection or await self._open(address)
        try:
            async with asyncio.timeout(seconds):
                connection.writer.write(message)
                await connection.writer.drain()
                answer, again = await _read_answer(connection.reader)
        except (OSError, TimeoutError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            connection.writer.transport.abort()
            raise WireError(_said(error), sent=True) from error
        except asyncio.CancelledError:
            connection.writer.transport.abort()
            raise
        if again:
            connection.used = time.monotonic()
            idle.append(connection)
        else:
            connection.writer.close()
        return answer

    def forget(self, address: str) -> None:
        """Drop the idle connections to an address that did not answer."""
        for connection in self._idle.pop(address, ()):
            connection.writer.transport.abort()

    def close(self) -> None:
        for address in list(self._idle):
            self.forget(address)
