# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real promtool reads every query of every dashboard."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import all as every
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import checks
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .programs import program

SETTINGS = Settings.from_dict({"prices": {"a": {"core_hour": 1, "gib_hour": 1, "egress_gib": 1}}})


def checked(folder: Path, expressions: list[str]) -> subprocess.CompletedProcess[str]:
    """What promtool says of rules of these expressions."""
    rules = [{"record": f"query:{number}", "expr": checks.chosen(expr)} for number, expr in enumerate(expressions)]
    file = folder / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    return subprocess.run([program("promtool"), "check", "rules", str(file)], capture_output=True, text=True,
                          check=False, timeout=60)  # fmt: skip


@pytest.mark.parametrize("uid", every.rendered(SETTINGS))
def test_every_query_is_one(uid: str, tmp_path: Path) -> None:
    made = every.rendered(SETTINGS)[uid]
    asked = [expr for _title, expr in checks.queries(made)]
    asked += [note["expr"] for note in made["annotations"]["list"]]
    done = checked(tmp_path, asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(asked)} rules found" in done.stdout


def test_what_is_none_is_told(tmp_path: Path) -> None:
    assert "unclosed left parenthesis" in checked(tmp_path, ["sum(up"]).stderr
