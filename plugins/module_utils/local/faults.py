# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a drill makes on purpose: a node down or frozen, a link cut or slow; remembered while they last."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from . import network
from .instance import Instance, LocalError
from .node import Node
from .state import instance_lock

EVERYTHING = "everything"
OPERATIONS = ("down", "up", "freeze", "thaw", "cut", "slow", "heal")


@dataclass(frozen=True, slots=True)
class Target:
    """The node that a fault is about, and the networks that a cut separates it from (empty: from everything)."""

    name: str
    subnet: int
    others: tuple[int, ...] = ()
    kilobits: int = 8


def load(instance: Instance) -> dict[str, dict[str, Any]]:
    """The faults in force: node -> {"down": true, "frozen": true, "slow": kilobits, "cut": [networks]}.

    A fault lasts as long as what carries it: a reboot, a node that was started and a link that was made anew end it,
    whatever the record says.
    """
    found = {name: _in_force(instance, name, fault) for name, fault in _recorded(instance).items()}
    return {name: fault for name, fault in found.items() if fault}


def _in_force(instance: Instance, name: str, fault: dict[str, Any]) -> dict[str, Any]:
    node = Node(instance, name)
    running, spec = node.pid() is not None, node.started_with()
    holds: dict[str, Callable[[], bool]] = {
        "down": lambda: not running,
        "frozen": lambda: running,
        "slow": lambda: network.is_slow(instance, name),
        "cut": lambda: spec is not None and network.has_cuts(instance, spec.tree),
    }
    return {key: value for key, value in fault.items() if holds[key]()}


def settle(instance: Instance, started: str) -> None:
    """Keep of the record what is in force now that a node was started, which ended its frost. Under the lock."""
    recorded, kept = _recorded(instance), load(instance)
    kept.get(started, {}).pop("frozen", None)
    if kept != recorded:
        _keep(instance, kept)


def _recorded(instance: Instance) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(_record(instance).read_text()))
    except (OSError, ValueError):
        return {}


def _keep(instance: Instance, faults: dict[str, dict[str, Any]]) -> None:
    write_atomically(_record(instance), json.dumps({key: value for key, value in faults.items() if value}), 0o600)


def _record(instance: Instance) -> Path:
    return instance.state_dir / "faults.json"


def wanted_faults(operation: str, target: Target, before: dict[str, Any], prefix: str) -> dict[str, Any]:
    """What a node's faults are after an operation. Raises LocalError when it isn't one of OPERATIONS."""
    cuts = [f"{prefix}.{subnet}.0/24" for subnet in target.others] or [EVERYTHING]
    changes: dict[str, dict[str, Any]] = {
        "down": {"down": True}, "up": {"down": None, "frozen": None}, "freeze": {"frozen": True},
        "thaw": {"frozen": None}, "slow": {"slow": target.kilobits},
        "cut": {"cut": sorted({*before.get("cut", []), *cuts})},
        "heal": {"cut": None, "slow": None, "frozen": None},
    }
    if operation not in changes:
        raise LocalError(f"operation {operation!r}: allowed are {', '.join(OPERATIONS)}")
    merged = {**before, **changes[operation]}
    return {key: value for key, value in merged.items() if value is not None}


def operate(instance: Instance, tree: str, operation: str, target: Target, *, check: bool) -> bool:
    """Make or heal a fault; returns whether anything changed. Raises LocalError."""
    node = Node(instance, target.name)
    with instance_lock(instance):
        faults = load(instance)
        before = faults.get(target.name, {})
        after = wanted_faults(operation, target, before, instance.prefix)
        restart = operation == "up" and node.pid() is None
        if (before == after and not restart) or check:
            return before != after or restart
        # The record comes first: whoever looks sees what was meant even if we die half-way.
        faults = {**faults, target.name: after}
        _keep(instance, faults)
        _bring_about(instance, tree, node, target, before, after, faults)
        if restart:
            spec = node.started_with()
            if spec is None:
                raise LocalError(f"node {target.name} was never started: run `make site`")
            network.ensure_wan(instance, check=False)
            node.start(spec)
    return True


def _bring_about(
    instance: Instance, tree: str, node: Node, target: Target, before: dict[str, Any], after: dict[str, Any],
    faults: dict[str, dict[str, Any]],
) -> None:
    if before.get("cut") != after.get("cut"):
        network.apply_cuts(instance, tree, list(cut_pairs(instance, faults)))
    if before.get("slow") != after.get("slow"):
        network.slow_link(instance, target.name, target.subnet, after.get("slow"))
    if before.get("frozen") and not after.get("frozen"):
        node.thaw()
    if after.get("frozen") and not before.get("frozen"):
        node.freeze()
    if after.get("down") and not before.get("down"):
        node.stop()


def cut_pairs(instance: Instance, faults: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """Every cut as a pair of networks for network.fault_rules."""
    pairs = []
    for name, fault in sorted(faults.items()):
        spec = Node(instance, name).started_with()
        if spec is None:
            continue
        near = f"{instance.prefix}.{spec.subnet}.0/24"
        for far in fault.get("cut", []):
            pairs.append({"from": near} if far == EVERYTHING else {"from": near, "to": far})
    return pairs
