# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a build context."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from .plan import ImageError, context_digest, ignored

CONTAINERFILES = ("Containerfile", "Dockerfile")
IGNORE_FILES = (".containerignore", ".dockerignore")
REQUIREMENTS = "image-requirements.txt"


def containerfile(context: str, name: str = "") -> str:
    """Return the path of a context's Containerfile, relative to it; raise ImageError when there is none."""
    if not os.path.isdir(context):
        raise ImageError(f"the build context {context} is no folder: name one that holds a Containerfile")
    for candidate in (name,) if name else CONTAINERFILES:
        if os.path.isfile(os.path.join(context, candidate)):
            return candidate
    raise ImageError(f"no {name or ' or '.join(CONTAINERFILES)} in the build context {context}")


def read(context: str, name: str) -> str:
    """Return the text of a file of the context."""
    with open(os.path.join(context, name), encoding="utf-8") as handle:
        return handle.read()


def requirements(context: str) -> str:
    """Return the text of the file that pins Python libraries for the base, empty when the context has none."""
    return read(context, REQUIREMENTS) if os.path.isfile(os.path.join(context, REQUIREMENTS)) else ""


def digest(context: str) -> str:
    """Return the digest of all files of a context that its ignore file doesn't leave out."""
    patterns: list[str] = []
    for name in IGNORE_FILES:
        if os.path.isfile(os.path.join(context, name)):
            patterns = read(context, name).splitlines()
            break
    return context_digest(_entries(context, patterns))


def _entries(context: str, patterns: list[str]) -> Iterator[tuple[str, str, str]]:
    for folder, folders, files in os.walk(context):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, context)
            if ignored(relative, patterns):
                if name in folders:
                    folders.remove(name)
                continue
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                yield relative, "link", os.readlink(path)
            elif stat.S_ISDIR(mode):
                yield relative, "folder", ""
            elif stat.S_ISREG(mode):
                yield relative, "executable" if mode & 0o100 else "file", _sha256(path)


def _sha256(path: str) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
