# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status page is told: what was decided and seen, and nothing that wasn't."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import Decision
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Observations
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.status_document import (
    MOST_CHANGES,
    STATIC_SITE,
    picture,
    status_document,
    text,
)
from tests.unit.site.scenario import NOW, PLACES, POLICY, REGIONS, SITE, bad_day, decided, lost, seen


def document(decision: Decision, observations: Observations | None = None, **more: Any) -> dict[str, Any]:
    return status_document(POLICY, REGIONS, SITE, decision, observations or seen(), generated_at=NOW,
                           active_edge="edge-1", **more)


def regions(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {region["name"]: region for region in found["regions"]}


@pytest.mark.parametrize(
    ("decision", "ireland", "brazil"),
    [
        (decided(), "eu-west-1", "us-east-1"),
        (decided({"eu-west-1": 0.0}), "us-east-1", "us-east-1"),
        (decided({"eu-west-1": 0.1}), "us-east-1", "us-east-1"),
        (decided({"eu-west-1": 0.5}), "eu-west-1", "us-east-1"),
        (decided(states=lost("eu-west-1")), "us-east-1", "us-east-1"),
        (decided({"eu-west-1": 0.0}, lost("us-east-1")), "us-west-2", "us-west-2"),
        (decided({"eu-west-1": 0.0}, lost("us-east-1", "us-west-2", "ap-southeast-1")), "eu-west-1", "eu-west-1"),
        (decided(states=lost(*PLACES)), STATIC_SITE, STATIC_SITE),
    ],
    ids=["all well", "out", "first step", "half", "its checks fail", "both", "only the evicted is left", "none left"],
)
def test_every_country_has_the_region_that_most_of_its_requests_reach(
    decision: Decision, ireland: str, brazil: str
) -> None:
    found = document(decision)
    assert (found["countries"]["IE"], found["countries"]["BR"]) == (ireland, brazil)
    assert set(found["countries"]) == set(COUNTRIES)


def test_figures_are_what_edges_counted_lately_and_none_where_nobody_did() -> None:
    found = regions(document(decided()))
    assert found["us-east-1"]["requests_per_second"] == 240
    assert found["us-east-1"]["share"] == pytest.approx(0.6)
    assert found["us-east-1"]["error_ratio"] == pytest.approx(4 / 3600)
    assert found["eu-west-1"]["share"] == 0 and found["eu-west-1"]["error_ratio"] is None
    blind = regions(document(decided(), Observations(at=NOW)))["us-east-1"]
    assert (blind["share"], blind["requests_per_second"], blind["verdict"], blind["vantages"]) == (
        None, None, "UNKNOWN", [])


def test_what_a_place_saw_too_long_ago_is_not_known() -> None:
    for at, expected in ((NOW, False), (NOW + 3600, None)):
        observations = Observations(at=at, probes=seen("eu-west-1").probes)
        places = regions(document(decided(), observations))["eu-west-1"]["vantages"]
        assert {place["ok"] for place in places} == {expected}


def test_changes_are_the_newest_first_and_bounded() -> None:
    changes = [{"at": NOW - n, "region": f"r{n}", "secret": "x"} for n in range(MOST_CHANGES + 5, 0, -1)]
    found = document(decided(), changes=changes)["changes"]
    assert [change["region"] for change in found] == [f"r{n}" for n in range(1, MOST_CHANGES + 1)]
    assert "secret" not in found[0] and found[0]["reason"] is None


def test_a_bad_day_is_told_whole_in_every_form() -> None:
    day = bad_day()
    assert json.loads(json.dumps(day, allow_nan=False)) == day
    assert [order["by"] for order in day["orders"]] == ["li", "maria"]
    found = regions(day)
    assert (found["eu-west-1"]["phase"], found["eu-west-1"]["verdict"], found["eu-west-1"]["admission"]) == (
        "EVICTED", "ERRORS", 0)
    words = text(day)
    for said in (
        "eu-west-1: EVICTED, ERRORS, 0% admitted", "errors 6.3 % of 1,530", "maria, work on the uplink",
        "europe: us-east-1 (shares: us-east-1 100%)", "order drain, work on the uplink (maria)",
        "refused HEALTHY -> EVICTED", "9f2c9f2c",
    ):
        assert said in words
    assert 'data-country="IE" fill="#0072B2"' in picture(day)
    assert picture(day) == picture(bad_day(NOW + 5)), "the map is written anew only when something moves"
