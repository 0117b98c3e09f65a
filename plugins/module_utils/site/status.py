# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every node is doing now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..local import faults
from ..local.instance import Instance, LocalError
from ..local.node import Node


def node_state(instance: Instance, name: str, fault: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node's state: whether it runs, its faults, its services and those of them that are down."""
    node = Node(instance, name)
    running = node.pid() is not None
    services: list[str] = []
    down: list[str] = []
    if running and not fault.get("frozen"):
        services = sorted(entry.name for entry in (node.inside / "service").glob("*") if entry.is_dir())
        paths = [f"/node/service/{service}" for service in services]
        try:
            said = node.run(["sv", "status", *paths], check=False, timeout=10).stdout.splitlines()
            down = [line.split("/")[-1].split(":")[0] for line in said if not line.startswith("run:")]
        except LocalError:
            down = ["unknown"]
    return {"running": running, "faults": dict(fault), "services": len(services), "down": down}


def survey(instance: Instance, nodes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the state of every node."""
    known = faults.load(instance)
    return {name: node_state(instance, name, known.get(name, {})) for name in nodes}


def describe(state: Mapping[str, Any]) -> str:
    """Return a node's state in words."""
    if not state["running"]:
        return "down (by a fault)" if state["faults"].get("down") else "not running"
    words = [f"{key} {value}" if key in ("slow", "cut") else key for key, value in state["faults"].items()]
    if state["down"]:
        words.append(f"services down: {', '.join(state['down'])}")
    return "; ".join(words) or f"running, {state['services']} services"


def text(nodes: Mapping[str, Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return nodes and answers as people read them."""
    width = max((len(name) for name in nodes), default=0)
    lines = ["", "NODES", *(f"  {name:<{width}}  {describe(state)}" for name, state in nodes.items()), "", "ANSWERS"]
    for row in rows:
        answer = row["answer"]
        served = answer["error"] or f"{answer['region']} by {answer['address']}, {answer['seconds'] * 1000:.0f} ms"
        lines.append(f"  {row['geography']:<14}  {served}  (in order: {', '.join(row['order'])})")
    return "\n".join(lines)
