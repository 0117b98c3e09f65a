# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who would get a region's requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.capacity import movable, receivers
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Geography, Region

from .world import default_policy

NAMES = ("a", "b", "c", "d")


def takers(lists: str, **admissions: float) -> dict[str, float]:
    """Who takes over how much from b; lists such as "ab cd" are geographies' own, regions not named are admitted."""
    geographies = tuple((f"g{index}", Geography(regions=tuple(names))) for index, names in enumerate(lists.split()))
    regions = {name: Region(name=name, order=index) for index, name in enumerate(NAMES)}
    policy = replace(default_policy(), geographies=geographies)
    return receivers(policy, regions, {**dict.fromkeys(NAMES, 1.0), **admissions}, "b")


@pytest.mark.parametrize(
    ("lists", "admissions", "found"),
    [
        ("bc", {}, {"c": 1}),
        ("bc bd ab", {}, {"c": 1, "d": 1}),
        ("b", {}, {"a": 1}),
        ("bc", {"c": 0.0}, {"a": 1}),
        ("bc", {"c": 0.1}, {"c": 0.1, "a": 0.9}),
        ("bc ab", {"c": 0.1, "a": 0.5}, {"c": 0.1, "a": 0.4, "d": 1}),
        ("ab", {}, {}),
        ("ab", {"a": 0.5}, {"c": 1}),
        ("ab", {"a": 0.5, "c": 0.0, "d": 0.0}, {"a": 1}),
        ("ba", {"a": 0.5, "c": 0.0, "d": 0.0}, {"a": 1}),
        ("b", {"a": 0.0, "c": 0.0, "d": 0.0}, {}),
        ("a", {"a": 0.5, "b": 0.0, "c": 0.0, "d": 0.0}, {}),
    ],
)
def test_the_next_admitted_region_takes_over(lists: str, admissions: dict[str, float], found: dict[str, float]) -> None:
    assert takers(lists, **admissions) == pytest.approx(found)


def test_what_nobody_counts_is_not_judged() -> None:
    policy = replace(default_policy(), geographies=(("g", Geography(regions=("b", "c"))),))
    regions = {name: Region(name=name, order=index, capacity_rps=10) for index, name in enumerate(NAMES)}
    admitted = dict.fromkeys(NAMES, 1.0)
    assert movable(policy, regions, admitted, {}, "b") == 1
    assert movable(policy, regions, admitted, {"b": 5.0, "c": None}, "b") == 1
    assert movable(policy, regions, admitted, {"b": 16.0, "c": 0.0}, "b") == 0.5
    assert movable(policy, regions, admitted, {"b": 16.0, "c": 24.0}, "b") == -1


def test_where_nothing_is_admitted_the_policy_alone_answers() -> None:
    policy = replace(default_policy(), geographies=(("g", Geography(regions=("b",), default=True)),))
    regions = tuple(Region(name=name, order=index) for index, name in enumerate(NAMES))
    assert effective_table(policy, regions, dict.fromkeys(NAMES, 0.0), 1).routes[0].shares == (1, 0, 0, 0)
