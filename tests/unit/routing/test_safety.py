# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be published, all reasons at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import RoutingTable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import (
    CREATE,
    DELETE,
    UPDATE,
    Plan,
    Records,
    Step,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.safety import gate, gate_plan, require

from .world import NAMES, World, default_policy


def table(generation: int = 5) -> RoutingTable:
    """A table without a fault."""
    return compile_table(default_policy(), World().regions, generation)


def spoilt(**changes: Any) -> RoutingTable:
    """The same with a fault in its first route."""
    whole = table()
    return replace(whole, routes=(replace(whole.routes[0], **changes), *whole.routes[1:]))


def test_a_sound_table_passes() -> None:
    assert gate(table(), 5, dict.fromkeys(NAMES, 1.0)) == ()
    require(())


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (table(4), ["older-generation"]),
        (replace(table(), routes=()), ["empty-answer", "empty-answer"]),
        (replace(table(), countries=()), ["empty-answer"]),
        (spoilt(regions=(), shares=()), ["empty-answer"]),
        (spoilt(shares=(1.0,)), ["empty-answer"]),
        (spoilt(shares=(1.0, float("nan"), 0.0, 0.0)), ["share-ratio"]),
        (spoilt(shares=(0.5, 0.4, 0.0, 0.0)), ["share-sum"]),
        (spoilt(regions=("mars", *NAMES[1:])), ["unknown-region"]),
    ],
)
def test_a_faulty_table_is_refused(given: RoutingTable, ids: list[str]) -> None:
    assert [problem.id for problem in gate(given, 5, {})] == ids


def test_floors_hold() -> None:
    assert [p.id for p in gate(table(), 5, dict.fromkeys(NAMES, 0.0))] == ["minimum-serving"]
    found = gate(table(3), 5, {NAMES[0]: 1.5})
    assert [problem.id for problem in found] == ["older-generation", "admission-ratio"]
    with pytest.raises(InvalidError, match="2 problems in what is to be published"):
        require(found)


def test_a_plan_leaves_something_of_its_own_generation() -> None:
    existing = Records(generation=3, items=(("a", "1"), ("b", "2")))
    gone = [Step(action=DELETE, key=key) for key in ("a", "b")]
    made = [Step(action=CREATE, key="c", after="3"), Step(action=UPDATE, key="a", after=" ")]

    def ids(generation: int, *steps: Step) -> list[str]:
        plan = Plan(backend="memory", generation=generation, steps=steps)
        return [problem.id for problem in gate_plan(plan, existing)]

    assert ids(3, *gone, made[0]) == []
    assert ids(2, *gone) == ["older-generation", "empty-answer"]
    assert ids(4, made[1]) == ["empty-answer"]
