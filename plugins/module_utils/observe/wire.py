# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP/1.1 question over TLS, and the trust that it needs; nothing is ever asked twice."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from typing import Any

LARGEST_BODY = 4 << 20  # bytes; the answer of a Prometheus about a hundred regions has a tenth of it


class WireError(Exception):
    """No whole answer came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `not_after` is the end of the server's certificate as Python's ssl writes it, empty without TLS."""

    status: int
    body: bytes
    not_after: str = ""


class Trust:
    """TLS contexts, made anew when a file they are made from has changed."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], tuple[tuple[int, ...], ssl.SSLContext]] = {}

    def context(self, ca_file: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
        """A client's context. Raises OSError (ssl.SSLError is one) for files that can't be read or don't fit."""
        files = (ca_file, certificate, key)
        stamp = tuple(os.stat(path).st_mtime_ns for path in files if path)
        known = self._made.get(files)
        if known and known[0] == stamp:
            return known[1]
        context = ssl.create_default_context(cafile=ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate:
            context.load_cert_chain(certificate, key or None)
        self._made[files] = (stamp, context)
        return context


@dataclass(slots=True)
class Connection:
    """An open connection to one server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, host: str, path: str, close: bool) -> Reply:
        """GET `path`. Raises WireError or OSError."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: llm-verifier-observer", "Accept: */*"]
        lines.append(f"Connection: {'close' if close else 'keep-alive'}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        await self.writer.drain()
        status, body = await read_reply(self.reader)
        certificate: dict[str, Any] = self.writer.get_extra_info("peercert") or {}
        return Reply(status, body, str(certificate.get("notAfter", "")))

    def drop(self) -> None:
        """Close at once, without a farewell that a dead peer would never answer."""
        self.writer.transport.abort()


async def connect(address: str, port: int, context: ssl.SSLContext | None, name: str) -> Connection:
    """Open a connection; with a context by TLS to a server that must be `name`. Raises OSError."""
    options: dict[str, Any] = {"ssl": context, "server_hostname": name} if context else {}
    reader, writer = await asyncio.open_connection(address, port, limit=1 << 16, **options)
    return Connection(reader, writer)


async def read_reply(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of one answer. Raises WireError or OSError."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        pairs = (line.partition(":") for line in head[1:])
        headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return status, await _read_chunks(reader)
        if "content-length" in headers:
            return status, await reader.readexactly(min(int(headers["content-length"]), LARGEST_BODY))
        return status, await reader.read(LARGEST_BODY)
    except (EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise WireError("no whole HTTP answer") from error


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if size < 0 or len(body) + size > LARGEST_BODY:
            raise ValueError("too large")
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
