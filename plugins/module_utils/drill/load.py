# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests at a constant rate, whatever the answers do; one JSON line for each.

Runs by itself (standard library only) where the client is: ``python3 -m module_utils.drill.load < settings.json``. It
does what a good client of the service does: asks its resolver and follows the time to live, keeps connections, gives an
address 300 ms to connect and a bounded time to answer, and tries an idempotent request again on another address. A
plain POST is tried again only when it can't have been seen.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from .dns import Fixed, Resolver, own_resolver
from .wire import Answer, Pool, WireError

RETRY_STATUS = frozenset({502, 503, 504})
AVOID_SECONDS = 5.0


@dataclass(frozen=True)
class Settings:
    """What to send where. Times in seconds, rates in requests a second.

    ``plain_rate`` is the rate of POSTs without Idempotency-Key, besides ``rate``. At each of ``long_at`` seconds goes
    out a plain POST that the service works on for ``long_seconds``. An empty ``resolver`` is the machine's own. Nothing
    more is sent once there is a file ``stop``. Repeatable requests say that they wait for ``patience`` seconds, unless
    it is 0. With ``addresses`` no resolver is asked.
    """

    host: str
    token: str
    resolver: str = ""
    addresses: tuple[str, ...] = ()
    tls: bool = True
    cafile: str = ""
    port: int = 443
    resolver_port: int = 53
    rate: float = 300.0
    plain_rate: float = 10.0
    seconds: float = 30.0
    patience: int = 2
    connect_seconds: float = 0.3
    attempt_seconds: float = 1.8
    deadline_seconds: float = 10.0
    attempts: int = 4
    get_path: str = "/api/models"
    post_path: str = "/api/verify"
    long_at: tuple[float, ...] = ()
    long_seconds: float = 30.0
    stop: str = ""


@dataclass
class Record:
    """One request: ``start`` by the clock of the machine, ``seconds`` from when it was due to its last answer.

    ``first`` is the address that was tried first, ``first_error`` why that failed, ``address`` the last one.
    """

    start: float
    kind: str
    seconds: float = 0.0
    status: int = 0
    region: str = ""
    address: str = ""
    first: str = ""
    first_error: str = ""
    attempts: int = 0
    error: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def message(settings: Settings, kind: str) -> bytes:
    """Return the bytes of a request of a kind: get, post (with an Idempotency-Key), plain or long."""
    head = [f"Host: {settings.host}", f"Authorization: Bearer {settings.token}", "User-Agent: llm-verifier-drill/1",
            f"X-Request-Id: {uuid.uuid4()}"]
    if kind in ("get", "post") and settings.patience:
        head.append(f"Prefer: wait={settings.patience}")  # rather another region than a later answer
    if kind == "get":
        return "\r\n".join([f"GET {settings.get_path} HTTP/1.1", *head, "", ""]).encode()
    wish: dict[str, Any] = {"model": "reference-1", "prompt": "Is two and two four?"}
    if kind == "long":
        head.append(f"Prefer: wait={settings.long_seconds * 2:.0f}")
        wish["delay_seconds"] = settings.long_seconds
    body = json.dumps(wish).encode()
    head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if kind == "post":
        head.append(f"Idempotency-Key: {uuid.uuid4()}")
    return "\r\n".join([f"POST {settings.post_path} HTTP/1.1", *head, "", ""]).encode() + body


def schedule(rate: float, seconds: float, kinds: tuple[str, ...]) -> Iterable[tuple[float, str]]:
    """Yield when each request is due (seconds from the start) and its kind, the kinds in turn."""
    for number in range(int(rate * seconds)):
        yield number / rate, kinds[number % len(kinds)]


class Client:
    """Sends requests and knows which address lately failed."""

    def __init__(self, settings: Settings) -> None:
        tls = ssl.create_default_context(cafile=settings.cafile or None) if settings.tls else None
        self.settings = settings
        self.resolver: Fixed | Resolver = (
            Fixed(tuple(settings.addresses)) if settings.addresses
            else Resolver(settings.resolver or own_resolver(), settings.resolver_port, settings.host))
        self.pool = Pool(settings.host, settings.port, tls, settings.connect_seconds, settings.attempt_seconds)
        self._avoid: dict[str, float] = {}
        self._turn = 0

    async def _order(self, tried: Counter[str]) -> list[str]:
        """Return the addresses to try, in turn, those that this request tried or that lately failed last."""
        addresses = list(await self.resolver.addresses())
        if not addresses:
            return []
        self._turn = (self._turn + 1) % len(addresses)
        turned = addresses[self._turn:] + addresses[:self._turn]
        now = time.monotonic()
        return sorted(turned, key=lambda address: (tried[address], self._avoid.get(address, 0.0) > now))

    def _note_failure(self, address: str, order: list[str]) -> None:
        """Avoid an address for a while; its connections are dropped unless no other address is any better."""
        now = time.monotonic()
        if any(self._avoid.get(other, 0.0) <= now for other in order if other != address):
            self.pool.forget(address)
        self._avoid[address] = now + AVOID_SECONDS

    async def send(self, kind: str, due: float, started: float) -> Record:
        """Send one request that was due at ``due`` of the monotonic clock; never raises."""
        record = Record(started, kind)
        text = message(self.settings, kind)
        patience = self.settings.long_seconds * 2 if kind == "long" else self.settings.deadline_seconds
        until, tried = due + patience, Counter[str]()
        while record.attempts < self.settings.attempts and time.monotonic() < until:
            order = await self._order(tried)
            if not order:
                record.error = "no address of the name"
                await asyncio.sleep(0.1)
                continue
            record.attempts += 1
            tried[order[0]] += 1
            last = record.attempts == self.settings.attempts
            if await self._attempt(record, order, text, until, last):
                break
            record.first_error = record.first_error or record.error
        record.seconds = time.monotonic() - due
        return record

    async def _attempt(self, record: Record, order: list[str], text: bytes, until: float, last: bool) -> bool:
        """Try the first address; return whether the request is over."""
        address = order[0]
        left = max(until - time.monotonic(), 0.01)
        retry = record.kind in ("get", "post")
        record.address, record.first = address, record.first or address
        try:
            seconds = left if last or not retry else min(left, self.settings.attempt_seconds)
            answer: Answer = await self.pool.request(address, text, seconds)
        except WireError as error:
            record.error, record.status = str(error), 0
            self._note_failure(address, order)
            return error.sent and not retry
        record.status, record.region = answer.status, answer.headers.get("x-region", "")
        record.error = "" if record.ok else f"status {answer.status}"
        again = retry and answer.status in RETRY_STATUS
        if again:  # other requests try elsewhere first, too
            self._avoid[address] = time.monotonic() + AVOID_SECONDS
        return not again


async def run(settings: Settings, output: TextIO) -> None:
    """Send everything and write a record for each request, in the order in which they end."""
    client = Client(settings)
    await client.resolver.addresses()
    offset, start = time.time() - time.monotonic(), time.monotonic() + 0.2
    due = sorted([*schedule(settings.rate, settings.seconds, ("get", "post")),
                  *schedule(settings.plain_rate, settings.seconds, ("plain",)),
                  *((at, "long") for at in settings.long_at)])
    tasks: set[asyncio.Task[Record]] = set()

    def done(task: asyncio.Task[Record]) -> None:
        tasks.discard(task)
        output.write(json.dumps(asdict(task.result()), separators=(",", ":")) + "\n")

    looked = start
    for after, kind in due:
        moment = start + after
        if settings.stop and moment - looked > 0.5:
            looked = moment
            if os.path.exists(settings.stop):
                break
        wait = moment - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(client.send(kind, moment, offset + moment))
        tasks.add(task)
        task.add_done_callback(done)
    while tasks:
        await asyncio.wait(set(tasks))
        await asyncio.sleep(0)
    client.pool.close()
    output.flush()


def main() -> None:
    raw: dict[str, Any] = json.load(sys.stdin)
    with open(raw.pop("output"), "w", encoding="utf-8") as output:
        asyncio.run(run(Settings(**raw), output))


if __name__ == "__main__":
    main()
