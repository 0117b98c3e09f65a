# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Idempotency keys: the same key gets the same answer, also while the first request is still running."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response

from .server import answer

KEYS, KEEP_SECONDS, KEY_LENGTH = 4096, 3600.0, 255
Work = Callable[[], Coroutine[Any, Any, Response]]


class Replays:
    """Remembers answers of one process, the oldest forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, bytes, asyncio.Task[Response]]] = OrderedDict()

    async def answer(self, owner: str, key: str, body: bytes, work: Work) -> Response:
        """Return the remembered answer of ``owner`` and ``key``, or do the work; 422 when the body differs."""
        if not key:
            return await work()
        if len(key) > KEY_LENGTH:
            return answer(400, {"error": f"Idempotency-Key is longer than {KEY_LENGTH}"})
        name, digest, now = f"{owner}\0{key}", hashlib.sha256(body).digest(), self._clock()
        entry = self._seen.get(name)
        if entry and now - entry[0] < KEEP_SECONDS and not _failed(entry[2]):
            if entry[1] != digest:
                return answer(422, {"error": "Idempotency-Key was used with another body"})
            return replayed(await asyncio.shield(entry[2]))
        task = asyncio.create_task(work())
        self._seen[name] = (now, digest, task)
        self._seen.move_to_end(name)
        while len(self._seen) > KEYS:
            self._seen.popitem(last=False)
        return await asyncio.shield(task)


def replayed(response: Response) -> Response:
    """Return the same answer, marked as given before."""
    return Response(response.body, response.status_code, {**response.headers, "Idempotent-Replayed": "true"})


def _failed(task: asyncio.Task[Response]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None or task.result().status_code >= 500)
