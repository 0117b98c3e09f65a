# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control host's side: which edge is active, and its agent's commands run there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..local.instance import Instance, LocalError
from ..local.node import Node

AGENT = "/node/etc/routing/agent.pyz"
SECONDS = 60.0
"""How long a command may take: waiting for a lock and for answers to follow is in it."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class RemoteError(Exception):
    """An edge could not be asked or refused; the text says why and what to do."""


class UnreachedError(RemoteError):
    """An edge isn't there, or has no agent."""


class ElsewhereError(RemoteError):
    """Another edge is active: `active`."""

    def __init__(self, text: str, active: str) -> None:
        super().__init__(text)
        self.active = active


def seconds(text: str) -> float:
    """A duration such as 90, 90s, 30m, 2h or 1d in seconds. Raises RemoteError."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise RemoteError(f"{text!r} is no duration: say 90s, 30m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def moment(text: str, now: float, otherwise: float) -> float:
    """A time in seconds since the epoch: ISO 8601, UTC where no zone is said, or a duration before `now`.

    `otherwise` for an empty text. Raises RemoteError.
    """
    if not text.strip():
        return otherwise
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return now - seconds(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Remote:
    """The edges of an instance by name, in the inventory's order."""

    def __init__(self, instance: Instance, edges: Sequence[str]) -> None:
        self._instance, self._edges = instance, tuple(edges)

    def ask(self, edge: str, command: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a command of the agent on one edge. Raises RemoteError with what it said against it."""
        argv, asked = ["timeout", f"{SECONDS:.0f}", "python3", AGENT, command], json.dumps(question or {})
        try:
            done = Node(self._instance, edge).run(argv, stdin=asked, check=False, timeout=SECONDS + 5)
        except LocalError as error:
            raise UnreachedError(f"{edge}: {error}") from error
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            said = (done.stderr or done.stdout).strip()[-1000:]
            raise UnreachedError(f"{edge}: no answer of its agent (92_routing.yml brings it): {said}") from None
        if isinstance(answer, dict) and "active" in answer and "error" in answer:
            raise ElsewhereError(str(answer["error"]), str(answer["active"]))
        if not isinstance(answer, dict) or "error" in answer:
            raise RemoteError(f"{edge}: {answer['error'] if isinstance(answer, dict) else answer}")
        return answer

    def ask_active(self, command: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command on the active edge, which any other one names. Raises RemoteError."""
        waiting, silent, active = list(self._edges), [], ""
        while waiting:
            edge = waiting.pop(0)
            try:
                return self.ask(edge, command, question)
            except ElsewhereError as error:
                active = error.active
                waiting.sort(key=lambda name: name != active)
                if active not in waiting:
                    break
            except UnreachedError as error:
                silent.append(str(error))
        said = "; ".join(silent) or "the inventory has no edge"
        if not active:
            raise UnreachedError(said)
        others = [edge for edge in self._edges if edge != active]
        raise UnreachedError(
            f"{active} is active but isn't reached ({said}). What it decided stays in force. "
            f"Make another one active: ansible-playbook takeover.yml -e edge={others[0] if others else active}"
        )

    def ask_any(self, command: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command that only reads on the active edge, or on another one where that isn't reached."""
        known, silent = {}, []
        for edge in self._edges:
            try:
                known[edge] = self.ask(edge, "status")
            except UnreachedError as error:
                silent.append(str(error))
        if not known:
            raise UnreachedError("; ".join(silent) or "the inventory has no edge")
        best = max(known, key=lambda edge: (known[edge]["role"]["epoch"], known[edge]["active"]))
        return {"edge": best, **self.ask(best, command, question)}


def text(report: Mapping[str, Any]) -> str:
    """What a tick did, as people read it."""
    regions = report["admissions"]
    width = max(map(len, regions), default=0)
    verdicts = {item["subject"]: item for item in report["verdicts"]}
    lines = [f"generation {report['generation']} on {report['edge']}, answers live {report['ttl_seconds']} s", ""]
    for name, admission in regions.items():
        verdict = verdicts.get(name, {"verdict": "UNKNOWN", "evidence": ()})
        reason = report["reasons"].get(name, "")
        lines.append(f"  {name:<{width}}  {admission:>4.0%}  {report['phases'].get(name, ''):<8}  {verdict['verdict']}")
        lines += [f"  {'':<{width}}        {word}" for word in (*verdict["evidence"], *([reason] if reason else []))]
    for plan in report["plans"]:
        steps = [f"    {step['action']} {step['key']}: {step['before']} -> {step['after']}" for step in plan["steps"]]
        lines += ["", f"  {plan['backend']}: {'nothing to do' if not steps else ''}".rstrip(), *steps]
    for order in report["orders"]:
        lines += ["", f"  order {order['kind']} {order['region'] or 'fleet'} by {order['by']}: {order['reason']}"]
    lines += ["", "  when a region is  detected  answers moved  last client moved"]
    for line in report["budget"]:
        cells = [f"{line[key]:.0f} s" for key in ("detection_seconds", "answers_seconds", "total_seconds")]
        lines.append(f"  {line['kind']:<16}  {cells[0]:<8}  {cells[1]:<13}  {cells[2]}")
    lines += ["", *(f"  FAILED {item}" for item in report["failures"])]
    lines += [f"  note: {item}" for item in report["warnings"]]
    return "\n".join(lines).rstrip()


def shown(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The change as an Ansible diff: what regions are admitted and what each back end holds."""
    before, after = report["before"], report["admissions"]
    found = [_diff("admissions", {name: before.get(name, 1.0) for name in after}, after)] if before != after else []
    for plan in report["plans"]:
        if plan["steps"]:
            old = {step["key"]: step["before"] for step in plan["steps"] if step["before"]}
            new = {step["key"]: step["after"] for step in plan["steps"] if step["after"]}
            found.append(_diff(str(plan["backend"]), old, new))
    return found


def _diff(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    def lines(items: Mapping[str, Any]) -> str:
        return "".join(f"{key}: {value}\n" for key, value in sorted(items.items()))

    return {"before_header": name, "after_header": name, "before": lines(before), "after": lines(after)}
