# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routing core touches nothing, and a module of the collection has one name wherever it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins/module_utils"
CORE = sorted((UTILS / "routing").rglob("*.py"))
OUTSIDE = sorted(
    path
    for folder in ("plugins", "scripts", "tests", "extensions", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if UTILS not in path.parents and "output" not in path.parts
)
OURS = "ansible_collections.llm_verifier.multi_region"

# Of the standard library, what neither reads nor writes anything, asks no clock and rolls no dice.
PURE = {
    "__future__", "bisect", "collections", "collections.abc", "copy", "dataclasses", "difflib", "enum", "fractions",
    "functools", "hashlib", "heapq", "ipaddress", "itertools", "json", "math", "operator", "re", "statistics", "string",
    "types", "typing",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(dots, module) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def impurities(source: str) -> list[str]:
    """Everything in the source of a file of the core that isn't pure."""
    tree = ast.parse(source)
    found = [f"imports {'.' * level}{name}" for level, name in imports(tree) if level != 1 and name not in PURE]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            found.append(f"calls {node.func.id}")
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.append("changes names of an outer scope")
        if isinstance(node, ast.ClassDef):
            wrong = f"{node.name} is no frozen dataclass with slots"
            found += [wrong for item in node.decorator_list if not frozen(item)]
    return found


def frozen(decorator: ast.expr) -> bool:
    """Whether a decorator is no dataclass at all, or one that is frozen and has slots."""
    if not ast.unparse(decorator).startswith("dataclass"):
        return True
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    given = {item.arg: ast.unparse(item.value) for item in keywords}
    return given.get("frozen") == given.get("slots") == "True"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_is_pure(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from time import time",
        "def f():\n    import random",
        "from ..local import node",
        "from ansible.errors import AnsibleError",
        "open('x')",
        "@dataclass(frozen=True)\nclass A: ...",
        "@dataclass\nclass A: ...",
        "def f():\n    global x",
    ],
)
def test_impurities_are_seen(source: str) -> None:
    assert len(impurities(source)) == 1


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_outside_of_module_utils_names_are_full(path: Path) -> None:
    """Tests may share helpers with the file beside them; plugins may not."""
    sibling = 1 if ROOT / "tests" in path.parents else 0
    wrong = [
        f"{'.' * level}{name}"
        for level, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if level > sibling or name.split(".")[0] in ("plugins", "module_utils")
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted(UTILS.rglob("*.py")), ids=lambda path: str(path.relative_to(UTILS)))
def test_inside_of_module_utils_names_are_relative(path: Path) -> None:
    found = [name for _level, name in imports(ast.parse(path.read_text(encoding="utf-8")))]
    assert [name for name in found if name.startswith(OURS)] == []
