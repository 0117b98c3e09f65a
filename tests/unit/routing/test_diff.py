# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans by difference: complete, repeatable from any place where they were left, and refused where they would harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.diff import (
    OlderError,
    RefusedError,
    after_plan,
    after_step,
    diff,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import DELETE, Records

ITEMS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"))


def records(generation: int, items: dict[str, str]) -> Records:
    return Records(generation=generation, items=tuple(sorted(items.items())))


@given(before=ITEMS, after=ITEMS.filter(bool), left=st.integers(0, 12))
def test_a_plan_ends_where_it_should_from_wherever_it_was_left(
    before: dict[str, str], after: dict[str, str], left: int
) -> None:
    old, new = records(1, before), records(2, after)
    plan = diff("x", old, new)
    assert after_plan(old, plan) == new
    assert diff("x", after_plan(old, plan), new).steps == ()
    halfway = old
    for step in plan.steps[:left]:
        halfway = after_step(after_step(halfway, step), step)
    assert diff("x", halfway, new).steps == plan.steps[left:]
    assert {step.key for step in plan.steps if step.action == DELETE} == before.keys() - after.keys()


def test_harm_is_refused() -> None:
    with pytest.raises(OlderError, match="generation 1 is older than 2"):
        diff("x", records(2, {"a": "1"}), records(1, {"a": "2"}))
    with pytest.raises(RefusedError, match="would leave nothing"):
        diff("x", records(1, {"a": "1"}), records(2, {}))
    with pytest.raises(RefusedError, match="named twice"):
        diff("x", records(1, {}), Records(generation=2, items=(("a", "1"), ("a", "2"))))
