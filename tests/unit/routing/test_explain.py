# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.explain import explain, history, moment
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Region
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import Order, State

from .test_log import LINES
from .world import BEGIN, World, default_policy

EU, WEST = "eu-west-1", "us-west-2"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01 00:00:00Z"),
        (951827696.9, "2000-02-29 12:34:56Z"),
        (1709164800, "2024-02-29 00:00:00Z"),
        (4102444799, "2099-12-31 23:59:59Z"),
        (-1, "-1"),
        (float("inf"), "inf"),
    ],
)
def test_moments_are_dates(at: float, text: str) -> None:
    assert moment(at) == text


def test_why_europe_is_on_us_east_1() -> None:
    world = World(dead={EU})
    world.tick(5)
    found = explain(world.policy, world.regions, world.state, "IE")
    assert found.lines[0].startswith("IE is served by us-east-1 (decision 2 of 2001-09-09 01:46:50Z)")
    assert found.lines[1] == "  IE belongs to europe; its list: eu-west-1, us-east-1; algorithm geo."
    assert found.lines[2].startswith(
        "  eu-west-1: EVICTED at 0% since 2001-09-09 01:46:46Z, held until 2001-09-09 01:47:46Z"
    )
    assert "REGION_DOWN: edge-1: does not reach it" in found.lines[2]
    assert found.lines[-1].endswith("us-west-2, ap-southeast-1, eu-west-1, the static site.") is False
    assert found.lines[-1] == "  When they fail: us-west-2, ap-southeast-1, the static site."
    assert found.data["serving"] == {"us-east-1": 1.0}


def test_nothing_moved_and_unknown_countries() -> None:
    world = World()
    world.tick(3)
    found = explain(world.policy, world.regions, world.state, "XK")
    assert found.lines[1].startswith("  XK belongs to other, the default for what no geography names")
    assert found.lines[2] == "  That is what the policy names first; nothing was moved."
    assert found.data["default"] is True


def test_ramps_orders_freezes_and_doubts_are_told() -> None:
    world = World()
    world.tick(3)
    orders = (
        Order(kind="drain", region=EU, by="ana", reason="work", at=BEGIN, until=BEGIN + 60),
        Order(kind="freeze", region="", by="ben", reason="sale", at=BEGIN),
    )
    odd: dict[str, dict[str, Any]] = {
        EU: {"admission": 0.0, "phase": "EVICTED"},
        "us-east-1": {"phase": "SUSPECT", "reason": "ERRORS, not taken out: frozen"},
    }
    regions = tuple(replace(item, **odd.get(item.name, {})) for item in world.state.regions)
    state = replace(world.state, orders=orders, regions=regions)
    text = "\n".join(explain(world.policy, world.regions, state, "IE").lines)
    assert "eu-west-1: drain by ana since 2001-09-09 01:46:40Z until 2001-09-09 01:47:40Z: work" in text
    assert "us-east-1 serves: SUSPECT, last verdict OK: ERRORS, not taken out: frozen" in text
    assert "Nothing moves by itself: frozen by ben: sale" in text
    ramping = tuple(replace(item, admission=0.5, phase="RAMPING") if item.name == EU else item for item in regions)
    text = "\n".join(explain(world.policy, world.regions, replace(state, orders=(), regions=ramping), "IE").lines)
    assert text.startswith("IE is served by eu-west-1 (50%), us-east-1 (50%)")
    assert "  eu-west-1: RAMPING at 50%" in text


def test_drained_regions_and_other_algorithms() -> None:
    policy = replace(default_policy(), algorithm="round_robin")
    fleet = (Region(name="us-east-1"), Region(name=WEST), Region(name=EU, weight=0), Region(name="ap-southeast-1"))
    found = explain(policy, fleet, State(), "IE")
    assert found.data["passed_over"] == {EU: "drained by its weight in the inventory"}
    assert len(found.data["serving"]) == 3
    order = Order(kind="force_up", region=EU, by="a", reason="b", at=BEGIN)
    found = explain(policy, fleet, State(orders=(order,)), "IE")
    assert found.data["passed_over"] == {EU: "force_up by a since 2001-09-09 01:46:40Z: b"}


def test_what_happened_between_two_times() -> None:
    whole = history(LINES, BEGIN, BEGIN + 1000)
    assert whole.lines[1].endswith("eu-west-1: HEALTHY at 100% -> SUSPECT at 100%: its last health checks failed")
    assert any("us-west-2: order drain by ana: work" in line for line in whole.lines)
    assert any("us-west-2: end of order drain by ben" in line for line in whole.lines)
    part = history(LINES, BEGIN + 60, BEGIN + 64, WEST)
    assert [row["kind"] for row in part.data["rows"]] == ["order", "change"]
    assert history(LINES, 0, 1).lines == ("nothing moved, 1970-01-01 00:00:00Z to 1970-01-01 00:00:01Z",)


def test_refusals_and_odd_entries_are_told() -> None:
    line = (
        '{"hash":"","previous":"","at":1,"changes":[{"region":"a","before":"SUSPECT","admission_before":1,"refused":true,'
        '"reason":"no"},{"region":"","admission_after":"x"}]}'
    )
    found = history([line], 0, 2)
    assert found.lines[1:] == (
        "  1970-01-01 00:00:01Z a: stays SUSPECT at 100%: no",
        "  1970-01-01 00:00:01Z all regions:  at ? ->  at ?",
    )
    with pytest.raises(InvalidError):
        history(["x"], 0, 1)
    assert history(['{"hash":"","previous":"","at":"x"}'], 0, 1).data == {"rows": []}
