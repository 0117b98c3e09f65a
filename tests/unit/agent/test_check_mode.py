# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules in check mode say what they would do and write nothing: no state, no log, no role, no back end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import commands, control
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import Remote
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.settings import Settings
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.memory.adapter import MemoryAdapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import Records
from ansible_collections.llm_verifier.multi_region.plugins.modules import routing_order, routing_run

from .conftest import Edge

Call = Callable[..., dict[str, Any]]
INSTANCE = {"name": "llmx", "prefix": "10.99", "state_dir": "/nowhere", "cache_dir": "/nowhere"}
ORDER = {"order": "force_down", "region": "eu-west-1", "by": "anna", "reason": "a test"}


@pytest.fixture(name="call")
def fixture_call(
    edges: dict[str, Edge], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs a module; what it asks of an edge is done here, on the back ends of that edge."""
    def ask(_self: Remote, edge: str, command: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return commands.COMMANDS[command](edges[edge].settings, question or {})

    def opened(settings: Settings) -> tuple[MemoryAdapter, ...]:
        return (edges[settings.edge].adapter,)

    def run(module: Any, check: bool, **arguments: Any) -> dict[str, Any]:
        given = {"instance": INSTANCE, "edges": list(edges), **arguments, "_ansible_check_mode": check}
        capsys.readouterr()
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    monkeypatch.setattr(Remote, "ask", ask)
    monkeypatch.setattr(control, "open_adapters", opened)
    for edge in edges.values():
        edge.serve().round()
    return run


def written(edges: dict[str, Edge]) -> dict[str, Any]:
    """The sum of every file of both edges, and what their back ends hold."""
    files = [path for edge in edges.values() for path in edge.settings.folder.rglob("*") if path.is_file()]
    sums = {str(path): sha256(path.read_bytes()).hexdigest() for path in files}
    return sums | {name: (edge.adapter.memory.writes, edge.adapter.memory.records) for name, edge in edges.items()}


@pytest.mark.parametrize(("module", "arguments"), [(routing_order, ORDER), (routing_run, {})], ids=["order", "run"])
def test_check_mode_writes_nothing(edges: dict[str, Edge], call: Call, module: Any, arguments: dict[str, str]) -> None:
    """Though there is much to do: a back end has lost everything, and a region fails."""
    edges["edge-1"].adapter.memory.records = Records(generation=0)
    for edge in edges.values():
        edge.sick = {"ap-south-1"}
    before = written(edges)
    said = call(module, True, **arguments)
    assert said["changed"] and said["report"]["plans"][0]["steps"], said
    assert written(edges) == before
    assert call(module, False, **arguments)["changed"]
    after = written(edges)
    state = str(edges["edge-1"].settings.folder / "state.json")
    assert after[state] != before[state] and after["edge-1"] != before["edge-1"]
