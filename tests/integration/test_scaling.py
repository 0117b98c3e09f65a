# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A region scales under load, and takes a vertical autoscaler where it knows one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Site
from .test_security import kubectl

REGION = "us-west-2"
VERTICAL = "verticalpodautoscalers.autoscaling.k8s.io"
# The upstream definition is much longer; what the role sets is checked by it as well.
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": VERTICAL, "annotations": {
        "api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/63797"}},
    "spec": {
        "group": "autoscaling.k8s.io", "scope": "Namespaced",
        "names": {"plural": "verticalpodautoscalers", "singular": "verticalpodautoscaler",
                  "kind": "VerticalPodAutoscaler"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}],
    },
}  # fmt: skip


@pytest.mark.long
def test_three_times_the_load_is_met_within_two_minutes(site: Site) -> None:
    folder = site.state / "drills"
    before = set(folder.glob("*-scale.json"))
    output = site.play("playbooks/scale_drill.yml", "-e", f"drill_region={REGION}", check=False, timeout=1200)
    (made,) = set(folder.glob("*-scale.json")) - before or [None]
    assert made, output[-4000:]
    figures = json.loads(made.read_text())
    print(made.with_suffix(".txt").read_text())
    assert figures["wrong"] == []
    assert figures["busy_cores"] < 0.0625, "the quota of 0.05 holds"
    assert figures["replicas"]["more"] > figures["replicas"]["1x"]
    assert figures["stable"] <= 120 and figures["p99_back"] <= 120 and figures["down"] is not None
    limits = "jsonpath={.spec.template.spec.containers[0].resources.limits}"
    found = site.kubectl(REGION, "get", "deployment", "-n", "llm-verifier", "llm-verifier", "-o", limits)
    assert "cpu" not in json.loads(found), "the limit is gone again"


@pytest.fixture(name="vertical")
def fixture_vertical(site: Site) -> Iterator[None]:
    """The region knows the kind, as where the upstream chart is installed."""
    assert kubectl(site, REGION, "apply", "-f", "-", given=DEFINITION)[0] == 0
    kubectl(site, REGION, "wait", "--for=condition=Established", "--timeout=30s", f"crd/{VERTICAL}")
    yield
    kubectl(site, REGION, "delete", "crd", VERTICAL)
    site.play("playbooks/80_deploy.yml", "--limit", REGION)


@pytest.mark.long
def test_a_vertical_autoscaler_is_applied_where_its_kind_is_known_and_goes_again(site: Site, vertical: None) -> None:
    def modes() -> str:
        words = ("get", VERTICAL, "-n", "llm-verifier", "-o")
        return site.kubectl(REGION, *words, "jsonpath={.items[*].spec.updatePolicy.updateMode}", check=False)

    site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=in_place")
    assert modes() == "InPlaceOrRecreate"
    site.play("playbooks/80_deploy.yml", "--limit", REGION)
    assert modes() == ""


@pytest.mark.long
def test_a_region_that_does_not_know_the_kind_is_deployed_all_the_same(site: Site) -> None:
    site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=recommend")
    assert "the server doesn't have a resource type" in kubectl(site, REGION, "get", VERTICAL)[1]
    site.play("playbooks/80_deploy.yml", "--limit", REGION)
