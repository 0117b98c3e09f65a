# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's files and services as data: what is wanted, what is there, what to change. Written atomically."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..durable import write_atomically

LARGEST_SHOWN = 1 << 18
"""Bytes of the largest content that a diff shows."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One file below /node. A secret's content comes from `source` and never shows in a diff."""

    path: str
    content: bytes
    mode: int
    secret: bool

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> WantedFile:
        """Read one entry of the `files` parameter; OSError when its source can't be read."""
        source = raw.get("source")
        content = Path(source).read_bytes() if source else str(raw.get("content") or "").encode()
        return cls(str(raw["path"]), content, int(str(raw.get("mode") or "0644"), 8), bool(source))


def wanted_files(files: list[dict[str, Any]], copies: list[dict[str, Any]], *, missing_ok: bool) -> list[WantedFile]:
    """The files that the parameters `files` and `copies` of a node name.

    missing_ok (check mode) leaves out those whose source isn't there yet; else OSError.
    """
    entries = list(files)
    for copy in copies:
        for name in copy["names"]:
            source = Path(copy["from"]) / name
            mode = "0644" if not source.exists() else f"{source.stat().st_mode & 0o7777:04o}"
            entries.append({"path": f"{copy['to']}/{name}", "source": str(source), "mode": mode})
    there = [item for item in entries if not (missing_ok and item.get("source") and not Path(item["source"]).exists())]
    return [WantedFile.from_dict(item) for item in there]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What one file was (None: absent) and will be (None: taken away)."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644
    secret: bool = False

    def shown(self) -> dict[str, str]:
        """The change as an Ansible diff; of a secret or a large file only digests."""
        header = {"before_header": self.path, "after_header": self.path}
        return {**header, "before": _shown(self.before, self.secret), "after": _shown(self.after, self.secret)}


def _shown(content: bytes | None, secret: bool) -> str:
    if content is None:
        return ""
    if secret or len(content) > LARGEST_SHOWN:
        why = "hidden" if secret else f"{len(content)} bytes"
        return f"({why}, sha256 {hashlib.sha256(content).hexdigest()[:12]})\n"
    return content.decode("utf-8", "replace")


def plan_files(root: Path, wanted: list[WantedFile], owned_before: list[str]) -> list[FileChange]:
    """The changes that make root hold what is wanted; files owned before and not wanted now go away."""
    changes = []
    for item in wanted:
        path = root / item.path
        before = path.read_bytes() if path.is_file() else None
        same_mode = before is not None and (path.stat().st_mode & 0o7777) == item.mode
        if before != item.content or not same_mode:
            changes.append(FileChange(item.path, before, item.content, item.mode, item.secret))
    named = {item.path for item in wanted}
    for gone in sorted(set(owned_before) - named):
        path = root / gone
        if path.is_file():
            changes.append(FileChange(gone, path.read_bytes(), None, secret=path.stat().st_mode & 0o077 == 0))
    return changes


def apply_changes(root: Path, changes: list[FileChange]) -> None:
    """Write or remove each file."""
    for change in changes:
        if change.after is None:
            (root / change.path).unlink(missing_ok=True)
        else:
            write_atomically(root / change.path, change.after, change.mode)


def reverted(changes: list[FileChange]) -> list[FileChange]:
    """The changes that undo these."""
    return [FileChange(change.path, change.after, change.before, change.mode, change.secret) for change in changes]
