# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of drills says of each what must come of it, and what it does can be done and undone."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill import actions, doctored
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.actions import SETTINGS, Stage
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.judge import told
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.run import limits
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import (
    DECISION,
    EDGES,
    SCENARIOS,
    SHORT_HOLDS,
    TARGET,
    Step,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import KINDS

POLICY: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "inventories/local/group_vars/all/routing_policy.yml").read_text()
)["routing_policy"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_drill_is_measured_by_a_budget_or_nothing_must_move(name: str) -> None:
    expected = SCENARIOS[name].expected
    words = told(expected, limits({"policy": POLICY}), "eu-west-1")
    assert expected.limit in (*KINDS, DECISION, "")
    if not expected.limit:
        assert expected.evicted == () and expected.serves in ("", TARGET) and "nothing must move" in words
    assert expected.evicted or "nothing is taken out" in words


@pytest.fixture(name="stage")
def fixture_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Two edges as folders; what is told their services is kept in `said`."""
    stage = Stage(Instance("llmu", "10.90", tmp_path, tmp_path), "/tree", "eu-west-1", ("eu-west-1",),
                  ("edge-1", "edge-2"))
    for name in stage.edges:
        path = stage.instance.node_dir(name) / "node" / SETTINGS
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"policy": POLICY, "site": {"regions": [{"name": "eu-west-1"}]}}))
    monkeypatch.setattr(actions, "_sv", lambda node, service, *words: said.append((node.name, service, words)))
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(stage, "said", said, raising=False)
    return stage


def settings(stage: Stage, edge: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stage.instance.node_dir(edge) / "node" / SETTINGS).read_text())
    return found


def test_holds_are_short_while_a_drill_runs_and_the_sites_own_afterwards(stage: Stage) -> None:
    stage.do(Step(do="holds", node=EDGES))
    for edge in stage.edges:
        told_to = settings(stage, edge)
        assert told_to["policy"]["failback"] == {**POLICY["failback"], **SHORT_HOLDS}
        assert limits(told_to) == limits({"policy": POLICY}), "what it decides stays the same"
    stage.undo()
    assert [settings(stage, edge)["policy"] for edge in stage.edges] == [POLICY, POLICY]


def test_a_site_with_short_holds_is_left_alone(stage: Stage) -> None:
    stage.do(Step(do="holds", node=EDGES))
    again = Stage(stage.instance, stage.tree, stage.target, stage.regions, stage.edges)
    before = len(stage.said)  # type: ignore[attr-defined]
    again.do(Step(do="holds", node=EDGES))
    again.undo()
    assert len(stage.said) == before  # type: ignore[attr-defined]
    assert settings(stage, "edge-1")["policy"]["failback"] == {**POLICY["failback"], **SHORT_HOLDS}


def test_the_sites_own_comes_back_though_the_first_end_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.do(Step(do="holds", node=EDGES))
    stage.do(Step(do="capacity", node=EDGES, words=("100",)))
    assert settings(stage, "edge-2")["site"]["regions"][0]["capacity_rps"] == 100

    def fails(_node: object) -> None:
        raise LocalError("no answer")

    monkeypatch.setattr(actions, "_take_over", lambda node: None)
    stage.do(Step(do="takeover", node="edge-2"))
    stage._ends["takeover", "edge-1"] = lambda: fails(None)
    with pytest.raises(LocalError, match="takeover edge-1: no answer"):
        stage.undo()
    assert settings(stage, "edge-2") == {"policy": POLICY, "site": {"regions": [{"name": "eu-west-1"}]}}


def test_every_step_can_be_done(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stage, "_operate", lambda *_words: None)
    for name in ("_stop", "_pause", "_resume", "_environment_of", "_settle", "_fill", "_clock", "_doctor", "_takeover"):
        monkeypatch.setattr(Stage, name, lambda *_words: None)
    monkeypatch.setattr(actions, "_rival", lambda _node: None)
    for scenario in SCENARIOS.values():
        for step in scenario.steps:
            stage.do(step)
    with pytest.raises(LocalError, match="earthquake"):
        stage.do(Step(do="earthquake"))


def test_a_clock_is_ahead_by_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = tmp_path / "clock"
    monkeypatch.setattr(time, "time", time.time)  # put back after the test
    doctored.clock(ahead, lambda: 100.0)
    assert time.time() == 100.0
    ahead.write_text("-7200")
    assert time.time() == -7100.0
