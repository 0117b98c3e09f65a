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
from .instance import Instance
from .node import Node


def clean(instance: Instance, *, check: bool) -> list[str]:
    """Remove every trace of an instance and return what there was. Raises LocalError when something won't end."""
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
    restore_limits(instance.state_dir, check=False)
    _unmount_below(instance.state_dir)
    shutil.rmtree(instance.state_dir, ignore_errors=True)
    _remove_if_empty(instance.state_dir.parent)
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


def _unmount_below(folder: Path) -> None:
    mounts = [line.split()[1] for line in cgroups.MOUNTS.read_text().splitlines()]
    for mount in sorted((item for item in mounts if item.startswith(f"{folder}/")), reverse=True):
        run(["umount", "-l", mount], check=False)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
