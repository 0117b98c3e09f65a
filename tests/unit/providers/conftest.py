# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the default policy, and sites with everything and with nothing in front of the regions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.cases import Names
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

ROOT = Path(__file__).resolve().parents[3]
REGIONS = {"us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia"}
EDGES = ("edge-1", "edge-2")
MakeTable = Callable[..., RoutingTable]


@pytest.fixture
def make_table() -> MakeTable:
    """A function (weights by region, **changes of the policy) -> table; `regions` adds some, `door` changes keys."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["routing_policy"]

    def make(
        weights: dict[str, float] | None = None, more: dict[str, str] | None = None, door: Any = None, **changes: Any
    ) -> RoutingTable:
        policy = Policy.from_dict({**data, "front_door": {**data["front_door"], **(door or {})}, **changes})
        given = weights or {}
        regions = [
            Region(name=name, geography=place, endpoint=f"10.1.{order}.10", order=order, weight=given.get(name, 1))
            for order, (name, place) in enumerate({**REGIONS, **(more or {})}.items(), 1)
        ]
        return compile_table(policy, regions, 7)

    return make


@pytest.fixture
def site() -> Site:
    """Two edges and a static site."""
    edges = tuple(Machine(name=name, address=f"10.1.20{number}.10") for number, name in enumerate(EDGES, 1))
    return Site(edges=edges, static_site=Machine(name="static-1", address="10.1.211.10"))


@pytest.fixture
def bare() -> Site:
    """Regions alone."""
    return Site()


def naive_route53(table: RoutingTable) -> dict[str, dict[str, Any]]:
    """Geolocation records of regions, each with its health check; the default is us-east-1 too."""
    places = {"continent NA": "us-east-1", "continent EU": "eu-west-1", "continent AS": "ap-southeast-1"}
    places["default"] = "us-east-1"
    items: dict[str, dict[str, Any]] = {f"health_check/{name}": {"type": "HTTPS"} for name in REGIONS}
    for place, region in places.items():
        # The identifier of a record is its place; what it answers stands behind an alias of its own.
        below = f"{place.replace(' ', '-')}.{table.policy.domain}"
        answer = {"name": below, "set_identifier": region, "health_check": f"health_check/{region}"}
        items[f"record/{below}/A/{region}"] = {**answer, "routing": {"policy": "multivalue"}}
        alias = {"name": f"api.{table.policy.domain}", "set_identifier": place, "alias": below}
        routing = {"policy": "geolocation"}
        items[f"record/api/A/{place}"] = {**alias, "routing": routing, "evaluate_target_health": True}
    return items


def naive_divergence(expected: Names, answered: Names, up: Names, evicted: Collection[str]) -> str:
    """The kind of a difference between two answers; empty where there is none, or nothing was promised."""
    if not expected or answered == expected:
        return ""
    if not answered:
        return "no-answer"
    if answered - up - {"static"}:
        return "dead-region"
    if "static" in answered - expected:
        return "static-too-early"
    if any(name in evicted for name in answered - expected):
        return "evicted-region"
    return "other-region" if answered - expected else "other-shares"
