# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autoscalers as objects, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.scaling import Scaling, objects, problems

BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 300}}
GIVEN: dict[str, Any] = {
    "name": "llm-verifier", "namespace": "app", "container": "main", "autoscaling": True, "min_replicas": 3,
    "max_replicas": 50, "cpu_percent": "70", "requests_per_second": 0, "requests_metric": "http_requests_per_second",
    "behavior": BEHAVIOR, "resources": {"requests": {"cpu": "100m"}}, "vpa": "none", "vpa_resources": ["memory"],
    "vpa_minimum": {"memory": "128Mi"}, "vpa_maximum": {}, "on_demand_floor": 0,
}  # fmt: skip


def scaling(**changes: Any) -> Scaling:
    return Scaling.from_dict({**GIVEN, **changes})


def test_the_guides_autoscaler_is_the_default() -> None:
    (item,) = objects(scaling())
    assert (item["apiVersion"], item["kind"], item["metadata"]["name"]) == (
        "autoscaling/v2", "HorizontalPodAutoscaler", "llm-verifier-hpa")
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    assert item["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llm-verifier"},
        "minReplicas": 3, "maxReplicas": 50, "metrics": [cpu], "behavior": BEHAVIOR,
    }  # fmt: skip


def test_requests_are_a_second_metric_and_can_be_the_only_one() -> None:
    (both,) = objects(scaling(requests_per_second=12.5))
    assert [metric["type"] for metric in both["spec"]["metrics"]] == ["Resource", "Pods"]
    pods = both["spec"]["metrics"][1]["pods"]
    assert pods["target"] == {"type": "AverageValue", "averageValue": "12500m"}
    assert pods["metric"] == {"name": "http_requests_per_second"}
    (alone,) = objects(scaling(requests_per_second=12, cpu_percent=0))
    assert [metric["type"] for metric in alone["spec"]["metrics"]] == ["Pods"]


@pytest.mark.parametrize(
    ("mode", "update"), [("recommend", "Off"), ("initial", "Initial"), ("recreate", "Recreate"),
                         ("in_place", "InPlaceOrRecreate")])  # fmt: skip
def test_the_vertical_autoscaler_sets_memory_alone(mode: str, update: str) -> None:
    assert not problems(scaling(vpa=mode))
    _horizontal, item = objects(scaling(vpa=mode))
    assert item["spec"]["updatePolicy"] == {"updateMode": update}
    assert item["spec"]["resourcePolicy"]["containerPolicies"] == [
        {"containerName": "main", "controlledResources": ["memory"], "minAllowed": {"memory": "128Mi"}}]
    assert item["spec"]["targetRef"]["name"] == "llm-verifier"


def test_both_may_not_act_on_the_same_resource() -> None:
    (text,) = problems(scaling(vpa="initial", vpa_resources=["cpu", "memory"]))
    assert "both act on cpu" in text
    assert not problems(scaling(vpa="initial", vpa_resources=["cpu"], cpu_percent=0, requests_per_second=5))
    assert not problems(scaling(vpa="initial", vpa_resources=["cpu"], autoscaling=False))
    assert not problems(scaling(vpa="none", vpa_resources=["cpu"])), "there is no vertical autoscaler"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"min_replicas": 4, "max_replicas": 3}, "1 <= min <= max"), ({"min_replicas": 0}, "1 <= min <= max"),
        ({"cpu_percent": 0}, "nothing to go by"), ({"cpu_percent": -1}, "less than nothing"),
        ({"resources": {"limits": {"cpu": "1"}}}, "requests.cpu"), ({"behavior": {"scaleup": {}}}, "scaleup"),
        ({"vpa": "Auto"}, "allowed are none, recommend, initial, recreate, in_place"),
        ({"vpa": "initial", "vpa_resources": []}, "cpu and memory"),
        ({"vpa": "initial", "vpa_resources": ["disk"]}, "cpu and memory"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told(changes: dict[str, Any], text: str) -> None:
    (found,) = problems(scaling(**changes))
    assert text in found
