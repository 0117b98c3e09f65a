# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What builds and pushes has in common: a job, a protocol, running programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .plan import DIGEST, EMULATORS, MACHINES, ImageError
from .registry import Registry

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One image to build; paths on this host.

    ``base_context(architectures)`` makes and returns a folder whose Containerfile gives the Debian base; it is not
    called when ``base_image`` names another base.
    """

    name: str
    key: str
    context: str
    containerfile: str
    architectures: tuple[str, ...]
    arguments: Mapping[str, str]
    base_key: str
    base_context: Callable[[str], str]
    base_image: str = ""


class Engine(Protocol):
    """Builds an image and pushes it."""

    def has(self, job: Job) -> bool:
        """Return whether the image is built and only has to be pushed."""

    def build(self, job: Job, registry: Registry, progress: Progress) -> None:
        """Build the image for all its architectures."""

    def push(self, job: Job, registry: Registry, name: str, progress: Progress) -> str:
        """Push the image as ``name:key`` and return its digest: that of its manifest list."""


def run(argv: list[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it did, whatever its exit code."""
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL)


def checked(what: str, done: subprocess.CompletedProcess[str]) -> str:
    """Return the standard output; raise ImageError with the last lines of a program that failed."""
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-25:]
        raise ImageError(f"{what} failed:\n" + "\n".join(lines))
    return done.stdout


def valid_digest(text: str) -> str:
    """Return ``text`` when it is a digest; raise ImageError."""
    if not DIGEST.fullmatch(text):
        raise ImageError(f"the push reported no digest but '{text[:100]}'")
    return text


def emulation_problem(arch: str, machine: str, folder: str = "/proc/sys/fs/binfmt_misc") -> str:
    """Return why a Containerfile with RUN can't be built for ``arch`` here, empty when it can."""
    if MACHINES.get(machine) == arch or os.path.exists(os.path.join(folder, EMULATORS[arch])):
        return ""
    return (f"the Containerfile has RUN and this machine can't run linux/{arch}: apt-get install -y qemu-user-static "
            "binfmt-support; mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc "
            "/proc/sys/fs/binfmt_misc; update-binfmts --enable")
