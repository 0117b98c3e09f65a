# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resolver's client: A records of one name, asked again when their time to live is over."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence

from ..dns_message import CNAME, A, Record, decode, encode

TIMEOUT_SECONDS = 1.0
TRIES = 3


class DnsError(Exception):
    """No usable answer; the text says why."""


def usable(records: Sequence[Record]) -> tuple[tuple[str, ...], int]:
    """Return the addresses among an answer's records and the least time to live in seconds.

    Raises DnsError for an answer without addresses.
    """
    addresses = tuple(record.data for record in records if record.kind == A)
    if not addresses:
        raise DnsError("no address")
    return addresses, min(record.ttl for record in records if record.kind in (A, CNAME))


def own_resolver(path: str = "/etc/resolv.conf") -> str:
    """Return the first name server of this machine. Raises DnsError when there is none."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if line.split()[:1] == ["nameserver"]:
                return line.split()[1]
    raise DnsError(f"no nameserver in {path}")


class _Question(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def ask(server: str, port: int, name: str) -> tuple[tuple[str, ...], int]:
    """Ask a resolver, three times at most. Raises DnsError when it gives no address."""
    problem = DnsError("no answer")
    for _try in range(TRIES):
        number = secrets.randbelow(65536)
        transport = None
        try:
            transport, question = await asyncio.get_running_loop().create_datagram_endpoint(
                _Question, remote_addr=(server, port))
            transport.sendto(encode(number, name, A, recursive=True))
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return usable(decode(await question.answer, number))
        except (OSError, TimeoutError) as error:
            problem = DnsError(f"no answer of {server}: {type(error).__name__}")
        except (DnsError, ValueError) as error:
            problem = DnsError(str(error))
        finally:
            if transport is not None:
                transport.close()
    raise problem


class Fixed:
    """Addresses that nobody has to be asked for."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses

    async def addresses(self) -> tuple[str, ...]:
        """Return the addresses."""
        return self._addresses


class Resolver:
    """Addresses of one name, asked for anew when their time to live is over.

    The last ones are used meanwhile, as clients do that keep connections: a resolver that waits for a dead name server
    delays nobody who knows an address.
    """

    def __init__(self, server: str, port: int, name: str) -> None:
        self._server, self._port, self._name = server, port, name
        self._addresses: tuple[str, ...] = ()
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def addresses(self) -> tuple[str, ...]:
        """Return the addresses, empty when there never were any."""
        if time.monotonic() >= self._until and self._asking is None:
            self._asking = asyncio.create_task(self._refresh())
        if not self._addresses and self._asking is not None:
            await asyncio.shield(self._asking)
        return self._addresses

    async def _refresh(self) -> None:
        try:
            self._addresses, ttl = await ask(self._server, self._port, self._name)
        except DnsError:
            ttl = 1
        finally:
            self._asking = None
        self._until = time.monotonic() + max(ttl, 1)
