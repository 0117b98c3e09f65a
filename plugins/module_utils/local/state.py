# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance's state folder: marked when it is made, so that nobody else's files are ever taken for ours; its lock."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from ..durable import write_atomically
from .instance import Instance, LocalError

MARKER = ".llm-verifier-instance"
"""File with the instance's name, in every state folder."""


def refuse_foreign(instance: Instance) -> None:
    """Raise LocalError when the state folder holds what isn't this instance's."""
    folder, marker = instance.state_dir, instance.state_dir / MARKER
    if instance.cache_dir.resolve().is_relative_to(folder.resolve()):
        raise LocalError(f"the cache {instance.cache_dir} lies in the state folder {folder}, which `make clean` takes:"
                         " set local_cache_dir to a folder elsewhere")
    if marker.is_file():
        owner = marker.read_text().strip()
        if owner != instance.name:
            raise LocalError(f"{folder} is the state folder of instance {owner}, not of {instance.name}: "
                             "give every instance a local_state_dir of its own")
    elif folder.exists() and not _older(instance) and (not folder.is_dir() or any(folder.iterdir())):
        raise LocalError(f"{folder} holds files and no {MARKER}, so it is no state folder of ours and stays as it is: "
                         "set local_state_dir to a folder of its own, or move away what lies there")


def _older(instance: Instance) -> bool:
    """Whether the folder was made before folders were marked: it leads to our tree, or holds nodes alone."""
    tree = instance.state_dir / "tree"
    if tree.is_symlink():
        return tree.resolve().is_relative_to(instance.cache_dir.resolve() / "tree")
    held = {path.name for path in instance.state_dir.iterdir()} if instance.state_dir.is_dir() else set()
    nodes = list((instance.state_dir / "nodes").glob("*")) if "nodes" in held else []
    return bool(held) and held <= {"nodes", ".lock"} and all((path / "node").is_dir() for path in nodes)


def claim(instance: Instance, *, check: bool) -> bool:
    """Make the state folder: marked, and for root alone. Returns whether it wasn't. LocalError for somebody else's."""
    refuse_foreign(instance)
    folder, marker = instance.state_dir, instance.state_dir / MARKER
    if marker.is_file() and folder.stat().st_mode & 0o077 == 0:
        return False
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        write_atomically(marker, f"{instance.name}\n", 0o600)
    return True


@contextlib.contextmanager
def instance_lock(instance: Instance, name: str = ".lock") -> Iterator[None]:
    """Hold a lock of the instance, by default the one of its network: in parallel `ip netns` races."""
    claim(instance, check=False)
    with (instance.state_dir / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
