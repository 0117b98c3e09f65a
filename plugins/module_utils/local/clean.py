# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing an instance whole, from any state, by its own names; the cache stays."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from . import cgroups, network
from .commands import run
from .host import restore_limits
from .instance import Instance, LocalError
from .node import Node
from .state import MARKER, refuse_foreign

COMMON = "llm-verifier"
"""Name of the folder that state folders lie in by default; the last instance takes it along."""


def clean(instance: Instance, *, check: bool) -> list[str]:
    """Remove every trace of an instance and return what there was.

    Raises LocalError, before anything is touched, when the state folder holds somebody else's files, and when
    something won't end.
    """
    refuse_foreign(instance)
    nodes = sorted(_node_names(instance))
    found = [f"node {name}" for name in nodes]
    found += [f"wide-area network {instance.wan}"] if (network.NETNS / instance.wan).exists() else []
    found += [str(instance.state_dir)] if instance.state_dir.exists() else []
    leftover_groups = [folder for folder in cgroups.folders(instance) if folder.exists()]
    found += [f"control groups {instance.name}"] if leftover_groups else []
    if check:
        return found
    for name in nodes:
        Node(instance, name).stop()
    cgroups.remove(instance)
    for name in nodes:
        network.remove_link(instance, name)
    network.remove_wan(instance)
    restore_limits(instance, check=False)
    _remove_folder(instance.state_dir)
    return found


def _node_names(instance: Instance) -> set[str]:
    folder = instance.state_dir / "nodes"
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    prefix = f"{instance.name}-"
    if network.NETNS.is_dir():
        names |= {path.name.removeprefix(prefix) for path in network.NETNS.glob(f"{prefix}*")}
    for hierarchy in cgroups.folders(instance):
        names |= {path.name for path in hierarchy.iterdir() if path.is_dir()} if hierarchy.is_dir() else set()
    return names - {"wan"}


def _remove_folder(folder: Path) -> None:
    for mount in _mounts_below(folder):
        run(["umount", "-l", mount], check=False)
    if left := _mounts_below(folder):
        raise LocalError(f"{left[0]} is still mounted, so {folder} stays: `umount {left[0]}` and clean again")
    if folder.exists():
        for path in folder.iterdir():  # the marker goes last: what can't be removed now is ours the next time, too
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARKER:
                path.unlink()
        shutil.rmtree(folder)
    if folder.parent.name == COMMON:
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def _mounts_below(folder: Path) -> list[str]:
    mounts = [line.split()[1] for line in cgroups.MOUNTS.read_text().splitlines()]
    return sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True)
