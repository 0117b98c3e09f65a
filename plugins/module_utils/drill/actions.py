# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the steps of a drill are done on the local provider, and undone whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..durable import write_atomically
from ..local import faults
from ..local.commands import run
from ..local.instance import Instance, LocalError
from ..local.node import Node
from .scenarios import EDGES, OTHERS, REGIONS, TARGET, Step

NAMESPACE, DEPLOYMENT = "llm-verifier", "deployment/llm-verifier"
ROLLOUT_SECONDS = 90
AGENT, SETTINGS, FOLDER = "/node/service/routing-agent", "etc/routing/agent.json", "/node/data/routing"
HEALED_BY = {"down": "up", "freeze": "thaw", "cut": "heal", "slow": "heal"}

# A small file system over the agent's folder with what is in it, then filled to the last byte; and back.
FILL = f"""set -e
sv -w 20 force-stop {AGENT} >/dev/null
mkdir -p /run/drill && mount -t tmpfs -o size=64m,mode=0755 drill /run/drill
cp -a {FOLDER}/. /run/drill/ && mount --bind /run/drill {FOLDER}
sv up {AGENT} >/dev/null; sleep 2
dd if=/dev/zero of={FOLDER}/filler bs=4k >/dev/null 2>&1 || true
"""
EMPTY = f"""sv -w 20 force-stop {AGENT} >/dev/null
if mountpoint -q /run/drill; then
  rm -f /run/drill/filler
  ! mountpoint -q {FOLDER} || umount {FOLDER}
  cp -a /run/drill/. {FOLDER}/ && umount /run/drill && rmdir /run/drill
fi
sv up {AGENT} >/dev/null
"""


@dataclass
class Stage:
    """Where a drill plays: its target, all regions and edges. `undo` ends what was done, the last thing first."""

    instance: Instance
    tree: str
    target: str
    regions: tuple[str, ...]
    edges: tuple[str, ...]
    _ends: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict)

    def nodes(self, word: str) -> tuple[str, ...]:
        """The nodes that a word of a scenario stands for."""
        others = tuple(name for name in self.regions if name != self.target)
        return {TARGET: (self.target,), REGIONS: self.regions, EDGES: self.edges, OTHERS: others}.get(word, (word,))

    def do(self, step: Step) -> None:
        """Do a step on every node that it names. Raises LocalError."""
        for name in self.nodes(step.node):
            self._do(step, name)

    def undo(self) -> None:
        """End everything that is in force; what fails keeps nothing else from ending. Raises LocalError then."""
        wrong = []
        while self._ends:
            key = list(self._ends)[-1]
            try:
                self._ends.pop(key)()
            except (LocalError, OSError) as error:
                wrong.append(f"{' '.join(key)}: {error}")
        if wrong:
            raise LocalError(f"not ended: {'; '.join(wrong)}")

    def _do(self, step: Step, name: str) -> None:
        node = Node(self.instance, name)
        if step.do in faults.OPERATIONS:
            if step.do in HEALED_BY:
                self._ends[HEALED_BY[step.do], name] = lambda: self._operate(HEALED_BY[step.do], name, ())
            self._operate(step.do, name, step.words)
        elif step.do in ("stop", "kill"):
            for service in step.words:
                self._service(step.do, node, service)
        elif step.do == "environment":
            unset = [f"{word.partition('=')[0]}-" for word in step.words]
            self._ends["environment", name] = lambda: self._environment(name, unset)
            self._environment(name, list(step.words))
        elif step.do == "capacity":
            self._capacity(node, float(step.words[0]))
        elif step.do == "fill":
            self._ends["empty", name] = lambda: _script(node, EMPTY)
            _script(node, FILL)
        else:
            raise LocalError(f"a drill can't do {step.do!r}")

    def _service(self, do: str, node: Node, service: str) -> None:
        if do == "stop":
            self._ends["start", f"{node.name} {service}"] = lambda: _sv(node, service, "up")
            _sv(node, service, "-w", "20", "force-stop")
        else:
            _sv(node, service, "kill")

    def _operate(self, operation: str, name: str, others: tuple[str, ...]) -> None:
        names = [other for word in others for other in self.nodes(word)]
        target = faults.Target(name, self._subnet(name), tuple(self._subnet(other) for other in names))
        faults.operate(self.instance, self.tree, operation, target, check=False)

    def _subnet(self, name: str) -> int:
        spec = Node(self.instance, name).started_with()
        if spec is None:
            raise LocalError(f"node {name} was never started: run `make site`")
        return spec.subnet

    def _environment(self, region: str, words: list[str]) -> None:
        """Change the workload's environment and wait until only pods that have it are there."""
        state = self.instance.state_dir
        kubectl = [str(state / "opt/kubernetes/kubectl"), "--kubeconfig", str(state / "kubeconfigs" / region),
                   "-n", NAMESPACE]
        run([*kubectl, "set", "env", DEPLOYMENT, *words], timeout=30)
        run([*kubectl, "rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT_SECONDS}s"], timeout=ROLLOUT_SECONDS + 10)

    def _capacity(self, node: Node, capacity: float) -> None:
        path = node.inside / SETTINGS
        before = path.read_text()
        settings = json.loads(before)
        for region in settings["site"]["regions"]:
            region["capacity_rps"] = capacity
        self._ends["capacity", node.name] = lambda: _configure(node, path, before)
        _configure(node, path, json.dumps(settings))


def _configure(node: Node, path: Path, text: str) -> None:
    write_atomically(path, text, 0o600)
    _sv(node, "routing-agent", "-w", "20", "force-restart")


def _sv(node: Node, service: str, *words: str) -> None:
    if node.pid() is not None:  # services of a node that is down start with it
        node.run(["sv", *words, f"/node/service/{service}"], check=False)


def _script(node: Node, text: str) -> None:
    node.run(["sh"], stdin=text, timeout=90)
