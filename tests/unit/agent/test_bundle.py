# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent is one file that needs nothing but Python, the same bytes each time; commands tell people what to do."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import main as agent_main
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import (
    RemoteError,
    moment,
    seconds,
    shown,
    text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.bundle import BundleError, bundle

ALONE = [sys.executable, "-I", "-S"]
"""Python without this environment's packages and without the project."""


@pytest.fixture(name="agent", scope="module")
def fixture_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "agent.pyz"
    path.write_bytes(bundle(agent_main.__name__))
    return path


def test_the_same_sources_are_the_same_bytes(agent: Path) -> None:
    assert bundle(agent_main.__name__) == agent.read_bytes()
    with zipfile.ZipFile(agent) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [name for name in archive.namelist() if "/local/" in name or "ansible/" in name]


def test_it_runs_alone_and_refuses_in_words(agent: Path, tmp_path: Path) -> None:
    missing = subprocess.run([*ALONE, agent, "--settings", tmp_path / "none.json", "run"], capture_output=True,
                             text=True, input="{}")
    assert missing.returncode == agent_main.REFUSED
    assert "92_routing.yml" in json.loads(missing.stdout)["error"]
    assert "serve" in subprocess.run([*ALONE, agent, "--help"], capture_output=True, text=True, check=True).stdout


def test_what_an_edge_has_not_is_refused() -> None:
    with pytest.raises(BundleError, match=r"instance|cryptography|ansible"):
        bundle("ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki")


def test_durations_and_times_are_read_as_people_write_them() -> None:
    assert [seconds(word) for word in ("90", "90s", "30m", "1.5h", "1d")] == [90, 90, 1800, 5400, 86400]
    assert moment("", 100.0, 7.0) == 7.0 and moment("30s", 100.0, 0.0) == 70.0
    assert moment("1970-01-02", 0.0, 0.0) == moment("1970-01-02T01:00:00+01:00", 0.0, 0.0) == 86400
    for wrong in ("soon", "5 weeks", "-3m"):
        with pytest.raises(RemoteError, match="say 90s, 30m"):
            seconds(wrong)


def test_a_report_names_what_moves_and_why() -> None:
    step = {"action": "update", "key": "weight/eu-west-1", "before": "200", "after": "0"}
    report = {
        "edge": "edge-1", "generation": 7, "ttl_seconds": 10, "admissions": {"eu-west-1": 0.0, "us-east-1": 1.0},
        "before": {"eu-west-1": 1.0, "us-east-1": 1.0}, "phases": {"eu-west-1": "EVICTED"},
        "reasons": {"eu-west-1": "force_down by anna: mending"}, "warnings": ["edge-2: timed out"], "failures": [],
        "verdicts": [{"subject": "eu-west-1", "verdict": "OK", "evidence": ["all see it"]}], "orders": [],
        "plans": [{"backend": "haproxy", "steps": [step]}, {"backend": "gdnsd", "steps": []}],
        "budget": [{"kind": "killed", "detection_seconds": 6.0, "answers_seconds": 7.0, "total_seconds": 37.0}],
    }  # fmt: skip
    said = text(report)
    for word in ("generation 7", "force_down by anna", "update weight/eu-west-1: 200 -> 0", "gdnsd: nothing to do",
                 "note: edge-2: timed out", "37 s"):
        assert word in said
    admissions, haproxy = shown(report)
    assert admissions["before"] == "eu-west-1: 1.0\nus-east-1: 1.0\n"
    assert admissions["after"] == "eu-west-1: 0.0\nus-east-1: 1.0\n"
    assert (haproxy["before_header"], haproxy["after"]) == ("haproxy", "weight/eu-west-1: 0\n")
