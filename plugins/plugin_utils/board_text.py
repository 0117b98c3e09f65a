# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a task's result."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

QUIET = frozenset({
    "changed", "failed", "msg", "invocation", "exception", "warnings", "deprecations", "diff", "attempts", "skipped",
    "stdout_lines", "stderr_lines", "start", "end", "delta", "results", "ansible_loop_var", "next_command",
    "failed_when_result", "item", "censored",
})


def value_text(value: Any) -> str:
    """Return a value as people read it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _section(name: str, value: Any) -> str:
    text = value_text(value).rstrip()
    return f"{name}: {text}" if "\n" not in text else f"{name}:\n{textwrap.indent(text, '  ')}"


def failure_text(host: str, stage: str, task: str, result: Mapping[str, Any], next_command: str) -> str:
    """Return a failure in full: where, what, every word the task said of it, and what to do next."""
    lines = [f"FAILED  region or host: {host}", f"        stage:          {stage}", f"        task:           {task}"]
    if result.get("item") is not None and not result.get("_ansible_no_log"):
        lines.append(f"        item:           {result.get('_ansible_item_label', result['item'])}")
    lines.append(_section("message", result.get("censored") or result.get("msg") or "the task gave no message"))
    lines += [_section(key, result[key]) for key in sorted(result)
              if key not in QUIET and not key.startswith("_") and result[key] not in (None, "", [], {})]
    lines.append(f"next: {result.get('next_command') or next_command}")
    return lines[0] + "\n" + textwrap.indent("\n".join(lines[1:]), "  ")


def spoken_text(result: Mapping[str, Any]) -> str:
    """Return what a task says on purpose (debug, assert)."""
    said = {key: value for key, value in result.items() if key not in QUIET and not key.startswith("_")}
    return value_text(result["msg"]) if "msg" in result else "\n".join(_section(k, v) for k, v in said.items())


def recap_line(host: str, counts: Mapping[str, int]) -> str:
    """Return the recap line that Ansible's own output has, so that ``changed=0`` can be looked for."""
    names = {"ok": "ok", "changed": "changed", "unreachable": "unreachable", "failures": "failed",
             "skipped": "skipped", "rescued": "rescued", "ignored": "ignored"}
    return f"{host:<26} : " + " ".join(f"{name}={counts[key]:<4}" for key, name in names.items()).rstrip()
