# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance could change of the machine itself, for before and after: packet filters and kernel limits."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.host import LIMITS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance

# What nodes, kubelets, network plugins and kube-router set where nobody keeps them from it.
SETTINGS = (
    "/proc/sys/fs/inotify/*", "/proc/sys/fs/file-max", "/proc/sys/fs/aio-max-nr", "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/*", "/proc/sys/net/ipv4/conf/default/*", "/proc/sys/net/ipv6/conf/all/forwarding",
    "/proc/sys/net/bridge/*", "/proc/sys/net/netfilter/nf_conntrack_*max*", "/proc/sys/net/core/somaxconn",
    "/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/vm/max_map_count",
    "/proc/sys/kernel/panic", "/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/keys/root_max*",
    "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max",
)  # fmt: skip
FILTERS = (("nft", "--stateless", "list", "ruleset"), ("iptables-legacy-save",), ("ip6tables-legacy-save",))


def machine_wide(cache_dir: Path) -> dict[str, str]:
    """Kernel settings by their path, and rules of packet filters by the command that lists them.

    Where the host lacks such a command, that of the Debian tree in the cache is asked; without one nothing is said.
    """
    found: dict[str, str] = {}
    for pattern in SETTINGS:
        for path in Path("/").glob(pattern.lstrip("/")):
            found[str(path)] = path.read_text(errors="replace")
    trees = [str(path) for path in sorted((cache_dir / "tree").glob("*")) if (path / "usr/sbin/nft").exists()]
    for command in FILTERS:
        inside = ["chroot", trees[-1]] if trees and not shutil.which(command[0]) else []
        if not inside and not shutil.which(command[0]):
            continue
        done = subprocess.run([*inside, *command], capture_output=True, text=True, check=False)
        rules = [line for line in done.stdout.splitlines() if not line.startswith(("#", ":"))]
        found[" ".join(command)] = "\n".join(rules) if done.returncode == 0 else done.stderr
    return found


def changed(before: dict[str, str], instance: Instance) -> list[str]:
    """What is otherwise than before; limits that other instances rely on are theirs."""
    kept = json.loads(LIMITS.read_text()) if LIMITS.exists() else {"instances": [], "before": {}}
    others = {f"/proc/sys/{key}" for key in kept["before"] if set(kept["instances"]) - {instance.name}}
    now = machine_wide(instance.cache_dir)
    both = sorted(({*before} & {*now}) - others)
    return [f"{key}: {before[key]!r} -> {now[key]!r}" for key in both if before[key] != now[key]]
