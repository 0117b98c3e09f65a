# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the steps of a drill are done on the local provider, and undone whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..bundle import source_of
from ..durable import write_atomically
from ..local import faults
from ..local.commands import run
from ..local.instance import Instance, LocalError
from ..local.node import Node
from . import doctored
from .scenarios import EDGES, OTHERS, REGIONS, SHORT_HOLDS, TARGET, Step

NAMESPACE, DEPLOYMENT = "llm-verifier", "deployment/llm-verifier"
ROLLOUT_SECONDS = 90
AGENT, SETTINGS, FOLDER = "/node/service/routing-agent", "etc/routing/agent.json", "/node/data/routing"
REFUSED, KILLED = 3, 128 + signal.SIGKILL
"""Exit statuses: of an agent beside which another one runs, and of a shell whose program was killed."""
RUN_DOCTORED = """python3 /node/data/drill/doctored.py {}
status=$?
sv up {}
exit $status
"""
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
    _doctored: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
        node, first = Node(self.instance, name), step.words[0] if step.words else ""
        if step.do in faults.OPERATIONS:
            if step.do in HEALED_BY:
                self._ends[HEALED_BY[step.do], name] = lambda: self._operate(HEALED_BY[step.do], name, ())
            self._operate(step.do, name, step.words)
            return
        actions: dict[str, Callable[[], None]] = {
            "stop": lambda: self._stop(node, step.words),
            "pause": lambda: self._pause(node, step.words),
            "resume": lambda: self._resume(node, step.words),
            "environment": lambda: self._environment_of(name, step.words),
            "capacity": lambda: self._settle(node, "capacity", lambda settings: _limit(settings, float(first))),
            "holds": lambda: self._settle(node, "holds", lambda settings: settings["policy"].update(
                failback={**settings["policy"].get("failback", {}), **SHORT_HOLDS})),
            "fill": lambda: self._fill(node),
            "clock": lambda: self._clock(node, first),
            "dying": lambda: self._doctor(node, "dying"),
            "rival": lambda: _rival(node),
            "takeover": lambda: self._takeover(node),
        }
        if step.do not in actions:
            raise LocalError(f"a drill can't do {step.do!r}")
        actions[step.do]()

    def _stop(self, node: Node, services: tuple[str, ...]) -> None:
        for service in services:
            self._ends["start", f"{node.name} {service}"] = partial(_sv, node, service, "up")
            _sv(node, service, "-w", "20", "force-stop")

    def _pause(self, node: Node, services: tuple[str, ...]) -> None:
        for service in services:
            self._ends["resume", f"{node.name} {service}"] = partial(_sv, node, service, "cont")
            _sv(node, service, "pause")

    def _resume(self, node: Node, services: tuple[str, ...]) -> None:
        for service in services:
            self._ends.pop(("resume", f"{node.name} {service}"))()

    def _fill(self, node: Node) -> None:
        self._ends["empty", node.name] = lambda: _script(node, EMPTY)
        _script(node, FILL)

    def _takeover(self, node: Node) -> None:
        """Make a node's agent the active one, for as long as the drill lasts."""
        first = Node(self.instance, self.edges[0])
        self._ends["takeover", first.name] = partial(_take_over, first)
        _take_over(node)

    def _clock(self, node: Node, seconds: str) -> None:
        write_atomically(node.inside / doctored.AHEAD, seconds, 0o600)
        if node.name not in self._doctored:
            self._doctor(node, "clock")

    def _doctor(self, node: Node, how: str) -> None:
        """Run the agent with something wrong in its place; once that has ended by itself the service is up again."""
        path = node.inside / "data/drill/doctored.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source_of(doctored.__name__)[0], encoding="utf-8")
        self._ends["agent", node.name] = lambda: self._undoctor(node, how)
        _sv(node, "routing-agent", "-w", "20", "force-stop")
        script = RUN_DOCTORED.format(how, AGENT)
        self._doctored[node.name] = subprocess.Popen(
            ["nice", "-n", "-10", *node.enter(), "sh", "-c", script], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def _undoctor(self, node: Node, how: str) -> None:
        """The agent as it was. LocalError when it ended though it should not have, or did not though it should."""
        agent = self._doctored.pop(node.name)
        ended = agent.poll()
        if ended is None:
            os.killpg(agent.pid, signal.SIGTERM)
            agent.wait(20)
        (node.inside / doctored.AHEAD).unlink(missing_ok=True)
        _sv(node, "routing-agent", "up")
        if ended != (KILLED if how == "dying" else None):
            raise LocalError(f"the agent with {how} {'did not end' if ended is None else f'ended with {ended}'}")

    def _operate(self, operation: str, name: str, others: tuple[str, ...]) -> None:
        names = [other for word in others for other in self.nodes(word)]
        target = faults.Target(name, self._subnet(name), tuple(self._subnet(other) for other in names))
        faults.operate(self.instance, self.tree, operation, target, check=False)

    def _subnet(self, name: str) -> int:
        spec = Node(self.instance, name).started_with()
        if spec is None:
            raise LocalError(f"node {name} was never started: run `make site`")
        return spec.subnet

    def _environment_of(self, region: str, words: tuple[str, ...]) -> None:
        unset = [f"{word.partition('=')[0]}-" for word in words]
        self._ends["environment", region] = lambda: self._environment(region, unset)
        self._environment(region, list(words))

    def _environment(self, region: str, words: list[str]) -> None:
        """Change the workload's environment and wait until only pods that have it are there."""
        state = self.instance.state_dir
        kubectl = [str(state / "opt/kubernetes/kubectl"), "--kubeconfig", str(state / "kubeconfigs" / region),
                   "-n", NAMESPACE]
        run([*kubectl, "set", "env", DEPLOYMENT, *words], timeout=30)
        run([*kubectl, "rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT_SECONDS}s"], timeout=ROLLOUT_SECONDS + 10)

    def _settle(self, node: Node, what: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change what a node's agent is told; nothing to do where it is told so already."""
        path = node.inside / SETTINGS
        before = path.read_text(encoding="utf-8")
        settings = json.loads(before)
        change(settings)
        if settings != json.loads(before):
            self._ends[what, node.name] = lambda: _configure(node, path, before)
            _configure(node, path, json.dumps(settings))


def _limit(settings: dict[str, Any], capacity: float) -> None:
    for region in settings["site"]["regions"]:
        region["capacity_rps"] = capacity


def _configure(node: Node, path: Path, text: str) -> None:
    write_atomically(path, text, 0o600)
    _sv(node, "routing-agent", "-w", "20", "force-restart")


def _sv(node: Node, service: str, *words: str) -> None:
    if node.pid() is not None:  # services of a node that is down start with it
        node.run(["sv", *words, f"/node/service/{service}"], check=False)


def _script(node: Node, text: str) -> None:
    node.run(["sh"], stdin=text, timeout=90)


def _rival(node: Node) -> None:
    """A second agent beside the first. LocalError when it isn't refused."""
    said = node.run(["timeout", "30", "python3", doctored.AGENT, "serve"], check=False)
    if said.returncode != REFUSED:
        raise LocalError(f"a second agent on {node.name} was not refused: {said.stdout}{said.stderr}"[-1000:])


def _take_over(node: Node) -> None:
    _sv(node, "routing-agent", "cont")
    node.run(["timeout", "50", "python3", doctored.AGENT, "takeover"], stdin='{"write": true}')
