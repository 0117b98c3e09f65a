# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log files as they grow, over rotation by renaming."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LARGEST_STEP = 8 << 20
"""Bytes of one file that are read at once; of what has grown by more the older part is passed over."""


@dataclass
class _File:
    descriptor: int
    identity: tuple[int, int]
    rest: bytes = b""


class Follower:
    """The lines that are added to files from now on. Close it in the end."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._files: dict[str, _File] = {}
        for path in self._paths():
            self._open(path, at_end=True)

    def lines(self) -> Iterator[bytes]:
        """The whole lines since the last call: of a file that was renamed away first its rest, then the new one's."""
        paths = self._paths()
        for path in [*self._files]:
            file = self._files[path]
            yield from self._grown(file)
            if _identity(path) != file.identity:
                yield from self._grown(file)
                os.close(self._files.pop(path).descriptor)
        for path in paths:
            if path not in self._files and self._open(path, at_end=False):
                yield from self._grown(self._files[path])

    def close(self) -> None:
        """Close every file."""
        while self._files:
            os.close(self._files.popitem()[1].descriptor)

    def _paths(self) -> list[str]:
        return sorted({path for pattern in self._patterns for path in glob.glob(pattern)})

    def _open(self, path: str, at_end: bool) -> bool:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        found = os.fstat(descriptor)
        if at_end:
            os.lseek(descriptor, 0, os.SEEK_END)
        self._files[path] = _File(descriptor, (found.st_dev, found.st_ino))
        return True

    @staticmethod
    def _grown(file: _File) -> Iterator[bytes]:
        behind = os.fstat(file.descriptor).st_size - os.lseek(file.descriptor, 0, os.SEEK_CUR)
        if behind < 0:  # it was cut to nothing
            os.lseek(file.descriptor, 0, os.SEEK_SET)
        elif behind > LARGEST_STEP:
            os.lseek(file.descriptor, -LARGEST_STEP, os.SEEK_END)
            file.rest = b""
        *whole, file.rest = (file.rest + os.read(file.descriptor, LARGEST_STEP)).split(b"\n")
        yield from whole


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
