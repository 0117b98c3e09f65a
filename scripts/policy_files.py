#!/usr/bin/env python3
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what follows from the policy's rules: its JSON Schema and the table of keys in docs/policy.md.

Run it after a change of plugins/module_utils/routing/model.py: `python scripts/policy_files.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import POLICY  # noqa: E402
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.rules import (  # noqa: E402
    Rule,
    allowed,
    required,
    rule_of,
    settings,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.schema import (  # noqa: E402
    plain,
    policy_schema,
)

SCHEMA = ROOT / "plugins/module_utils/routing/policy.schema.json"
PAGE = ROOT / "docs/policy.md"
BEGIN, END = "<!-- keys: written by scripts/policy_files.py -->", "<!-- end of keys -->"


def _default(value: Any) -> str:
    return json.dumps(plain(value) if value != () else [])


def rows(section: type[Any], path: str = "") -> Iterator[str]:
    """A line of the table for every key, sections in depth."""
    for name, item in settings(section).items():
        rule: Rule = rule_of(item)
        if rule.section is not None:
            yield from rows(rule.section, f"{path}{name}.")
            continue
        mapping = rule.kind == "object"
        default = "required" if required(item) else "{}" if mapping else _default(item.default)
        cells = (
            f"`{path}{name}`",
            rule.kind,
            rule.unit or "–",
            default if default == "required" else f"`{default}`",
            allowed(rule).replace("|", "\\|"),
            rule.help,
        )
        yield "| " + " | ".join(cells) + " |"
        if rule.items is not None and rule.items.section is not None:
            yield from rows(rule.items.section, f"{path}{name}.<name>." if mapping else f"{path}{name}[].")


def schema_text() -> str:
    """What the schema's file holds."""
    return json.dumps(policy_schema(), indent=2) + "\n"


def table() -> str:
    """The table of keys."""
    head = ["| key | type | unit | default | allowed | what it does |", "|---|---|---|---|---|---|"]
    return "\n".join([BEGIN, *head, *rows(POLICY.section or object), END])


def page_text(page: str) -> str:
    """The page with its table of keys as it should be. Raises ValueError when it has no place for it."""
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return before + table() + after


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
