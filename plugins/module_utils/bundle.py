# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of ours as one file: a zipapp of all that it imports, the same bytes for the same sources."""

from __future__ import annotations

import ast
import importlib.util
import io
import sys
import zipfile
from collections.abc import Iterator

UTILS = __name__.rpartition(".")[0]
"""The package `module_utils` by its full name, which the modules keep in the zipapp."""

INTERPRETER = b"#!/usr/bin/env python3\n"
MOMENT = (1980, 1, 1, 0, 0, 0)


class BundleError(Exception):
    """A program imports what a node doesn't have; the text says where."""


def bundle(start: str) -> bytes:
    """The bytes of the zipapp that calls `main` of the module `start`. Raises BundleError."""
    sources = closure(start)
    files = {"__main__.py": f"import sys\n\nfrom {start} import main\n\nsys.exit(main())\n"}
    for name, (source, package) in sources.items():
        path = name.replace(".", "/")
        files[f"{path}/__init__.py" if package else f"{path}.py"] = source
    for name in sources:
        folders = name.split(".")[:-1]
        for depth in range(1, len(folders) + 1):
            files.setdefault("/".join([*folders[:depth], "__init__.py"]), "")
    made = io.BytesIO()
    made.write(INTERPRETER)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_STORED) as archive:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path, MOMENT)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, text.encode())
    return made.getvalue()


def closure(start: str) -> dict[str, tuple[str, bool]]:
    """Source of every module that `start` needs, by full name, and whether it is a package. Raises BundleError."""
    found: dict[str, tuple[str, bool]] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found or not name.startswith(f"{UTILS}."):
            continue
        source, package = source_of(name)
        found[name] = (source, package)
        waiting += [name.rpartition(".")[0], *_imported(name, source, package)]
    return found


def source_of(name: str) -> tuple[str, bool]:
    """A module's source and whether it is a package, also where modules lie in an archive. Raises BundleError."""
    spec = importlib.util.find_spec(name)
    source = spec.loader.get_source(name) if spec and spec.loader else None  # type: ignore[attr-defined]
    if spec is None or source is None:
        raise BundleError(f"the source of {name} isn't there")
    if isinstance(source, bytes):  # as Ansible's own loader of collections gives it
        source = importlib.util.decode_source(source)
    return source, spec.submodule_search_locations is not None


def _imported(name: str, source: str, package: bool) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _standard(name, alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            _standard(name, node.module or "")
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: len(name.split(".")) - node.level + (1 if package else 0)]
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            for alias in node.names:
                if _is_module(base, alias.name):
                    yield f"{base}.{alias.name}"


def _is_module(base: str, name: str) -> bool:
    spec = importlib.util.find_spec(base)
    if spec is None or spec.submodule_search_locations is None:
        return False
    return importlib.util.find_spec(f"{base}.{name}") is not None


def _standard(name: str, imported: str) -> None:
    if imported.partition(".")[0] not in sys.stdlib_module_names:
        raise BundleError(f"{name} imports {imported}, which no node has")
