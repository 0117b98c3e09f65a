# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frozen dataclasses to plain data and back, for what lies on a disk or comes from another host."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from .errors import InvalidError, Problem
from .rules import show

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A dataclass as dictionaries, lists and scalars; fields that have their default are left out."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if not is_dataclass(value):
        return value
    pairs = ((item, getattr(value, item.name)) for item in fields(value))
    return {item.name: plain(found) for item, found in pairs if item.default is MISSING or found != item.default}


def read(cls: type[T], data: object, key: str, mend: str = "have it written anew by the same version") -> T:
    """The dataclass that `data` describes. Raises InvalidError with every fault; `key` is what it is called."""
    problems: list[Problem] = []
    found: T | None = _object(cls, data, key, problems)
    if problems or found is None:
        raise InvalidError([replace(problem, mend=mend) for problem in problems], key)
    return found


@cache
def _kinds(cls: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(cls)
    return {item.name: (hints[item.name], item.default is MISSING) for item in fields(cls)}


def _object(cls: type[Any], data: object, key: str, problems: list[Problem]) -> Any:
    before = len(problems)
    if not isinstance(data, Mapping):
        return _fault(problems, key, f"{show(data)} is no object", "an object")
    kinds: dict[str, tuple[Any, bool]] = _kinds(cls)  # type: ignore[arg-type]
    for name in data:
        if name not in kinds:
            _fault(problems, f"{key}.{show(name)}", "unknown key", ", ".join(kinds))
    for name, (_kind, needed) in kinds.items():
        if needed and name not in data:
            _fault(problems, f"{key}.{name}", "is missing", "a value")
    values = {name: _value(kinds[name][0], data[name], f"{key}.{name}", problems) for name in kinds if name in data}
    return cls(**values) if len(problems) == before else None


def _value(kind: Any, value: object, key: str, problems: list[Problem]) -> Any:
    if isinstance(kind, UnionType):
        if value is None:
            return None
        kind = get_args(kind)[0]
    if is_dataclass(kind):
        return _object(kind, value, key, problems)  # type: ignore[arg-type]
    parts = get_args(kind)
    if parts:
        if not isinstance(value, (list, tuple)):
            return _fault(problems, key, f"{show(value)} is no list", "a list")
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
        if len(kinds) != len(value):
            return _fault(problems, key, f"has {len(value)} entries", f"{len(kinds)} entries")
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(_value(one, item, f"{key}[{index}]", problems) for index, (one, item) in pairs)
    return _scalar(kind, value, key, problems)


def _scalar(kind: Any, value: object, key: str, problems: list[Problem]) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if abs(value) <= _LARGEST and math.isfinite(value):
            return float(value)
    elif isinstance(value, kind) and (kind is not int or _is_count(value)):
        return value
    names = {float: "a finite number", int: "a whole number", str: "a text", bool: "true or false"}
    return _fault(problems, key, f"{show(value)} has the wrong form", names[kind])


_LARGEST = 1e15
"""Beyond this a number is no time, count or ratio, and sums lose whole seconds."""


def _is_count(value: Any) -> bool:
    return not isinstance(value, bool) and abs(value) <= _LARGEST


def _fault(problems: list[Problem], key: str, wrong: str, allowed: str) -> None:
    problems.append(Problem("", key, "wrong-form", wrong, allowed, ""))
