# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of single values: one rule checks a value, writes its JSON Schema and tells people what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "array": (list, tuple),
    "object": (Mapping,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one value may be. `kind` is a type of JSON Schema; `section` is the dataclass an object is read into."""

    kind: str
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    pattern_text: str = ""
    choices: tuple[str | int, ...] = ()
    choices_text: str = ""
    items: Rule | None = None
    keys: Rule | None = None
    section: type[Any] | None = None
    minimum_items: int = 0
    unique: bool = False


_ANY = Rule("string")
"""The rule of keys and items that have none of their own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that breaks its rule: the path of the value, what is wrong and what is allowed."""

    key: str
    wrong: str
    allowed: str
    id: str = "wrong-value"


def setting(rule: Rule, default: Any = MISSING) -> Any:
    """A dataclass field with a rule; without a default its key must be given."""
    if isinstance(default, (list, dict)):
        raise TypeError("a default must be immutable")
    given = {} if default is MISSING else {"default": default}
    return field(metadata={"rule": rule}, **given)  # pylint: disable=invalid-field-call


def rule_of(item: Field[Any]) -> Rule:
    """The rule of a dataclass field made by `setting`."""
    rule: Rule = item.metadata["rule"]
    return rule


def settings(section: type[Any]) -> dict[str, Field[Any]]:
    """Key to field, for every field of `section` that a policy may set."""
    return {item.name: item for item in fields(section) if "rule" in item.metadata}


def required(item: Field[Any]) -> bool:
    """Whether a key must be given."""
    return item.default is MISSING


def _is_a(value: object, name: str) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    if not isinstance(value, _TYPES[name]):
        return False
    if isinstance(value, float):
        return math.isfinite(value) and (name == "number" or value.is_integer())
    return True


def _number(value: float) -> str:
    if isinstance(value, int):
        return show(value)
    return str(int(value)) if value.is_integer() else str(value)


def _limits(rule: Rule) -> str:
    parts = []
    if rule.exclusive_minimum is not None:
        parts.append(f"above {_number(rule.exclusive_minimum)}")
    if rule.minimum is not None and rule.maximum is not None:
        parts.append(f"from {_number(rule.minimum)} to {_number(rule.maximum)}")
    elif rule.maximum is not None:
        parts.append(f"at most {_number(rule.maximum)}")
    return " and ".join(parts)


def allowed(rule: Rule) -> str:
    """What a rule allows, in words."""
    if rule.choices:
        several = "one of " if len(rule.choices) > 1 else ""
        return rule.choices_text or several + ", ".join(str(choice) for choice in rule.choices)
    if rule.pattern:
        return rule.pattern_text
    if rule.section is not None:
        return "a mapping with the keys " + ", ".join(settings(rule.section))
    if rule.keys is not None and rule.items is not None:
        return f"a mapping; each key {allowed(rule.keys)}; each value {allowed(rule.items)}"
    if rule.items is not None:
        unique = "different values, " if rule.unique else ""
        least = f"at least {rule.minimum_items}, " if rule.minimum_items else ""
        return f"a list: {least}{unique}each {allowed(rule.items)}"
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}[
        rule.kind
    ]
    return " ".join(part for part in (words, _limits(rule)) if part)


def show(value: object) -> str:
    """A value in a message: short, and never more than its beginning."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check(rule: Rule, value: object, key: str) -> Iterator[Fault]:
    """Every way in which `value` at `key` breaks `rule`."""
    if not _is_a(value, rule.kind):
        yield Fault(key, f"{show(value)} is not {allowed(rule)}", allowed(rule))
    elif isinstance(value, str):
        yield from _check_text(rule, value, key)
    elif isinstance(value, Mapping):
        yield from _check_object(rule, value, key)
    elif isinstance(value, (list, tuple)):
        yield from _check_array(rule, value, key)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _check_number(rule, value, key)


def _check_text(rule: Rule, value: str, key: str) -> Iterator[Fault]:
    if rule.choices and value not in rule.choices:
        yield Fault(key, f"{show(value)} is unknown", allowed(rule))
    if rule.pattern and not re.fullmatch(rule.pattern, value):
        yield Fault(key, f"{show(value)} has the wrong form", allowed(rule))


def _check_number(rule: Rule, value: float, key: str) -> Iterator[Fault]:
    low = rule.minimum is not None and value < rule.minimum
    low = low or (rule.exclusive_minimum is not None and value <= rule.exclusive_minimum)
    if low or (rule.maximum is not None and value > rule.maximum):
        yield Fault(key, f"{_number(value)} is outside of what is allowed", allowed(rule))
    if rule.choices and value not in rule.choices:
        yield Fault(key, f"{_number(value)} is unknown", allowed(rule))


def _check_array(rule: Rule, value: list[object] | tuple[object, ...], key: str) -> Iterator[Fault]:
    if len(value) < rule.minimum_items:
        yield Fault(key, f"has {len(value)} entries", allowed(rule))
    if rule.unique and any(item in value[:index] for index, item in enumerate(value)):
        yield Fault(key, "names the same value twice", allowed(rule))
    for index, item in enumerate(value):
        yield from check(rule.items or _ANY, item, f"{key}[{index}]")


def _check_object(rule: Rule, value: Mapping[Any, object], key: str) -> Iterator[Fault]:
    if len(value) < rule.minimum_items:
        yield Fault(key, f"has {len(value)} entries", f"at least {rule.minimum_items}")
    if rule.section is not None:
        yield from _check_section(rule.section, value, key)
        return
    for name, item in value.items():
        yield from check(rule.keys or _ANY, name, f"{key}.{name}")
        yield from check(rule.items or _ANY, item, f"{key}.{name}")


def _check_section(section: type[Any], value: Mapping[Any, object], key: str) -> Iterator[Fault]:
    known = settings(section)
    for name in value:
        if name not in known:
            yield Fault(f"{key}.{name}", "unknown key", "one of " + ", ".join(known), "unknown-key")
    for name, item in known.items():
        if name in value:
            yield from check(rule_of(item), value[name], f"{key}.{name}")
        elif required(item):
            yield Fault(f"{key}.{name}", "is missing", allowed(rule_of(item)), "missing-key")


def read(rule: Rule, value: Any) -> Any:
    """The value as the dataclasses hold it: tuples for lists, sections read, whole floats made integers.

    What breaks its rule is passed over, so that the rest can still be looked at: the default takes its place, or
    nothing where there is none.
    """
    if rule.section is not None:
        return _read_section(rule.section, value)
    if rule.kind == "array":
        items = rule.items or _ANY
        return tuple(read(items, item) for item in value if _sound(items, item))
    if rule.kind == "object":
        keys, items = rule.keys or _ANY, rule.items or _ANY
        pairs = ((name, item) for name, item in value.items() if _sound(keys, name) and _sound(items, item))
        return tuple((name, read(items, item)) for name, item in sorted(pairs, key=lambda pair: str(pair[0])))
    return int(value) if rule.kind == "integer" else value


def _read_section(section: type[Any], value: Mapping[str, object]) -> Any:
    found: dict[str, Any] = {}
    for name, item in settings(section).items():
        rule = rule_of(item)
        if name in value and _sound(rule, value[name]):
            found[name] = read(rule, value[name])
        elif required(item):
            found[name] = 0 if rule.kind == "integer" else ()
    return section(**found)


def _sound(rule: Rule, value: object) -> bool:
    """Whether `value` can be read: containers of the right kind, single values without a fault."""
    if rule.kind in ("array", "object"):
        return _is_a(value, rule.kind)
    return not any(check(rule, value, ""))
