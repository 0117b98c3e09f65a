# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes need of the machine: everything missing at once, and kernel limits that are put back afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from . import cgroups
from .commands import run
from .instance import Instance

PROC_SYS = Path("/proc/sys")
LIMITS = Path("/run/llm-verifier-limits.json")
"""What the kernel's limits were: one place for the machine's instances, gone after a reboot as the limits are."""
MEMORY_MIB = 7600
"""What a machine of 8 GiB tells of at least: firmware and kernel keep up to some 500 MiB out of MemTotal."""
CGROUP_ROOT = "/sys/fs/cgroup"
COMMANDS = {
    "ip": "apt-get install iproute2",
    "tc": "apt-get install iproute2",
    "nsenter": "apt-get install util-linux",
    "unshare": "apt-get install util-linux",
    "mmdebstrap": "apt-get install mmdebstrap",
}
# A kernel feature -> the file that shows it.
FEATURES = {
    "network namespaces": Path("/proc/self/ns/net"),
    "PID namespaces": Path("/proc/self/ns/pid"),
    "bridge netfilter (`modprobe br_netfilter`)": PROC_SYS / "net/bridge/bridge-nf-call-iptables",
    "connection tracking (`modprobe nf_conntrack`)": PROC_SYS / "net/netfilter/nf_conntrack_max",
}


def missing(instance: Instance, memory_mib: int, disk_mib: int) -> list[str]:
    """Every lack of this machine, each with what mends it. memory_mib and disk_mib are the least amounts in MiB."""
    state_dir, cache_dir = instance.state_dir, instance.cache_dir
    if os.geteuid() != 0:
        return ["not root: run it with `sudo make site`"]
    found = [f"{command} is not there: `{mend}`" for command, mend in COMMANDS.items() if not shutil.which(command)]
    found += [f"the kernel lacks {name}: {path} is not there" for name, path in FEATURES.items() if not path.exists()]
    if "overlay" not in Path("/proc/filesystems").read_text():
        found.append("the kernel lacks overlayfs: `modprobe overlay`")
    if not cgroups.usable():
        needed_controllers = ", ".join(cgroups.NEEDED)
        found.append(f"no control groups with {needed_controllers}: `mount -t cgroup2 cgroup2 {CGROUP_ROOT}`")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    if total < memory_mib:
        found.append(f"{total} MiB of memory, {memory_mib} needed: use a larger machine or fewer regions")
    needed = disk_mib // 4 if (cache_dir / "bin").is_dir() else disk_mib
    for folder in sorted({_existing(state_dir), _existing(cache_dir)}):
        free = shutil.disk_usage(folder).free // 2**20
        if free < needed:
            found.append(f"{free} MiB free below {folder}, {needed} needed: free some, or move local_cache_dir")
    return found + _taken_addresses(instance)


def _taken_addresses(instance: Instance) -> list[str]:
    routes = json.loads(run(["ip", "-json", "-4", "route", "show"], check=False).stdout or "[]")
    wanted = ipaddress.ip_network(f"{instance.prefix}.0.0/16")
    found = []
    for route in routes:
        target = "0.0.0.0/0" if route["dst"] == "default" else route["dst"]
        network = ipaddress.ip_network(target, strict=False)
        if network.prefixlen > 0 and network.overlaps(wanted) and route.get("dev") != instance.host_link:
            found.append(
                f"{wanted} is in use: the route to {route['dst']} by {route.get('dev')} overlaps it;"
                " set local_network_prefix to another /16"
            )
    return found


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def raise_limits(instance: Instance, wanted: dict[str, int], *, check: bool) -> dict[str, tuple[int, int]]:
    """Raise limits below their wanted value; returns setting -> (before, after).

    What they were is kept in LIMITS, with the instances that rely on it: the last one to leave puts it back.
    """
    changes = {}
    for key, least in wanted.items():
        now = int((PROC_SYS / key).read_text())
        if now < least:
            changes[key] = (now, least)
    if not check:
        with _limits() as kept:
            kept["before"] = {**{key: old for key, (old, _new) in changes.items()}, **kept["before"]}
            if kept["before"]:
                kept["instances"] = sorted({*kept["instances"], instance.name})
        for key, (_old, new) in changes.items():
            (PROC_SYS / key).write_text(f"{new}\n")
    return changes


def restore_limits(instance: Instance, *, check: bool) -> dict[str, tuple[int, int]]:
    """Put back what raise_limits changed, unless another instance relies on it; returns setting -> (before, after)."""
    if not LIMITS.exists():
        return {}
    with _limits() as kept:
        others = sorted(set(kept["instances"]) - {instance.name})
        changes = {key: (int((PROC_SYS / key).read_text()), old) for key, old in kept["before"].items() if not others}
        if not check:
            kept.update({"instances": others, "before": kept["before"] if others else {}})
            for key, (_now, old) in changes.items():
                (PROC_SYS / key).write_text(f"{old}\n")
    return changes


@contextlib.contextmanager
def _limits() -> Iterator[dict[str, Any]]:
    """The record of raised limits, under a lock; written when it changed, removed when it is empty."""
    lock = os.open(LIMITS.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = LIMITS.read_text() if LIMITS.exists() else ""
        kept = json.loads(before) if before else {"before": {}, "instances": []}
        yield kept
        after = json.dumps(kept, sort_keys=True) if kept["before"] else ""
        if after != before and after:
            write_atomically(LIMITS, after, 0o600)
        elif after != before:
            LIMITS.unlink()
    finally:
        os.close(lock)
