# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scaling drill on the local provider: load on one region's own address, then more, then less; a look at its pods."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from ..kube.client import Cluster, KubeError
from ..kube.objects import Key, Kind
from ..local.commands import run
from ..local.instance import Instance, LocalError
from ..local.node import Node
from ..local.progress import report as progress
from .run import FOLDER, install, recorded, running
from .scaling import Course, Report, Sample, analyse, text
from .tokens import signing_key, token

LOAD_SECONDS = 1800.0
"""More than a drill ever takes: its load is stopped by hand."""
BUSY_SECONDS = 6
BUSY = f"""
import time
used, begun = time.process_time(), time.monotonic()
while time.monotonic() - begun < {BUSY_SECONDS}:
    pass
print((time.process_time() - used) / (time.monotonic() - begun))
"""


@dataclass(frozen=True)
class Plan:
    """What a scaling drill does. Times in seconds, rates in requests a second, ``cores`` a pod's limit.

    ``before`` is spent at the first rate, ``during`` at ``factor`` times it, ``after`` at most until all is as before.
    """

    client: str
    region: str
    address: str
    kubeconfig: str
    namespace: str
    name: str
    domain: str
    ca_file: Path
    rate: float
    factor: float
    before: float
    during: float
    after: float
    objective_seconds: float
    stable_seconds: float
    cores: float


@dataclass
class _Look:
    """Keeps samples of the region's Deployment while time passes. Raises LocalError when a load ends too early."""

    plan: Plan
    cluster: Cluster
    loads: list[subprocess.Popen[str]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def once(self) -> None:
        for load in self.loads:
            if load.poll() is not None:
                raise LocalError(f"the load ended too early: {load.stderr.read()[-1000:] if load.stderr else ''}")
        try:
            self.samples.append(sample(self.cluster, self.plan))
        except KubeError:  # one look more or less
            return

    def until(self, seconds: float, over: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not over():
            self.once()
            time.sleep(max(0.0, min(1.0, end - time.monotonic())))


def sample(cluster: Cluster, plan: Plan) -> Sample:
    """Look at the Deployment and its autoscaler. Raises KubeError."""
    item = cluster.read(Key(Kind("apps/v1", "Deployment"), plan.namespace, plan.name)) or {}
    horizontal = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
    scaler = cluster.read(Key(horizontal, plan.namespace, f"{plan.name}-hpa")) or {}
    metrics = (scaler.get("status") or {}).get("currentMetrics") or []
    shown = [metric["resource"]["current"].get("averageUtilization") for metric in metrics if metric.get("resource")]
    status = item.get("status") or {}
    wanted = int((item.get("spec") or {}).get("replicas") or 0)
    return Sample(time.time(), wanted, int(status.get("readyReplicas") or 0), shown[0] if shown else None)


def busy_cores(instance: Instance, plan: Plan) -> float:
    """Keep one pod busy for some seconds and return the cores that it got."""
    kubectl = [str(instance.state_dir / "opt/kubernetes/kubectl"), "--kubeconfig", plan.kubeconfig]
    command = [*kubectl, "-n", plan.namespace, "exec", f"deployment/{plan.name}", "--", "python3", "-c", BUSY]
    return float(run(command, timeout=BUSY_SECONDS * 10).stdout)


def settings(instance: Instance, plan: Plan, rate: float) -> dict[str, Any]:
    """What the load client is told: one try a request, so that what is late is seen."""
    key = signing_key(instance, [plan.region])
    return {"host": f"api.{plan.domain}", "addresses": [plan.address], "token": token(key, time.time()),
            "cafile": f"/node/{FOLDER}/ca.pem", "rate": rate, "plain_rate": 0, "seconds": LOAD_SECONDS, "attempts": 1,
            "connect_seconds": 2, "stop": f"/node/{FOLDER}/stop"}  # fmt: skip


def carry_out(instance: Instance, plan: Plan, progress_file: str | None) -> Report:
    """Do it all; return the figures. Raises LocalError or KubeError."""
    client = Node(instance, plan.client)
    install(client, plan.ca_file)
    progress(progress_file, f"{plan.region}: how much of a core does a busy pod get?")
    cores = busy_cores(instance, plan)
    look = _Look(plan, Cluster(plan.kubeconfig, tries=1, timeout=5))
    stops = {name: client.inside / FOLDER / name for name in ("base", "more")}
    for path in stops.values():
        path.unlink(missing_ok=True)
    with ExitStack() as stack:

        def begin(name: str, rate: float) -> None:
            progress(progress_file, f"{plan.region}: {rate:g} requests/s" + (" more" if name == "more" else ""))
            words = {**settings(instance, plan, rate), "stop": f"/node/{FOLDER}/{name}"}
            look.loads.append(stack.enter_context(running(client, "load", words, name)))

        begun = time.time()
        begin("base", plan.rate)
        look.until(plan.before)
        if not look.samples:
            raise LocalError(f"{plan.region}: its API does not answer")
        first = look.samples[-1].wanted
        more_at = time.time()
        begin("more", plan.rate * (plan.factor - 1))
        look.until(plan.during)
        more = look.loads.pop()
        less_at = time.time()
        _stop(more, stops["more"])
        progress(progress_file, f"{plan.region}: {plan.rate:g} requests/s again")
        look.until(plan.after, lambda: max(look.samples[-1].wanted, look.samples[-1].ready) <= first)
        look.once()
        ended = time.time()
        _stop(look.loads.pop(), stops["base"])
    course = Course(plan.region, plan.rate, plan.factor, begun, more_at, less_at, ended, plan.objective_seconds,
                    plan.stable_seconds, plan.cores, round(cores, 4))  # fmt: skip
    return analyse(course, look.samples, [*recorded(client, "base"), *recorded(client, "more")])


def _stop(load: subprocess.Popen[str], stop: Path) -> None:
    stop.touch()
    try:
        load.wait(timeout=60)
    except subprocess.TimeoutExpired as error:
        raise LocalError("the load did not end") from error


def keep(plan: Plan, folder: Path, report: Report, stamp: str) -> dict[str, str]:
    """Write the report as text and JSON; return the paths."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = {kind: str(folder / f"{stamp}-{plan.region}-scale.{kind}") for kind in ("txt", "json")}
    write_atomically(Path(paths["txt"]), text(report) + "\n", 0o600)
    write_atomically(Path(paths["json"]), json.dumps(report.as_dict(), indent=2) + "\n", 0o600)
    return paths
