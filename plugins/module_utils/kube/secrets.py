# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret's values from where they are kept, without passing through a task's output."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Named = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the values of Secrets come from, first to last: given values, the environment, files.

    Each maps `namespace/name` of a Secret to its keys: to the value, the variable's name, or the file's path
    (`path#key` takes one key of a JSON file). `required` lists keys that must come from somewhere.
    """

    values: Named = field(default_factory=dict)
    environment: Named = field(default_factory=dict)
    files: Named = field(default_factory=dict)
    required: Mapping[str, list[str]] = field(default_factory=dict)


def read_secret_file(path: str) -> str | None:
    """A file's text, or one key of a JSON file for `path#key`; None when there is no such file or key."""
    name, _unused, key = path.partition("#")
    try:
        with open(name, encoding="utf-8") as stream:
            text = stream.read()
    except FileNotFoundError:
        return None
    if not key:
        return text
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    value = content.get(key)
    return None if value is None else str(value)


def collect(
    secret: str, sources: Sources, environ: Mapping[str, str], read: Callable[[str], str | None] = read_secret_file
) -> tuple[dict[str, str], list[str]]:
    """The values of one Secret and a line per required key that nothing gives; an empty value counts as none."""
    values, variables, files = (
        known.get(secret) or {} for known in (sources.values, sources.environment, sources.files)
    )
    found: dict[str, str] = {}
    for key in sorted({*values, *variables, *files}):
        value = values.get(key) or environ.get(variables.get(key) or "")
        if not value and files.get(key):
            value = read(files[key])
        if value:
            found[key] = str(value)
    missing = [
        f"Secret {secret} has no {key}: give it as a value, in the environment variable "
        f"{variables.get(key) or '(none named)'}, or in the file {files.get(key) or '(none named)'}"
        for key in sources.required.get(secret) or []
        if key not in found
    ]
    return found, missing


PLACEHOLDER = "made by an earlier stage of the real run"


def filled(
    items: list[dict[str, Any]], sources: Sources, environ: Mapping[str, str], *, lenient: bool = False
) -> tuple[list[dict[str, Any]], list[str]]:
    """The objects with the Secrets' values in, and every reason why one can't be filled.

    `lenient`, for a dry run, puts a placeholder where a required value comes from nowhere yet.
    """
    result: list[dict[str, Any]] = []
    wrong: list[str] = []
    for item in items:
        if item["kind"] != "Secret":
            result.append(item)
            continue
        name = f"{item['metadata'].get('namespace') or 'default'}/{item['metadata']['name']}"
        try:
            values, missing = collect(name, sources, environ)
        except (OSError, ValueError) as error:
            values, missing = {}, [f"Secret {name}: {type(error).__name__}: {_place(error)}"]
        if lenient and missing:
            values, missing = {**dict.fromkeys(sources.required.get(name) or [], PLACEHOLDER), **values}, []
        wrong += missing
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        result.append({**item, "data": {**(item.get("data") or {}), **encoded}} if encoded else item)
    return result, wrong


def secret_texts(items: list[dict[str, Any]]) -> set[str]:
    """Every value of these Secrets, in the clear and encoded; ones as short as words are left out."""
    encoded = {
        str(value) for item in items if item.get("kind") == "Secret" for value in (item.get("data") or {}).values()
    }
    texts = encoded | {base64.b64decode(value).decode("utf-8", "replace") for value in encoded}
    return {text for text in texts if len(text) >= 8}


def _place(error: Exception) -> str:
    """What an error may say: a file's name and the system's reason, never a file's content."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return "the file isn't what was expected"
