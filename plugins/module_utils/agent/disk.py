# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that only grow and survive a crash and a full disk, and the locks of who may write."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..durable import sync_folder


class BusyError(Exception):
    """Somebody else holds a lock."""


def append_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Add to the end of a file; after an OSError it ends where it ended before."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    try:
        size = os.fstat(handle).st_size
        try:
            written = 0
            while written < len(content):
                written += os.write(handle, content[written:])
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    if size == 0:
        sync_folder(path.parent)


@contextmanager
def held(path: Path, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold a lock, by this process alone; it goes with the process, however that ends.

    Raises BusyError after `wait_seconds`, with `what` as its text.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise BusyError(what) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
