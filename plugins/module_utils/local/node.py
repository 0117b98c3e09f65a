# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node: a mount, PID, UTS, IPC and network namespace over the shared Debian tree, with runit as its first process."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from . import cgroups, network
from .boot import BOOT_SCRIPT
from .commands import run
from .instance import Instance, LocalError


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What a node needs to start.

    Attributes:
        tree: the shared root on the host.
        subnet: third octet of its network.
        addresses: its addresses besides .2.
        resolver: its name server; empty for none.
        binds: host folder -> folder in the node, read-only.
        sysctls: setting (with slashes, below /proc/sys) -> value, of the node's own network namespace.
        cpu_shares: its part of busy processors, by the ratio to other nodes' shares.
    """

    tree: str
    subnet: int
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    binds: dict[str, str] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    cpu_shares: int = 4096

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> NodeSpec:
        """Read what asdict wrote. Raises TypeError when a field is missing or unknown."""
        return cls(**{**raw, "addresses": tuple(raw["addresses"])})

    def resolved(self) -> NodeSpec:
        """The same with links followed, so that a new version behind a link counts as a change."""
        binds = {os.path.realpath(source): target for source, target in self.binds.items()}
        return replace(self, tree=os.path.realpath(self.tree), binds=binds)


class Node:
    """One node by its name; every method looks at the machine anew."""

    def __init__(self, instance: Instance, name: str) -> None:
        self.instance = instance
        self.name = name
        self.dir = instance.node_dir(name)
        self.inside = self.dir / "node"

    @property
    def _record(self) -> Path:
        return self.dir / "process.json"

    def pid(self) -> int | None:
        """The host's number of the node's first process, or None when the node doesn't run."""
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return None
        return int(record["pid"]) if start_time(record["pid"]) == record["start"] else None

    def started_with(self) -> NodeSpec | None:
        """What the node was last started with, or None when it never was."""
        try:
            return NodeSpec.from_dict(json.loads((self.dir / "spec.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def start(self, spec: NodeSpec) -> None:
        """Start the node. Raises LocalError with the boot's last words when it doesn't come up."""
        network.ensure_link(self.instance, self.name, spec.subnet, list(spec.addresses), check=False)
        for folder in ("etc", "data", "log", "service"):
            (self.inside / folder).mkdir(parents=True, exist_ok=True)
        self._write_boot_files(spec)
        leaves = cgroups.ensure(self.instance, self.name, spec.cpu_shares)
        join = "; ".join(f"echo $$ > {shlex.quote(str(leaf))}/cgroup.procs" for leaf in leaves)
        enter = f"exec nsenter --net=/run/netns/{self.instance.namespace(self.name)}"
        unshare = "unshare --mount --pid --ipc --uts --fork --kill-child"
        log = self.dir / "boot.log"
        with log.open("wb") as output:
            parent = subprocess.Popen(
                ["sh", "-c", f"{join}; {enter} {unshare} sh {shlex.quote(str(self.dir / 'boot'))}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, close_fds=True, cwd="/",
                env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "TREE": spec.tree,
                     "NODE_DIR": str(self.dir), "NODE_NAME": self.name},
            )
        pid = self._await_first_process(parent, log)
        write_atomically(self.dir / "spec.json", json.dumps(asdict(spec)), 0o600)
        write_atomically(self._record, json.dumps({"pid": pid, "start": start_time(pid), "parent": parent.pid}), 0o600)

    def _write_boot_files(self, spec: NodeSpec) -> None:
        lines = {
            "boot": BOOT_SCRIPT,
            "binds": "".join(f"{source} {target}\n" for source, target in sorted(spec.binds.items())),
            "sysctls": "".join(f"{key} {value}\n" for key, value in sorted(spec.sysctls.items())),
            "resolv.conf": f"nameserver {spec.resolver}\noptions timeout:1 attempts:2\n" if spec.resolver else "",
        }
        for name, text in lines.items():
            write_atomically(self.dir / name, text, 0o600)

    def _await_first_process(self, parent: subprocess.Popen[bytes], log: Path) -> int:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if parent.poll() is not None:
                raise LocalError(f"node {self.name} did not start: {log.read_text()[-1000:] or 'nothing said'}")
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "runsvdir":
                return int(children[0])
            time.sleep(0.05)
        parent.kill()
        raise LocalError(f"node {self.name} did not start within 30 s: see {log}")

    def stop(self) -> bool:
        """End every process of the node, its pods' included. Returns whether there were any."""
        had = self.pid() is not None or bool(cgroups.processes(self.instance, self.name))
        pid = self.pid()
        if pid is not None:
            parent = int(json.loads(self._record.read_text())["parent"])
            os.kill(pid, signal.SIGKILL)
            _await_end(parent, 5)  # it reaps the first process; killed before, it would leave a zombie
        cgroups.remove(self.instance, self.name)
        self._record.unlink(missing_ok=True)
        return had

    def freeze(self) -> int:
        """SIGSTOP to every process of the node; returns how many were stopped."""
        return cgroups.send(self.instance, self.name, signal.SIGSTOP)

    def thaw(self) -> int:
        """SIGCONT to every process of the node; returns how many went on."""
        return cgroups.send(self.instance, self.name, signal.SIGCONT)

    def run(
        self, argv: Sequence[str], *, stdin: str | None = None, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside the node. Raises LocalError when the node doesn't run or the program fails."""
        return run([*self.enter(), *argv], stdin=stdin, check=check, timeout=timeout)

    def enter(self) -> list[str]:
        """The words before a command that make it run inside the node."""
        pid = self.pid()
        if pid is None:
            raise LocalError(f"node {self.name} does not run: `make site` or `make region-up REGION={self.name}`")
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        entry = ["nsenter", "-t", str(pid), "-m", "-p", "-n", "-u", "-i"]
        return [*entry, "env", "-i", path, "HOME=/root", "LANG=C.UTF-8"]


def _await_end(pid: int, timeout: float) -> None:
    until = time.monotonic() + timeout
    while start_time(pid) and time.monotonic() < until:
        time.sleep(0.02)


def start_time(pid: int) -> str:
    """When a process started, in the kernel's ticks since boot; empty when it is gone (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
