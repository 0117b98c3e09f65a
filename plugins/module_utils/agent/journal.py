# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision log on disk: lines that are only added, in files of bounded size; each line knows the one before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..durable import sync_folder
from .disk import append_durably

NAME = "decisions.jsonl"
LARGEST_FILE = 1 << 20
"""Bytes after which a new file is begun."""
KEPT_FILES = 20


class JournalError(Exception):
    """The log on disk is not whole; the text says where."""


class Journal:
    """The log in a folder: `decisions.jsonl`, and older parts `decisions-<number>.jsonl`, the oldest first.

    `append`, `rotate` and `replace` are for who holds the memory's lock. All else only reads, and a line that isn't
    ended yet doesn't count: somebody is writing it, or a crash left it, and then the next `append` takes it away.
    """

    def __init__(self, folder: Path, largest: int = LARGEST_FILE, kept: int = KEPT_FILES) -> None:
        self.folder, self.path = folder, folder / NAME
        self._largest, self._kept = largest, kept
        self._known: tuple[tuple[int, int, int], str] | None = None
        self._inputs = (0, "")

    def head(self) -> str:
        """The hash of the last line, empty for none."""
        stamp = self._stamp()
        if self._known and stamp == self._known[0]:
            return self._known[1]
        head = ""
        for path in reversed(self._files()):
            last = _last_line(path)
            if last:
                head = str(_entry(last, path)["hash"])
                break
        self._known = (stamp, head)
        return head

    def append(self, lines: Iterable[str]) -> None:
        """Add lines durably, all or none of them. OSError when the disk doesn't take them, JournalError for a gap."""
        lines = list(lines)
        if not lines:
            return
        self._mend()
        previous = self.head()
        for line in lines:
            entry = _entry(line.encode(), self.path)
            if entry["previous"] != previous:
                raise JournalError(f"a line behind {entry['previous'] or 'none'} doesn't follow {previous or 'none'}")
            previous = str(entry["hash"])
        append_durably(self.path, "".join(f"{line}\n" for line in lines).encode())
        self._known = (self._stamp(), previous)

    def inputs(self) -> str:
        """The hash of the policy and regions that the current file holds in full; empty where it holds none."""
        stamp = self._stamp()[0]
        if stamp != self._inputs[0] or not self._inputs[1]:
            found = ""
            if self.path.exists():
                with self.path.open(encoding="utf-8") as opened:
                    for line in opened:
                        if '"fleet":' in line and line.endswith("\n"):
                            found = str(json.loads(line).get("inputs", {}).get("hash", ""))
            self._inputs = (stamp, found)
        return self._inputs[1]

    def lines(self) -> Iterator[str]:
        """Every line that is kept, the oldest first."""
        for path in self._files():
            yield from _lines(path)

    def tail(self, count: int) -> list[str]:
        """The last lines, at most `count`, the oldest first."""
        found: list[str] = []
        for path in reversed(self._files()):
            found = _lines(path)[-(count - len(found)) :] + found
            if len(found) >= count:
                break
        return found

    def after(self, head: str) -> list[str] | None:
        """The lines behind the one of this hash; None when it isn't kept (any more)."""
        if head == self.head():
            return []
        found: list[str] = []
        for path in reversed(self._files()):
            lines = _lines(path)
            for index in range(len(lines) - 1, -1, -1):
                if json.loads(lines[index]).get("hash") == head:
                    return lines[index + 1 :] + found
            found = lines + found
        return found if not head and found and not json.loads(found[0]).get("previous") else None

    def replace(self, lines: Iterable[str]) -> None:
        """Begin anew with lines of another edge; what was there is kept beside, for people."""
        number = 1 + sum(1 for _path in self.folder.glob("diverged-*.jsonl"))
        for path in self._files():
            os.replace(path, self.folder / f"diverged-{number:03d}-{path.name}")
        sync_folder(self.folder)
        self._known = None
        append_durably(self.path, "".join(f"{line}\n" for line in lines).encode())

    def _files(self) -> list[Path]:
        older = sorted(self.folder.glob("decisions-[0-9]*.jsonl"))
        return [*older, self.path] if self.path.exists() else older

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _mend(self) -> None:
        """Cut off what follows the last line's end: it was never acknowledged."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as opened:
            content = opened.read()
            whole = content.rfind(b"\n") + 1
            if whole != len(content):
                opened.truncate(whole)
                os.fsync(opened.fileno())

    def rotate(self) -> None:
        """Begin a new file where the current one is full. OSError when the disk doesn't let it."""
        if not self.path.exists() or self.path.stat().st_size < self._largest:
            return
        self._mend()
        older = self._files()[:-1]
        number = int(older[-1].stem.rpartition("-")[2]) + 1 if older else 1
        os.replace(self.path, self.folder / f"decisions-{number:06d}.jsonl")
        sync_folder(self.folder)
        for path in older[: max(0, len(older) + 2 - self._kept)]:
            path.unlink()


def _lines(path: Path) -> list[str]:
    """The ended lines of a file."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _last_line(path: Path) -> bytes:
    """The last ended line, empty for none."""
    with path.open("rb") as opened:
        size, block = opened.seek(0, os.SEEK_END), 1 << 16
        while True:
            opened.seek(max(0, size - block))
            found = opened.read(block).rpartition(b"\n")[0]
            if b"\n" in found or block >= size:
                return found.rpartition(b"\n")[2]
            block *= 4


def _entry(line: bytes, path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or not {"hash", "previous"} <= entry.keys():
        raise JournalError(f"{path}: its last line is no decision: {line[:80]!r}")
    return entry
