# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's table of features tells the truth."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="status", scope="module")
def fixture_status() -> ModuleType:
    spec = importlib.util.spec_from_file_location("status_table", ROOT / "scripts/status_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_in_step_and_every_named_test_is_run() -> None:
    command = [sys.executable, "scripts/status_table.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_feature_without_a_test_that_is_run_does_not_work(status: ModuleType) -> None:
    def of(**entry: object) -> list[str]:
        found: list[str] = status.problems([{"feature": "x", **entry}])
        return found

    here = "tests/meta/test_status_table.py"
    assert of(state="works") and of(state="perhaps")
    assert of(state="works", tests=[f"{here}::test_that_is_nowhere"])
    assert not of(state="works", tests=[f"{here}::test_a_feature_without_a_test_that_is_run_does_not_work"])
    assert not of(state="not yet")


def test_a_test_that_the_usual_run_leaves_out_is_told_with_the_run_that_has_it(status: ModuleType) -> None:
    def shown(*tests: str) -> str:
        line: str = status.table([{"feature": "x", "state": "works", "tests": list(tests)}]).splitlines()[-1]
        return line.split("|")[3].strip()

    usual = "tests/unit/deploy/test_entry.py::test_an_ingress_leads_to_the_gateway_by_tls"
    left_out = "tests/integration/test_entry.py::test_a_region_whose_ingress_nobody_serves_gets_its_load_balancer_back"
    whole_file = "tests/integration/test_status_page.py::test_a_bad_day_is_shown_whole_on_every_screen"
    assert shown(usual) == "[an ingress leads to the gateway by tls](tests/unit/deploy/test_entry.py)"
    for test in (left_out, whole_file):
        assert shown(usual, test).endswith(f"]({test.partition('::')[0]}) (`make test-all`)")
