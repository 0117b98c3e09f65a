# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill on the local provider: load from a client, a fault, its end, the figures."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..bundle import UTILS, closure
from ..durable import write_atomically
from ..local.instance import Instance, LocalError
from ..local.node import Node
from ..local.progress import report as progress
from ..routing.budget import TICK_SECONDS, budget
from ..routing.model import Policy
from . import load, watch
from .actions import SETTINGS, Stage
from .evidence import Limits, partly
from .judge import Engine, judge, summary
from .log import KEPT, decisions, sample
from .picture import picture
from .report import Moments, Report, analyse, text
from .scenarios import EDGES, UNHURRIED_SECONDS, Scenario, Step, scenario
from .tokens import signing_key, token

SENT = (load, watch)
FOLDER = "data/drill"
LONGER_SECONDS = 120.0
"""How much longer than planned a drill may take: until pods run with another environment, until nodes are up."""
SETTLE_SECONDS = 90.0
"""How long the engine may take, after the load, until every region is admitted wholly again."""
PREPARED = ("environment", "capacity")
LOST, RELIEVED = ("down", "cut", "freeze"), ("up", "heal", "thaw")


@dataclass(frozen=True)
class Plan:
    """What a drill does. Times in seconds, rates in requests a second.

    ``client`` sends the load, ``watcher`` asks the name servers; ``edges`` are name and address; ``target`` fails.
    """

    client: str
    watcher: str
    target: str
    name: str
    regions: tuple[str, ...]
    domain: str
    edges: tuple[tuple[str, str], ...]
    ca_file: Path
    rate: float
    plain_rate: float
    before: float
    during: float
    after: float

    def __post_init__(self) -> None:
        if self.prepared:
            object.__setattr__(self, "before", 0.0)  # the fault begins with the first request

    @property
    def prepared(self) -> bool:
        """Whether the fault is made before the load and ended after it: pods begin anew, which takes processors."""
        return any(step.do in PREPARED for step in self.scenario.steps)

    @property
    def seconds(self) -> float:
        return self.before + self.during + self.after

    @property
    def is_region(self) -> bool:
        return self.target in self.regions

    @property
    def scenario(self) -> Scenario:
        return scenario(self.name)


@dataclass(frozen=True)
class Found:
    """All that a drill showed."""

    report: Report
    engine: Engine
    drawing: str
    title: str

    def as_dict(self) -> dict[str, Any]:
        """The figures, with what the status page wants of a drill."""
        return {**self.report.as_dict(), **self.engine.as_dict(), "title": self.title}

    def text(self) -> str:
        return f"{text(self.report)}\n{summary(self.engine, self.report)}"


def probes(plan: Plan) -> list[dict[str, Any]]:
    """Return what is watched: each edge's DNS answers and, for a region, each edge's belief in it."""
    found: list[dict[str, Any]] = []
    for name, address in plan.edges:
        found.append({"kind": "dns", "label": f"{name} dns", "server": address, "name": f"api.{plan.domain}"})
        if plan.is_region:
            found.append({"kind": "check", "label": f"{name} check", "address": address, "region": plan.target})
    return found


def sources() -> dict[str, str]:
    """Return the sources of load and watch and of all that they import, by their path below the package's folder."""
    found = {"module_utils/__init__.py": ""}
    for module in SENT:
        for name, (source, package) in closure(module.__name__).items():
            path = f"module_utils{name.removeprefix(UTILS)}".replace(".", "/")
            found[f"{path}/__init__.py" if package else f"{path}.py"] = source
    return found


def install(node: Node, ca_file: Path) -> None:
    """Put the programs of load and watch, and the root certificate, into a node."""
    folder = node.inside / FOLDER
    for name, source in sources().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    (folder / "ca.pem").write_bytes(ca_file.read_bytes())


@contextlib.contextmanager
def running(node: Node, program: str, settings: dict[str, Any], name: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run a program of the drill inside a node; it has ended, one way or another, when this is left.

    What it writes is named like the program, or ``name``.
    """
    settings = {**settings, "output": f"/node/{FOLDER}/{name or program}.jsonl"}
    # Ahead of others on the machine, or the load client would measure its own wait for a core.
    python = [f"PYTHONPATH=/node/{FOLDER}", "python3", "-m", f"module_utils.drill.{program}"]
    command = ["nice", "-n", "-10", *node.enter(), *python]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(settings))  # by a pipe: the settings hold a token
            process.stdin.close()
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def recorded(node: Node, program: str) -> list[dict[str, Any]]:
    """What a program wrote: one object a line."""
    with (node.inside / FOLDER / f"{program}.jsonl").open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.endswith("\n")]


def limits(settings: dict[str, Any]) -> Limits:
    """Return the figures of an agent's settings that a drill is measured against."""
    policy = Policy.from_dict(settings["policy"])
    return Limits(
        budget={line.kind: asdict(line)
                for line in budget(policy, float(settings.get("tick_seconds", TICK_SECONDS)))},
        error_ratio=policy.health.error_ratio, slow_ratio=1 - policy.health.latency_percentile)


def carry_out(instance: Instance, tree: str, plan: Plan, progress_file: str | None) -> Found:
    """Do it all and end every fault whatever happens; return figures and picture. Raises LocalError."""
    client, watcher = Node(instance, plan.client), Node(instance, plan.watcher)
    for node in (client, watcher):
        install(node, plan.ca_file)
    edges = [Node(instance, name) for name, _address in plan.edges]
    measure, began = limits(json.loads((edges[0].inside / SETTINGS).read_text())), time.time()
    stage, holds = (Stage(instance, tree, plan.target, plan.regions, tuple(node.name for node in edges))
                    for _stage in range(2))
    samples: list[dict[str, Any]] = []
    try:
        progress(progress_file, "the policy's way back in seconds instead of minutes")
        holds.do(Step(do="holds", node=EDGES))
        moments = _play(stage, plan, (client, watcher), samples, progress_file)
        progress(progress_file, "until every region is admitted wholly again")
        _Look(edges, samples).settle(moments.back_at + 3.0)
    finally:
        holds.undo()
    records = recorded(client, "load")
    if plan.prepared:  # the fault was there: it begins with the first request
        moments = replace(moments, fault_at=min((record["start"] for record in records), default=moments.fault_at))
    report = analyse(records, recorded(watcher, "watch"), moments)
    entries, rows = decisions(edges, began)
    engine = judge(report, moments, plan.scenario.expected, measure, records, entries, rows, samples)
    return Found(report, engine, picture(records, moments, engine.moves), plan.scenario.title)


def _play(stage: Stage, plan: Plan, nodes: tuple[Node, Node], samples: list[dict[str, Any]],
          progress_file: str | None) -> Moments:
    """The load, the fault in it and the end of both; returns when. `samples` grows by what the status page says."""
    client, watcher = nodes
    edges = [Node(stage.instance, name) for name in stage.edges]
    stop = client.inside / FOLDER / "stop"
    stop.unlink(missing_ok=True)
    try:
        prepare(stage, plan, progress_file)
        with (running(client, "load", _load_settings(stage.instance, plan)) as sender,
              running(watcher, "watch", {"seconds": plan.seconds + LONGER_SECONDS, "interval": 0.2,
                                         "probes": probes(plan)})):
            progress(progress_file, f"{plan.rate:.0f} requests/s from {plan.client}")
            look = _Look(edges, samples, sender)
            look.until(time.monotonic() + 0.5 + plan.before)
            moments = _fault(stage, plan, look, progress_file)
            if not plan.prepared:
                look.until(time.monotonic() + plan.after)
            stop.touch()
            progress(progress_file, "waiting for the last answers")
            try:
                sender.wait(timeout=120)
            except subprocess.TimeoutExpired as error:
                raise LocalError(f"the load client did not end: see {client.inside / FOLDER}") from error
    finally:
        stage.undo()
    if sender.returncode:
        raise LocalError(f"the load client failed: {sender.stderr.read()[-1000:] if sender.stderr else ''}")
    return moments


def _load_settings(instance: Instance, plan: Plan) -> dict[str, Any]:
    key, patience = signing_key(instance, plan.regions), plan.scenario.patience
    wait = patience or UNHURRIED_SECONDS
    lost = any(step.do in LOST and not step.words for step in plan.scenario.steps)
    return {"host": f"api.{plan.domain}", "token": token(key, time.time()), "rate": plan.rate,
            "plain_rate": plan.plain_rate, "cafile": f"/node/{FOLDER}/ca.pem",
            "patience": patience, "attempt_seconds": wait - 0.2, "deadline_seconds": wait + 8.0,
            "seconds": plan.seconds + LONGER_SECONDS, "stop": f"/node/{FOLDER}/stop",
            "long_at": [max(plan.before - 2.0, 0.0)] if lost else []}


def prepare(stage: Stage, plan: Plan, progress_file: str | None) -> None:
    """Do what takes long under load: pods and agents begin anew. Without requests it hurts nobody."""
    for step in plan.scenario.steps:
        if step.do in PREPARED:
            progress(progress_file, _progress(plan, step))
            stage.do(step)


class _Look:
    """Waits, and meanwhile keeps what the status page says. Raises LocalError when the load ends too early."""

    def __init__(self, edges: list[Node], samples: list[dict[str, Any]],
                 sender: subprocess.Popen[str] | None = None) -> None:
        self._edges, self._samples, self._sender = edges, samples, sender

    def once(self) -> None:
        found = sample(self._edges)
        if found:
            self._samples.append(found)
        time.sleep(0.3)

    def settle(self, since: float) -> None:
        """Until a page from after `since` (seconds since the epoch) has every region admitted wholly, or time is up."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            self.once()
            if self._samples and self._samples[-1]["at"] >= since and not partly(self._samples[-1]):
                return

    def until(self, moment: float) -> None:
        while time.monotonic() < moment:
            if self._sender is not None and self._sender.poll() is not None:
                said = self._sender.stderr.read()[-1000:] if self._sender.stderr else ""
                raise LocalError(f"the load client ended too early: {said or 'nothing said'}")
            if moment - time.monotonic() > 1.0:
                self.once()
            else:
                time.sleep(max(0.0, min(0.05, moment - time.monotonic())))


def _fault(stage: Stage, plan: Plan, look: _Look, progress_file: str | None) -> Moments:
    """Do the steps and, unless they were prepared, end everything again; return when."""
    start = time.monotonic()
    times = {"fault": time.time()}
    try:
        for step in sorted(plan.scenario.steps, key=lambda step: step.at):
            if step.do not in PREPARED:
                look.until(start + step.at)
                progress(progress_file, _progress(plan, step))
                if step.do in LOST and "lost" not in times:  # what only prepares it isn't the fault
                    times["fault"] = times["lost"] = time.time()
                if step.do in RELIEVED:
                    times.setdefault("relief", time.time())
                    times.setdefault(step.do, time.time())
                stage.do(step)
        look.until(start + plan.during)
    finally:
        back_at = time.time()
        progress(progress_file, "the end of the fault")
        if not plan.prepared:
            stage.undo()
    struck = {name for step in plan.scenario.steps for name in stage.nodes(step.node) if name in plan.regions}
    return Moments(plan.target, plan.name, plan.is_region, times["fault"], back_at, tuple(sorted(struck)),
                   dict(plan.edges).get(plan.target, ""), times.get("relief", back_at), times.get("up", back_at))


def _progress(plan: Plan, step: Step) -> str:
    node = plan.target if step.node == "target" else step.node
    return " ".join([f"{node}: {step.do}", *step.words])


def keep(instance: Instance, plan: Plan, folder: Path, found: Found, stamp: str) -> dict[str, str]:
    """Write the report as text, JSON and picture, and put the JSON beside each edge's status page; return the paths."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = folder / f"{stamp}-{plan.target}-{plan.name}"
    figures = json.dumps(found.as_dict(), indent=2) + "\n"
    contents = {"txt": found.text() + "\n", "json": figures, "svg": found.drawing}
    paths = {kind: f"{base}.{kind}" for kind in contents}
    for kind, content in contents.items():
        write_atomically(Path(paths[kind]), content, 0o600)
    for name, _address in plan.edges:
        page = Node(instance, name).inside / "data/routing/drills"
        page.mkdir(mode=0o755, exist_ok=True)
        write_atomically(page / f"{base.name}.json", figures, 0o600)
        for old in sorted(page.glob("*.json"))[:-KEPT]:
            old.unlink()
    return paths
