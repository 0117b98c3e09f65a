# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema and docs/policy.md say what the policy's rules say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import form_problems
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import REGION

ROOT = Path(__file__).resolve().parents[2]
RERUN = "run: python scripts/policy_files.py"


@pytest.fixture(scope="module")
def files() -> ModuleType:
    """The script that writes them."""
    spec = importlib.util.spec_from_file_location("policy_files", ROOT / "scripts/policy_files.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_schema_is_up_to_date(files: ModuleType) -> None:
    assert files.SCHEMA.read_text(encoding="utf-8") == files.schema_text(), RERUN


def test_the_page_is_up_to_date(files: ModuleType) -> None:
    page = files.PAGE.read_text(encoding="utf-8")
    assert page == files.page_text(page), RERUN
    assert "| `health.failures` | integer | count | `3` | a whole number from 1 to 10 |" in page


def test_the_page_names_every_problem_and_variable() -> None:
    page = (ROOT / "docs/policy.md").read_text(encoding="utf-8")
    checks = (ROOT / "plugins/module_utils/routing/policy_checks.py").read_text(encoding="utf-8")
    ids = set(re.findall(r'"((?:[a-z]+-)+[a-z]+)"', checks))
    assert len(ids) > 8
    assert [name for name in sorted({*ids, *REGION}) if f"`{name}`" not in page] == []


def test_the_example_on_the_page_is_valid() -> None:
    page = (ROOT / "docs/policy.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.split("```yaml")[1].split("```")[0])
    assert form_problems(example["routing_policy"]) == ()
