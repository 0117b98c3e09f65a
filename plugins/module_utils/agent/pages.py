# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page over HTTP: the files of one folder, and nothing else of the machine."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

PREFIX = "/status/"
INDEX = "index.html"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)+")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# A picture opened by itself has its style inside.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer; the server adds Date and Content-Length."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def page(folder: Path, target: str, unless: str = "") -> Page | None:
    """The answer to a GET or HEAD of `target`, the path as it was asked; None for what isn't below `PREFIX`.

    `unless` is the request's If-None-Match. Only plain files of known kinds directly in `folder` are served: no other
    folders, no links, no listing.
    """
    path = target.partition("?")[0]
    if path == PREFIX.rstrip("/"):
        return Page(status=HTTPStatus.PERMANENT_REDIRECT, headers={**_HEADERS, "Location": PREFIX})
    if not path.startswith(PREFIX):
        return None
    name = path.removeprefix(PREFIX) or INDEX
    kind = _KINDS.get(Path(name).suffix)
    content = _content(folder / name) if kind and _NAME.fullmatch(name) else None
    if content is None or kind is None:
        return _plain(HTTPStatus.NOT_FOUND, "there is no such page\n")
    body, tag = content
    headers = {**_HEADERS, "Content-Type": kind, "ETag": tag}
    if name.endswith(".svg"):
        headers["Content-Security-Policy"] = _PICTURE_POLICY
    if unless and tag in (part.strip() for part in unless.split(",")):
        return Page(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Page(status=HTTPStatus.OK, headers=headers, body=body)


def _content(path: Path) -> tuple[bytes, str] | None:
    """A plain file's bytes and a tag that changes with it."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        about = os.fstat(opened)
        if not stat.S_ISREG(about.st_mode):
            return None
        with os.fdopen(opened, "rb", closefd=False) as file:
            return file.read(), f'"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"'
    finally:
        os.close(opened)


def _plain(status: int, text: str) -> Page:
    return Page(status=status, headers={**_HEADERS, "Content-Type": _KINDS[".txt"]}, body=text.encode())
