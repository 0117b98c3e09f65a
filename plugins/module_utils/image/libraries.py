# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python libraries for the Debian base as a tar file, for any architecture.

They are wheels that a requirements file pins by version and hash. pip unpacks them for the base's Python and
architecture; nothing of them runs here.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator

from .debian import compiled
from .plan import Base, ImageError

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
# What pip writes about itself and this machine, scripts with this machine's paths, types that nothing runs.
LEFT_OUT = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def python_version(suite: str) -> str:
    """Return the version of a Debian release's Python; raise ImageError."""
    if suite not in PYTHONS:
        raise ImageError(f"which Python Debian {suite} has isn't known: libraries can be added to {', '.join(PYTHONS)}")
    return PYTHONS[suite]


def command(requirements: str, version: str, arch: str, target: str) -> list[str]:
    """Return the pip command that unpacks what the file ``requirements`` pins for ``arch`` into ``target``."""
    machine = MACHINES[arch]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
            "--no-compile", "--require-hashes", "--only-binary=:all:", "--implementation=cp",
            f"--python-version={version}", f"--platform=manylinux2014_{machine}",
            f"--platform=manylinux_2_28_{machine}", f"--target={target}",
            f"--requirement={requirements}"]


def build(base: Base, arch: str, path: str) -> None:
    """Write the libraries of ``base`` for ``arch`` to the tar file ``path``, all or nothing; raise ImageError."""
    version = python_version(base.suite)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path), prefix=".libraries-") as folder:
        listed, target, ready = (os.path.join(folder, name) for name in ("requirements.txt", "target", "ready.tar"))
        with open(listed, "w", encoding="utf-8") as handle:
            handle.write(base.requirements)
        done = subprocess.run(command(listed, version, arch, target), capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            hint = " (apt-get install python3-pip)" if "No module named pip" in done.stderr else ""
            raise ImageError(f"the Python libraries for {arch} could not be had{hint}: {done.stderr.strip()[-1500:]}")
        pack(target, f"usr/local/lib/python{version}/dist-packages", ready)
        os.replace(ready, path)


def pack(source: str, prefix: str, target: str) -> None:
    """Write the files of a folder below ``prefix`` to a tar file; the same files give the same bytes."""
    sources = []
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in _files(source):
            member = tarfile.TarInfo(f"./{prefix}/{name}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
            if name.endswith(".py"):
                sources.append((f"{prefix}/{name}", content))
        for member, content in compiled(sources):
            archive.addfile(member, io.BytesIO(content))


def _files(folder: str) -> Iterator[tuple[str, bytes]]:
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - {"__pycache__", *(["bin"] if current == folder else [])})
        for name in sorted(names):
            if name.endswith(".pyi") or (current.endswith(".dist-info") and name in LEFT_OUT):
                continue
            path = os.path.join(current, name)
            with open(path, "rb") as handle:
                yield os.path.relpath(path, folder), handle.read()
