# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups of the nodes: `<hierarchy>/<instance>/<node>`, in every hierarchy that the machine has.

Version 1 has a hierarchy a controller; version 2 has one for all, where processes live in leaves alone (a node's are in
`init` and in what its kubelet makes) and a group hands each controller down by its `cgroup.subtree_control`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from .instance import Instance, LocalError

MOUNTS = Path("/proc/mounts")
INSTANCE_SHARES = 10240
"""An instance's processor shares. A process outside counts 1024: a busy playbook would take half of what serves."""
SHARES_PER_WEIGHT = 1024 / 100
"""Version 2's default weight, 100, is version 1's default of 1024 shares."""
NEEDED = ("cpu", "cpuset", "memory", "pids")
"""Controllers that a kubelet can't do without."""
WANTED = (*NEEDED, "hugetlb", "io")
"""What is handed down to nodes of version 2, as far as the machine has it."""


def usable() -> bool:
    """Whether the machine's hierarchies have what a kubelet needs, by either version."""
    return any(path.name == "memory" or _controllers(path).issuperset(NEEDED) for path in hierarchies())


def _controllers(group: Path) -> set[str]:
    """The controllers that a group of version 2 has; empty for version 1."""
    knob = group / "cgroup.controllers"
    return set(knob.read_text().split()) if knob.exists() else set()


def hierarchies() -> list[Path]:
    """Mount points of the machine's cgroup hierarchies (version 1, and the unified one beside them)."""
    mounts = (line.split() for line in MOUNTS.read_text().splitlines())
    return sorted({Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")})


def folders(instance: Instance, node: str = "") -> list[Path]:
    """The instance's (or one node's) folder in each hierarchy."""
    return [hierarchy / instance.name / node for hierarchy in hierarchies()]


def ensure(instance: Instance, node: str, shares: int) -> list[Path]:
    """Make the node's groups and return the leaf of each hierarchy that its own processes belong in.

    `shares` is the node's part of busy processors, by the ratio to the shares of the instance's other nodes.
    Raises LocalError where version 2 doesn't hand its controllers down.
    """
    leaves = []
    for folder in folders(instance, node):
        leaf, unified = folder / "init", _controllers(folder.parent.parent).issuperset(NEEDED)
        for group in (folder.parent, folder, leaf):
            if unified:
                _hand_down(group.parent)
            group.mkdir(exist_ok=True)
            if not unified:
                _take_processors(group)
        for group, part in ((folder.parent, INSTANCE_SHARES), (folder, shares)):
            if (group / "cpu.shares").exists():
                (group / "cpu.shares").write_text(str(part))
            elif (group / "cpu.weight").exists():
                (group / "cpu.weight").write_text(str(round(part / SHARES_PER_WEIGHT)))
        leaves.append(leaf)
    return leaves


def _hand_down(group: Path) -> None:
    """Let the groups below have what this one has, on version 2."""
    wanted, knob = _controllers(group).intersection(WANTED), group / "cgroup.subtree_control"
    try:
        missing = wanted - set(knob.read_text().split())
        if missing:
            knob.write_text(" ".join(f"+{name}" for name in sorted(missing)))
    except OSError as error:
        raise LocalError(f"{knob} doesn't take {' '.join(sorted(wanted))}: {error.strerror}") from error


def _take_processors(group: Path) -> None:
    """A new group of version 1 has no processors and no memory nodes until it is given its parent's."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        knob = group / name
        if knob.exists() and not knob.read_text().strip():
            knob.write_text((group.parent / name).read_text())


def processor_seconds(instance: Instance, node: str = "") -> float:
    """What a node, its pods included (or all of the instance), has used of processors since its start."""
    for folder in folders(instance, node):
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        if (folder / "cpu.weight").exists():
            used = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            return int(used["usage_usec"]) / 1e6
    raise LocalError(f"no hierarchy accounts for the processors of {instance.name}/{node}")


def processes(instance: Instance, node: str = "") -> set[int]:
    """Every process of a node (or of the whole instance), its pods' included."""
    found: set[int] = set()
    for folder in folders(instance, node):
        for procs in folder.rglob("cgroup.procs"):
            try:
                found |= {int(pid) for pid in procs.read_text().split()}
            except OSError:  # the group went away while we looked
                continue
    return found - {0}


def send(instance: Instance, node: str, number: signal.Signals) -> int:
    """Send a signal to every process of a node until no new ones turn up; returns how many got it."""
    reached: set[int] = set()
    for _unused in range(10):
        new = processes(instance, node) - reached
        if not new:
            break
        for pid in new:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        reached |= new
    return len(reached)


def remove(instance: Instance, node: str = "", *, deadline: float = 20) -> None:
    """Kill what is left in the groups and remove them. Raises LocalError after deadline (seconds)."""
    until = time.monotonic() + deadline
    while True:
        send(instance, node, signal.SIGKILL)
        left = [folder for folder in folders(instance, node) if folder.exists() and not _remove_tree(folder)]
        if not left:
            return
        if time.monotonic() > until:
            raise LocalError(f"control group {left[0]} is still in use by {sorted(processes(instance, node))[:10]}")
        time.sleep(0.1)


def _remove_tree(folder: Path) -> bool:
    groups = [Path(path) for path, _folders, _files in os.walk(folder, topdown=False)]
    for group in groups:
        try:
            group.rmdir()
        except OSError:
            return False
    return True
