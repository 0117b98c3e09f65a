# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's services under runit: their files, and checking, reloading, restarting and awaiting them."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

from .files import WantedFile
from .instance import LocalError
from .node import Node


@dataclass(frozen=True, slots=True)
class Service:
    """One supervised program.

    Attributes:
        command: what runs in the foreground, by a shell.
        files: paths or folders (ending in /) below /node that it reads.
        check: command that judges changed files before they are taken; empty for none.
        reload: command that makes it read them, with its process number in PID; empty for a restart.
        ready: command that succeeds once it serves; empty for none.
        log_megabytes: size at which its log is rotated.
        log_files: how many older files are kept.
        log_times: whether the logger puts the time before each line.
    """

    name: str
    command: str
    files: tuple[str, ...] = ()
    check: str = ""
    reload: str = ""
    ready: str = ""
    log_megabytes: int = 1
    log_files: int = 5
    log_times: bool = True

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Service:
        """Read one entry of the `services` parameter."""
        given: dict[str, Any] = {key: str(raw.get(key) or "") for key in ("check", "reload", "ready")}
        given |= {key: raw[key] for key in ("log_megabytes", "log_files", "log_times") if raw.get(key) is not None}
        return cls(str(raw["name"]), str(raw["command"]), tuple(raw.get("files") or ()), **given)

    def wanted_files(self) -> list[WantedFile]:
        """What runit needs to run it and its logger."""
        run = f"#!/bin/sh\nexec 2>&1\ncd /\nulimit -n $(ulimit -Hn)\nexec {self.command}\n"
        words = f"svlogd{' -tt' if self.log_times else ''} /node/log/{self.name}"
        log = f"#!/bin/sh\nmkdir -p /node/log/{self.name}\nexec {words}\n"
        rotation = f"s{self.log_megabytes * 1_000_000}\nn{self.log_files}\n"
        return [
            WantedFile(f"log/{self.name}/config", rotation.encode(), 0o644, False),
            WantedFile(f"service/{self.name}/log/run", log.encode(), 0o755, False),
            WantedFile(f"service/{self.name}/run", run.encode(), 0o755, False),
        ]

    def logs_by(self, path: str) -> bool:
        """Whether a changed file is one that its logger reads."""
        return path in (f"log/{self.name}/config", f"service/{self.name}/log/run")

    def reads(self, path: str) -> bool:
        """Whether a changed file is one that this service reads."""
        return any(path == name or (name.endswith("/") and path.startswith(name)) for name in self.files)


def test_configuration(node: Node, services: list[Service]) -> None:
    """Run each service's check; raises LocalError with what it said."""
    for service in services:
        if service.check:
            done = node.run(["sh", "-c", service.check], check=False)
            if done.returncode:
                said = (done.stdout + done.stderr).strip()[-2000:]
                raise LocalError(f"node {node.name}: {service.name} refuses its configuration: {said}")


def refresh(node: Node, service: Service, *, restart: bool) -> None:
    """Make a running service take its changed files: reload where it can and may, else restart."""
    if not (node.inside / "service" / service.name / "supervise" / "pid").exists():
        return  # runit finds a new service by itself
    if service.reload and not restart:
        pid = f"PID=$(cat /node/service/{service.name}/supervise/pid); "
        node.run(["sh", "-c", pid + service.reload])
    else:
        node.run(["sv", "-w", "20", "force-restart", f"/node/service/{service.name}"], check=False)


def refresh_log(node: Node, service: Service) -> None:
    """Start a service's logger anew; no line is lost meanwhile."""
    if (node.inside / "service" / service.name / "log/supervise/pid").exists():
        node.run(["sv", "-w", "20", "restart", f"/node/service/{service.name}/log"], check=False)


def retire(node: Node, name: str) -> None:
    """Stop a service that is no longer wanted and remove its folder."""
    if node.pid() is not None:
        node.run(["sv", "-w", "20", "force-stop", f"/node/service/{name}"], check=False)
    shutil.rmtree(node.inside / "service" / name, ignore_errors=True)


def await_ready(node: Node, services: list[Service], timeout: float) -> None:
    """Poll until every service serves. Raises LocalError after timeout (seconds) with its last log lines."""
    until = time.monotonic() + timeout
    waiting = [service for service in services if service.ready]
    while waiting:
        waiting = [item for item in waiting if node.run(["sh", "-c", item.ready], check=False).returncode]
        if waiting and time.monotonic() > until:
            log = node.inside / "log" / waiting[0].name / "current"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(no log)"
            raise LocalError(
                f"node {node.name}: {waiting[0].name} is not ready after {timeout:.0f} s; its last words:\n{tail}\n"
                f"Look further with: make region-logs REGION={node.name} SERVICE={waiting[0].name}"
            )
        if waiting:
            time.sleep(0.3)
