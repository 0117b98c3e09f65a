# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a node what its description says: plan first, then files, checks, processes; one result for all."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..durable import write_atomically
from . import faults, network
from .files import FileChange, WantedFile, apply_changes, plan_files, reverted
from .instance import Instance, LocalError
from .node import Node, NodeSpec
from .services import Service, await_ready, refresh, refresh_log, retire, test_configuration
from .state import claim, instance_lock
from .turns import await_return, turn


@dataclass(slots=True)
class Outcome:
    """What was (in check mode: would be) changed."""

    changes: list[FileChange]
    actions: list[str]

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.actions)


def ensure_absent(instance: Instance, name: str, *, check: bool) -> Outcome:
    """End a node and remove all of it."""
    node = Node(instance, name)
    there = node.dir.exists() or (network.NETNS / instance.namespace(name)).exists()
    if there and not check:
        node.stop()
        with instance_lock(instance):
            network.remove_link(instance, name)
        shutil.rmtree(node.dir, ignore_errors=True)
    return Outcome([], ["remove the node"] if there else [])


def ensure_stopped(instance: Instance, name: str, *, check: bool) -> Outcome:
    """End a node's processes and keep its data."""
    node = Node(instance, name)
    running = node.pid() is not None
    if running and not check:
        node.stop()
    return Outcome([], ["stop the node"] if running else [])


class Reconciler:
    """Brings one started node, as one owner describes it, to its wanted state."""

    def __init__(self, node: Node, owner: str, spec: NodeSpec, files: list[WantedFile], services: list[Service],
                 serving: str = ""):
        self.node, self.owner, self.services, self.serving = node, owner, services, serving
        self.spec = spec.resolved()
        self.wanted = [*files, *(item for service in services for item in service.wanted_files())]
        self._owners = node.dir / "owners" / f"{owner}.json"

    def run(self, *, check: bool, timeout: float) -> Outcome:
        """Plan and, unless check, do it. Raises LocalError; a refused configuration leaves the old files."""
        changes = plan_files(self.node.inside, self.wanted, self._owned_before())
        actions = self._plan_processes(check)
        if check:
            return Outcome(changes, actions)
        claim(self.node.instance, check=False)
        running = self.node.pid() is not None
        self._take(changes, running)
        if "restart the node" in actions:
            with turn(self.node, self.serving):
                self._start(timeout)
        elif not running:
            self._start(timeout)
        else:
            self._refresh(changes)
            await_ready(self.node, self.services, timeout)
        await_return(self.node, self.serving)
        return Outcome(changes, actions)

    def _start(self, timeout: float) -> None:
        self.node.stop()
        with instance_lock(self.node.instance):
            network.ensure_wan(self.node.instance, check=False)
            self.node.start(self.spec)
            faults.settle(self.node.instance, self.node.name)
        await_ready(self.node, self.services, timeout)

    def _owned_before(self) -> list[str]:
        try:
            return list(json.loads(self._owners.read_text()))
        except (OSError, ValueError):
            return []

    def _plan_processes(self, check: bool) -> list[str]:
        if self.node.pid() is None:
            return ["start the node"]
        if self.node.started_with() != self.spec:
            return ["restart the node"]
        instance, spec = self.node.instance, self.spec
        with instance_lock(instance):
            made = network.ensure_wan(instance, check=check)
            made |= network.ensure_link(instance, self.node.name, spec.subnet, list(spec.addresses), check=check)
        return ["mend its link"] if made else []

    def _take(self, changes: list[FileChange], running: bool) -> None:
        gone = [change.path.split("/")[1] for change in changes if _is_run_script(change) and change.after is None]
        apply_changes(self.node.inside, changes)
        if running:
            try:
                test_configuration(self.node, [item for item in self.services if _touched(item, changes)])
            except LocalError:
                apply_changes(self.node.inside, reverted(changes))
                raise
        for name in gone:
            retire(self.node, name)
        write_atomically(self._owners, json.dumps(sorted(item.path for item in self.wanted)), 0o600)

    def _refresh(self, changes: list[FileChange]) -> None:
        rewritten = {change.path for change in changes if _is_run_script(change)}
        for service in self.services:
            if any(service.logs_by(change.path) for change in changes):
                refresh_log(self.node, service)
            restart = f"service/{service.name}/run" in rewritten
            if restart or _touched(service, changes):
                refresh(self.node, service, restart=restart)


def _touched(service: Service, changes: list[FileChange]) -> bool:
    return any(service.reads(change.path) for change in changes)


def _is_run_script(change: FileChange) -> bool:
    parts = Path(change.path).parts
    return len(parts) == 3 and parts[0] == "service" and parts[2] == "run"
