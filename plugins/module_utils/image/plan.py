# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is made of, as one key: the same inputs give the same key. Pure: no files, no network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

# Raise when the same inputs shall give another image.
BASE_RECIPE = 2
LIBRARIES_RECIPE = 1
IMAGE_RECIPE = 1

ARCHITECTURES = ("amd64", "arm64")
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
EMULATORS = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HUB = "registry-1.docker.io"


class ImageError(Exception):
    """An image can't be built, pushed or found; the text says how to mend it."""


@dataclass(frozen=True)
class Reference:
    """``registry/name:tag@digest``; tag and digest may be empty."""

    registry: str
    name: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.name}"


@dataclass(frozen=True)
class Base:
    """The Debian base image with what ``requirements`` (the text of a file) pins, or ``image`` instead of it."""

    image: str
    suite: str
    packages: tuple[str, ...]
    mirror: str
    serial: str
    requirements: str = ""

    def key(self) -> str:
        """Return the key of the base; the same for every architecture."""
        if self.image:
            return f"image:{self.image}"
        if self.requirements:
            return _hash([LIBRARIES_RECIPE, self.system_key(), self.requirements])
        return self.system_key()

    def system_key(self) -> str:
        """Return the key of the Debian packages alone."""
        return _hash([BASE_RECIPE, self.suite, sorted(set(self.packages)), self.mirror, self.serial])


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def parse_reference(text: str) -> Reference:
    """Return the parts of an image reference; raise ImageError."""
    rest, _unused, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, rest = head, tail
    else:
        registry, rest = _HUB, rest if slash else f"library/{rest}"
    if registry == "docker.io":
        registry = _HUB
    name, _unused, tag = rest.partition(":")
    if not _NAME.fullmatch(name) or (tag and not _TAG.fullmatch(tag)) or (digest and not DIGEST.fullmatch(digest)) \
            or text.endswith((":", "@")):
        raise ImageError(f"'{text}' is no image reference: write registry/name:tag or registry/name@sha256:…")
    return Reference(registry, name, tag if tag or digest else "latest", digest)


def architectures(platforms: Iterable[str], machine: str) -> tuple[str, ...]:
    """Return the architectures of ``linux/…`` platforms, sorted; none given: that of ``machine`` (uname -m)."""
    wanted = sorted(set(platforms))
    if not wanted:
        if machine not in MACHINES:
            raise ImageError(f"no image can be built for this machine's architecture '{machine}': name platforms")
        return (MACHINES[machine],)
    wrong = [platform for platform in wanted if platform not in [f"linux/{name}" for name in ARCHITECTURES]]
    if wrong:
        raise ImageError(f"unknown platform {', '.join(wrong)}: allowed are linux/amd64 and linux/arm64")
    return tuple(platform.partition("/")[2] for platform in wanted)


def content_key(context: str, containerfile: str, base: Base, archs: Iterable[str],
                arguments: Mapping[str, str]) -> str:
    """Return the key of an image: 20 hexadecimal digits over all that decides its content."""
    return _hash([IMAGE_RECIPE, context, containerfile, base.key(), sorted(archs), dict(arguments)])


def context_digest(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return the digest of a context's entries: path, kind (file, executable, link, folder), content or target."""
    return _hash(sorted(entries))


def runs_commands(containerfile: str) -> bool:
    """Return whether a Containerfile has RUN, which for another architecture needs an emulator."""
    text = re.sub(r"\\\s*\n", " ", re.sub(r"(?m)^\s*#.*\n?", "", containerfile))
    return any(re.match(r"\s*(ONBUILD\s+)?RUN\b", line, re.IGNORECASE) for line in text.splitlines())


def ignored(path: str, patterns: Iterable[str]) -> bool:
    """Return whether an ignore file leaves ``path`` (no leading slash) out of the context.

    Understood are ``name/…``, ``**/name`` and ``*``; the engine knows more. What isn't understood stays in the key:
    too much in it costs a build, too little would hide a change.
    """
    hidden = False
    for raw in patterns:
        pattern = raw.strip().lstrip("/")
        if not pattern or pattern.startswith("#"):
            continue
        if pattern.startswith("!"):
            return False
        deep, pattern = pattern.startswith("**/"), pattern.removeprefix("**/")
        if "**" in pattern or "[" in pattern or "\\" in pattern:
            continue
        hidden = hidden or _matches(path.split("/"), pattern.rstrip("/").split("/"), deep)
    return hidden


def _matches(parts: list[str], wanted: list[str], deep: bool) -> bool:
    starts = range(len(parts) - len(wanted) + 1) if deep else range(min(1, len(parts) - len(wanted) + 1))
    return any(all(fnmatchcase(part, want) for part, want in zip(parts[start:], wanted, strict=False))
               for start in starts)
