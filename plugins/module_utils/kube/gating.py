# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module region_gate does, from its parameters to its result."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from .client import Cluster, KubeError, Unreachable
from .evidence import evidence
from .gate import Limits
from .probe import Endpoint
from .wait import Expectation, Gate, Outcome


def gate_stage(params: Mapping[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Wait for one region and judge it; in check mode one look at it."""
    where = f"{params['region'] or params['kubeconfig']}: {params['stage']}"
    try:
        cluster = Cluster(params["kubeconfig"], params["context"], tries=1)
    except Unreachable as error:
        return _result(where, Outcome("failed", "rollout", str(error)), params, [], [], check_mode)
    gate = Gate(cluster, _expectation(params), _teller(params))
    if check_mode:
        return _result(where, _looked(gate), params, [], [], check_mode)
    try:
        outcome = gate.wait()
    finally:
        _teller(params)("")
    events: list[str] = []
    lines: list[str] = []
    if outcome.state == "failed":
        subject = outcome.subject if outcome.phase == "rollout" else f"Deployment {params['deployments'][0]}"
        events, lines = evidence(cluster, subject, outcome.trouble, params["mask_secrets"])
    return _result(where, outcome, params, events, lines, check_mode)


def _looked(gate: Gate) -> Outcome:
    try:
        return gate.look()
    except KubeError as error:
        return Outcome("waiting", "rollout", str(error))


def _expectation(params: Mapping[str, Any]) -> Expectation:
    endpoint = None
    if params["endpoint"]:
        endpoint = Endpoint(
            params["endpoint"], params["port"], params["host"] or params["endpoint"], params["tls"], params["ca_file"]
        )
    return Expectation(
        deployments=tuple(params["deployments"]),
        digest=params["digest"],
        endpoint=endpoint,
        paths=tuple(params["paths"]),
        headers={str(name): str(value) for name, value in params["headers"].items()},
        headers_required=params["headers_required"],
        limits=Limits(
            stuck=params["stuck_seconds"],
            restarts=params["max_restarts"],
            soak=params["soak_seconds"],
            patience=params["patience_seconds"],
            minimum_sample=params["minimum_sample"],
            error_ratio=params["error_ratio"],
        ),
        deadline=params["deadline_seconds"],
        interval=params["interval_seconds"],
    )


def _teller(params: Mapping[str, Any]) -> Callable[[str], None]:
    """Writes what is being waited for where the board reads it; an empty line takes it away."""
    folder, region = params["progress_dir"], params["region"]

    def tell(line: str) -> None:
        if not folder or not region or not os.path.isdir(folder):
            return
        path = os.path.join(folder, region)
        try:
            if line:
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(f"{line}\n")
            elif os.path.exists(path):
                os.unlink(path)
        except OSError:
            pass

    return tell


def _result(
    where: str, outcome: Outcome, params: Mapping[str, Any], events: list[str], lines: list[str], check_mode: bool
) -> dict[str, Any]:
    failed = outcome.state == "failed" and not check_mode
    bad = sum(1 for sample in outcome.samples if sample.fault)
    text = f"{where}: {outcome.subject + ': ' if outcome.subject else ''}{outcome.text}"
    if failed:
        text += (
            _listed("last events", events) + _listed("last log lines", lines) + f"\n  next: {_next(outcome, params)}"
        )
    return {
        "failed": failed,
        "changed": False,
        "msg": text,
        "outcome": "planned" if check_mode and outcome.state != "passed" else outcome.state,
        "phase": outcome.phase,
        "seconds": round(outcome.seconds, 1),
        "samples": len(outcome.samples),
        "error_ratio": round(bad / len(outcome.samples), 4) if outcome.samples else 0.0,
        "slowest_seconds": round(max((sample.seconds for sample in outcome.samples), default=0.0), 3),
        "events": events,
        "log": lines,
    }


def _listed(title: str, lines: list[str]) -> str:
    return f"\n  {title}:\n" + "\n".join(f"    {line}" for line in lines) if lines else ""


def _next(outcome: Outcome, params: Mapping[str, Any]) -> str:
    kubectl = f"kubectl --kubeconfig {params['kubeconfig']}"
    if outcome.trouble:
        return f"{kubectl} -n {outcome.trouble.namespace} describe pod {outcome.trouble.pod}"
    if outcome.phase == "answers":
        scheme = "https" if params["tls"] else "http"
        host, port = params["host"] or params["endpoint"], params["port"]
        trust = f" --cacert {params['ca_file']}" if params["ca_file"] else ""
        return f"curl -v --connect-to {host}:{port}:{params['endpoint']}:{port}{trust} {scheme}://{host}:{port}{params['paths'][0]}"
    namespace, _unused, name = params["deployments"][0].partition("/")
    return f"{kubectl} -n {namespace} describe deployment {name}" if outcome.subject else f"{kubectl} get --raw /readyz"
