# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the project: sizes, imports, how often a region is visited, what a built collection holds."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES, MOST_FUNCTION_LINES, MOST_TASKS = 400, 50, 25
CODE = ("plugins", "scripts", "tests", "roles")
PROVIDERS = {"aws", "gcp", "azure", "local"}


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=options.pop("cwd", ROOT), capture_output=True, text=True, check=True, **options)


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in (ROOT / folder).rglob("*.py") if "output" not in path.parts)


def documentation_lines(tree: ast.Module) -> int:
    """Lines of a plugin's documentation, which is no code."""
    return sum((node.end_lineno or 0) - node.lineno for node in tree.body
               if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
               and node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN"))


def test_files_and_functions_stay_short() -> None:
    long = []
    for path in python_files(*CODE):
        text = path.read_text()
        tree = ast.parse(text)
        lines = text.count("\n") - documentation_lines(tree)
        if lines > MOST_LINES:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > MOST_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {size} lines")
    for pattern in ("*.yml", "*.j2"):
        for path in sorted((ROOT / "roles").rglob(pattern)) + sorted((ROOT / "playbooks").rglob(pattern)):
            if path.read_text().count("\n") > MOST_LINES:
                long.append(str(path.relative_to(ROOT)))
    assert not long, "\n".join(long)


def test_no_variable_or_template_of_a_role_has_an_order_of_chance() -> None:
    """`intersect`, `difference` and `union` go through sets, whose order of texts is another one in every process."""
    found = []
    for pattern in ("vars/*.yml", "templates/*", "tasks/*.yml"):
        for path in sorted((ROOT / "roles").glob(f"*/{pattern}")):
            for match in re.finditer(r"\|\s*(intersect|difference|union)\(", path.read_text()):
                behind = path.read_text()[match.end():].partition("}}")[0]
                if not re.search(r"\| *(sort|unique|length|count)", behind):
                    found.append(f"{path.relative_to(ROOT)}: {match[1]}")
    assert not found, f"select('in', …) and reject('in', …) keep the order: {found}"


def test_no_provider_is_compared_by_its_name() -> None:
    """A fact about a provider is a field of its card or a variable of its group."""
    found = []
    for path in python_files("plugins"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                if any(isinstance(side, ast.Constant) and side.value in PROVIDERS for side in sides):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    for folder in ("roles", "playbooks"):
        for path in (ROOT / folder).rglob("*.yml"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"(provider|cloud)\w*\s*[=!]=\s*['\"]", line):
                    found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found


def test_nothing_is_left_for_later_and_no_path_of_one_machine_is_named() -> None:
    left = []
    words = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b|/r[o]ot/(?!\.)|/h[o]me/\w")
    for name in filter(None, run("git", "ls-files").stdout.split("\n")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and path.suffix not in (".sum", ".png"):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if words.search(line):
                    left.append(f"{name}:{number}: {line.strip()[:80]}")
    assert not left, "\n".join(left)


def tasks_by_host(listed: str) -> Counter[str]:
    """Count each host's tasks in what ``--list-hosts --list-tasks`` prints."""
    count: Counter[str] = Counter()
    hosts: list[str] = []
    part = ""
    for line in listed.splitlines():
        if re.match(r"  play #\d+ ", line):
            hosts, part = [], ""
        elif re.match(r"    (hosts \(\d+\)|tasks):", line):
            part = line.split()[0].rstrip(":")
        elif line.startswith("      ") and part == "hosts":
            hosts.append(line.strip())
        elif line.startswith("      ") and part == "tasks":
            count.update(hosts)
    return count


def test_a_region_is_visited_by_few_tasks() -> None:
    listed = run("ansible-playbook", "-i", "inventories/local", "site.yml", "--list-hosts", "--list-tasks").stdout
    count = tasks_by_host(listed)
    of_regions = {region: count[region] for region in ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1")}
    assert min(of_regions.values()) > 5, "the listing was not understood"
    assert max(of_regions.values()) <= MOST_TASKS, of_regions


@pytest.fixture(name="built", scope="module")
def fixture_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    run("ansible-galaxy", "collection", "build", "--output-path", str(folder), str(ROOT))
    return next(folder.glob("*.tar.gz"))


def test_a_built_collection_holds_what_it_should(built: Path) -> None:
    with tarfile.open(built) as archive:
        names = {member.name for member in archive.getmembers()}
    tops = {name.split("/")[0] for name in names}
    assert {"plugins", "roles", "playbooks", "meta", "docs", "README.md", "LICENSE", "MANIFEST.json"} <= tops
    assert not tops & {"collections", ".git", ".ci", ".venv", ".cache", "Makefile", "scripts"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


@pytest.fixture(name="elsewhere", scope="module")
def fixture_elsewhere(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """What a command says in a folder of its own, with the built collection on its path and no checkout."""
    folder = tmp_path_factory.mktemp("installed")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(folder), "PATH": os.environ["PATH"], "HOME": str(folder)}
    work = tmp_path_factory.mktemp("elsewhere")

    def said(*command: str) -> str:
        return run(*command, cwd=work, env=environment).stdout.replace(str(folder), "INSTALLED")

    said("ansible-galaxy", "collection", "install", "--no-deps", "--offline", "-p", str(folder), str(built))
    said("cp", "-r", str(folder / "ansible_collections/llm_verifier/multi_region/inventories/local"), "inventory")
    return said


def test_the_built_collection_works_where_it_is_installed(elsewhere: Callable[..., str]) -> None:
    assert "local_node" in elsewhere("ansible-doc", "-t", "module", "llm_verifier.multi_region.local_node")
    validated = elsewhere("ansible-playbook", "llm_verifier.multi_region.10_validate", "-i", "inventory", "-v")
    assert '"total_seconds": 38' in validated and "failed=0" in validated, validated


def test_every_playbook_is_called_by_its_full_name(elsewhere: Callable[..., str]) -> None:
    names = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
    full = [f"llm_verifier.multi_region.{name}" for name in names]
    listed = elsewhere("ansible-playbook", *full, "-i", "inventory", "--list-tasks")
    where = "INSTALLED/ansible_collections/llm_verifier/multi_region/playbooks"
    assert re.findall(r"(?m)^playbook: (.*)$", listed) == [f"{where}/{name}.yml" for name in names]
