# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods run on which nodes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.placement import Placement, pools, problems

ON_DEMAND = {"key": "cloud.google.com/gke-spot", "operator": "DoesNotExist"}
SPOT = {"key": "cloud.google.com/gke-spot", "operator": "In", "values": ["true"]}
GIVEN: dict[str, Any] = {
    "name": "app", "autoscaling": True, "min_replicas": "3", "replicas": 3, "node_selector": {}, "tolerations": [],
    "on_demand_floor": 0, "on_demand_nodes": [], "spot_nodes": [], "spot_tolerations": [],
}  # fmt: skip
FLOOR = {"on_demand_floor": 1, "on_demand_nodes": [ON_DEMAND], "spot_nodes": [SPOT]}


def placement(**changes: Any) -> Placement:
    return Placement.from_dict({**GIVEN, **changes})


def test_the_pods_of_both_deployments_are_as_many_as_before() -> None:
    assert not problems(placement(**FLOOR))
    (alone,) = pools(placement())
    assert (alone["replicas"], alone["initial_replicas"]) == (None, 3)
    floor, rest = pools(placement(**FLOOR))
    assert (floor["replicas"], floor["initial_replicas"]) == (1, 0)
    assert (rest["replicas"], rest["initial_replicas"]) == (None, 2)
    floor, rest = pools(placement(**FLOOR, autoscaling=False, replicas=5))
    assert (floor["replicas"], rest["replicas"], rest["initial_replicas"]) == (1, 4, 0)


def test_no_pod_of_one_deployment_is_taken_for_the_others() -> None:
    floor, rest = pools(placement(**FLOOR))
    assert not rest["selector"].items() <= floor["labels"].items()
    assert rest["selector"].items() <= rest["labels"].items()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({**FLOOR, "on_demand_floor": 3}, "below the fewest replicas, 3"),
        ({**FLOOR, "on_demand_floor": -1}, "above 0"),
        ({**FLOOR, "autoscaling": False, "replicas": 1}, "below the fewest replicas, 1"),
        ({**FLOOR, "on_demand_nodes": []}, "needs on_demand_nodes and spot_nodes"),
        ({**FLOOR, "spot_nodes": []}, "needs on_demand_nodes and spot_nodes"),
        ({"spot_nodes": [SPOT]}, "not every pod may be taken away"),
        ({"spot_tolerations": [{"operator": "Exists"}]}, "not every pod may be taken away"),
        ({**FLOOR, "spot_nodes": [{"key": "a", "operator": "Is", "values": ["b"]}]}, "one of In, NotIn"),
        ({**FLOOR, "spot_nodes": [{"key": "a", "operator": "In"}]}, "In has values"),
        ({**FLOOR, "on_demand_nodes": [{**ON_DEMAND, "values": ["x"]}]}, "DoesNotExist has no values"),
        ({"tolerations": [{"key": "a", "operater": "Exists"}]}, "has operater"),
        ({"tolerations": [{"key": "a", "effect": "NoRun"}]}, "one of NoSchedule"),
        ({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}, "Exists has no value"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told(changes: dict[str, Any], text: str) -> None:
    (found,) = problems(placement(**changes))
    assert text in found
