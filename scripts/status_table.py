#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the README's table of features from features.yml: `scripts/status_table.py [--check]`."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- features: begin -->", "<!-- features: end -->"
STATES = ("works", "partly", "not yet")
DEFAULT, ALL = "make test", "make test-all"


def tests_of(path: Path) -> dict[str, str]:
    """Return the test functions of a file, and the make target that runs each (none: skipped, or expected to fail)."""
    tree = ast.parse(path.read_text())
    whole = [ast.unparse(node.value) for node in tree.body
             if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            marks = "\n".join([*whole, *map(ast.unparse, node.decorator_list)])
            target = ALL if re.search(r"mark\.long\b", marks) else DEFAULT
            found[node.name] = "" if re.search(r"mark\.(skip\b|xfail)", marks) else target
    return found


def problems(features: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong: an unknown state, a test that isn't there or isn't run, `works` without a test."""
    found = []
    for entry in features:
        name, tests = entry["feature"], entry.get("tests", [])
        if entry["state"] not in STATES:
            found.append(f"{name}: state {entry['state']!r} is none of {', '.join(STATES)}")
        if entry["state"] == "works" and not tests:
            found.append(f"{name}: `works` needs a test")
        for test in tests:
            path, _colons, function = test.partition("::")
            known = tests_of(ROOT / path) if (ROOT / path).is_file() else {}
            if not known.get(function):
                found.append(f"{name}: no such test is run: {test}")
    return found


def shown(test: str) -> str:
    """Return a test as the table names it: by a link, with the target where the usual one leaves it out."""
    path, _colons, function = test.partition("::")
    target = tests_of(ROOT / path).get(function)
    link = f"[{function.removeprefix('test_').replace('_', ' ')}]({path})"
    return link + (f" (`{target}`)" if target and target != DEFAULT else "")


def table(features: list[dict[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = ["| feature | state | shown by |", "|---|---|---|"]
    for entry in features:
        state = entry["state"] + (f": {entry['missing']}" if entry.get("missing") else "")
        lines.append(f"| {entry['feature']} | {state} | {'<br>'.join(map(shown, entry.get('tests', [])))} |")
    return "\n".join(lines)


def written(readme: str, features: list[dict[str, Any]]) -> str:
    """Return the README with the table between its markers."""
    before, _begin, rest = readme.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(features)}\n{END}{after}"


def main(argv: list[str]) -> int:
    """Write the table, or say that it isn't up to date."""
    features = yaml.safe_load((ROOT / "features.yml").read_text())["features"]
    wrong = problems(features)
    readme = ROOT / "README.md"
    new = written(readme.read_text(), features)
    if "--check" in argv and new != readme.read_text():
        wrong.append("README.md is not in step with features.yml: run scripts/status_table.py")
    elif "--check" not in argv:
        readme.write_text(new)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
