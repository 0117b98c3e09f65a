# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian tree that all nodes share: built once into the cache, keyed by what is in it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from .instance import LocalError
from .progress import report


def tree_path(cache_dir: Path, suite: str, packages: list[str]) -> Path:
    """Where the tree of this suite with these packages lies."""
    key = hashlib.sha256("\n".join([suite, *sorted(packages)]).encode()).hexdigest()[:16]
    return cache_dir / "tree" / key


def build_tree(path: Path, suite: str, packages: list[str], progress_file: str | None) -> None:
    """Build the tree with mmdebstrap beside its place and move it there whole.

    Raises LocalError with mmdebstrap's last words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.is_dir():  # another run built it while this one waited
            return
        half_built = path.with_suffix(".part")
        shutil.rmtree(half_built, ignore_errors=True)
        argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(half_built)]
        try:
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except FileNotFoundError as error:
            raise LocalError("mmdebstrap is not installed: run `make setup`") from error
        said: list[str] = []
        for line in process.stdout or ():
            said.append(line.rstrip())
            report(progress_file, f"Debian tree: {line.strip()}")
        if process.wait():
            shutil.rmtree(half_built, ignore_errors=True)
            raise LocalError("mmdebstrap failed: " + "\n".join(said[-15:]))
        half_built.rename(path)


def point(link: Path, target: Path) -> bool:
    """Make a symbolic link point at target, atomically. Returns whether it changed."""
    if link.is_symlink() and os.readlink(link) == str(target):
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
    return True
