# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the tests names what it leaves out."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_with_long_tests_is_named() -> None:
    spec = importlib.util.spec_from_file_location("scripts_test", ROOT / "scripts/test.py")
    assert spec is not None and spec.loader is not None
    script = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    mark = "pytest.mark." + "long"
    marked = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py") if mark in path.read_text()}
    named = script.left_out()
    assert {line.partition("::")[0] for line in named} == marked
    assert any(line.endswith(" cases)") for line in named)
