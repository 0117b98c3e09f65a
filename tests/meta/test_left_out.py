# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the tests names what it leaves out, and in its last lines what failed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="script", scope="module")
def fixture_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scripts_test", ROOT / "scripts/test.py")
    assert spec is not None and spec.loader is not None
    script = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_every_file_with_long_tests_is_named(script: ModuleType) -> None:
    mark = "pytest.mark." + "long"
    marked = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py") if mark in path.read_text()}
    named = script.left_out()
    assert {line.partition("::")[0] for line in named} == marked
    assert any(line.endswith(" cases)") for line in named)


def test_what_failed_is_told_again_in_the_end(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_bad.py").write_text("def test_bad():\n    assert {}['missing']\n")
    step = script.Step("pytest", [*script.PYTEST, str(tmp_path)])
    result = script.run_step(script.Stage("unit", 1), step, 60, lambda _line: None)
    assert script.summary([result], True, 1) == 1
    said = capsys.readouterr().out.splitlines()[-4:]
    assert said[:2] == ["failed in unit pytest:", "  E       KeyError: 'missing'"]
    assert said[2].startswith("  FAILED ") and "test_bad.py::test_bad" in said[2] and said[3] == "0 passed, 1 failed"
