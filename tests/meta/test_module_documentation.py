# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules do what their documentation says: options, types, defaults, check mode, examples."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.llm_verifier.multi_region.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")


class Captured(Exception):
    """What a module gives to AnsibleModule."""


def arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the keywords with which the module makes its AnsibleModule."""
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")

    def capture(*_words: Any, **keywords: Any) -> None:
        raise Captured(keywords)

    monkeypatch.setattr(module, "AnsibleModule", capture)
    with pytest.raises(Captured) as caught:
        module.main()
    found: dict[str, Any] = caught.value.args[0]
    return found


def documentation(name: str) -> dict[str, Any]:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    loaded: dict[str, Any] = yaml.safe_load(module.DOCUMENTATION)
    return loaded


def documented_options(docs: dict[str, Any]) -> dict[str, Any]:
    """Return a document's options, those of its fragments included."""
    options: dict[str, Any] = {}
    for fragment in docs.get("extends_documentation_fragment", []):
        name, _dot, part = fragment.rpartition("multi_region.")[2].partition(".")
        module = importlib.import_module(f"{PACKAGE}.doc_fragments.{name}")
        text = getattr(module.ModuleDocFragment, (part or "documentation").upper())
        options |= yaml.safe_load(text).get("options", {})
    return options | docs.get("options", {})


def shape(options: dict[str, Any], inner: str) -> dict[str, Any]:
    """Return what both sides say of each option, in one form."""
    return {
        name: {
            "type": option.get("type", "str"),
            "required": bool(option.get("required", False)),
            "default": option.get("default"),
            "choices": sorted(map(str, option.get("choices", []))),
            "elements": option.get("elements"),
            "options": shape(option.get(inner) or {}, inner),
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_options_are_documented_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = arguments(name, monkeypatch)["argument_spec"]
    assert shape(documented_options(documentation(name)), "suboptions") == shape(spec, "options")


@pytest.mark.parametrize("name", MODULES)
def test_check_and_diff_mode_are_declared(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = documentation(name)["attributes"]
    supported = arguments(name, monkeypatch).get("supports_check_mode", False)
    assert (attributes["check_mode"]["support"] != "none") == supported
    assert "diff_mode" in attributes


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_the_module_by_its_full_name_and_options_that_exist(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    full = f"llm_verifier.multi_region.{name}"
    examples = yaml.safe_load(module.EXAMPLES)
    used = [task[full] for task in examples if full in task]
    assert used, "no example uses the module"
    options = documented_options(documentation(name))
    for given in used:
        assert set(given or {}) <= set(options)
        assert {key for key, option in options.items() if option.get("required")} <= set(given or {})
    assert isinstance(yaml.safe_load(module.RETURN) or {}, dict)
