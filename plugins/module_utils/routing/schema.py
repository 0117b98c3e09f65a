# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy's JSON Schema, written from the same rules that `validate` checks."""

from __future__ import annotations

from typing import Any

from .model import POLICY
from .rules import Rule, required, rule_of, settings


def plain(value: Any) -> Any:
    """A default as YAML and JSON write it; None for what is a section or a mapping."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, bool, int, float)) else None


def schema(rule: Rule) -> dict[str, Any]:
    """A rule as JSON Schema (draft 2020-12)."""
    made: dict[str, Any] = {"type": rule.kind}
    facts = {
        "description": f"{rule.help} [{rule.unit}]" if rule.unit else rule.help,
        "minimum": rule.minimum,
        "exclusiveMinimum": rule.exclusive_minimum,
        "maximum": rule.maximum,
        "pattern": rule.pattern,
        "enum": list(rule.choices),
    }
    made.update({name: fact for name, fact in facts.items() if fact not in (None, "", [])})
    if rule.minimum_items:
        made["minItems" if rule.kind == "array" else "minProperties"] = rule.minimum_items
    if rule.unique:
        made["uniqueItems"] = True
    if rule.keys is not None:
        made["propertyNames"] = schema(rule.keys)
    if rule.items is not None:
        made["items" if rule.kind == "array" else "additionalProperties"] = schema(rule.items)
    if rule.section is not None:
        made.update(_section(rule.section))
    return made


def _section(section: type[Any]) -> dict[str, Any]:
    known = settings(section)
    properties = {}
    for name, item in known.items():
        properties[name] = schema(rule_of(item))
        default = None if required(item) else plain(item.default)
        if default is not None and rule_of(item).kind != "object":
            properties[name]["default"] = default
    made: dict[str, Any] = {"properties": properties, "additionalProperties": False}
    needed = [name for name, item in known.items() if required(item)]
    return {**made, "required": needed} if needed else made


def policy_schema() -> dict[str, Any]:
    """What policy.schema.json holds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "routing_policy",
        **schema(POLICY),
    }
