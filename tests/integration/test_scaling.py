# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A region scales under load, and takes a vertical autoscaler where it knows one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from .conftest import REGIONS, Site, Watched, steady, until, watched
from .test_certificates import EDGES
from .test_security import kubectl

REGION = "us-west-2"
VERTICAL = "verticalpodautoscalers.autoscaling.k8s.io"
CHECKPOINTS = "verticalpodautoscalercheckpoints.autoscaling.k8s.io"
LEAST = "300Mi"


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


@pytest.mark.long
def test_a_region_that_does_not_know_the_kind_is_deployed_all_the_same(site: Site) -> None:
    site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=recommend")
    assert "the server doesn't have a resource type" in kubectl(site, REGION, "get", VERTICAL)[1]
    site.play("playbooks/80_deploy.yml", "--limit", REGION)


@pytest.fixture(name="vertical", scope="module")
def fixture_vertical(site: Site) -> Iterator[Watched]:
    """Every region runs the vertical autoscaler's programs; what edges answered while they were brought there."""
    often = "-e", "local_vertical_autoscaling=true", "-e", "region_cluster_vertical_seconds=10"
    site.play("playbooks/programs.yml", *often, timeout=1800)
    with watched(*(site.end(subnet) for subnet in EDGES.values())) as seen:
        site.play("playbooks/40_clusters.yml", *often)
    until(lambda: steady(site.instance), 240, "all regions are back")
    yield seen
    site.play("playbooks/40_clusters.yml")
    for region in REGIONS:
        site.kubectl(region, "delete", "crd", VERTICAL, CHECKPOINTS)
    site.play("playbooks/80_deploy.yml")
    until(lambda: steady(site.instance), 240, "all regions are back")


def words(site: Site, *asked: str) -> list[str]:
    """What kubectl says of the workload's namespace in the region."""
    return site.kubectl(REGION, "-n", "llm-verifier", "get", *asked, check=False).split()


@pytest.mark.long
def test_regions_with_something_new_restart_one_after_the_other_and_no_request_fails(
    site: Site, vertical: Watched
) -> None:
    assert vertical.asked > 100 and not vertical.bad
    ticks = sorted(int(site.run(region, "cut", "-d ", "-f22", "/proc/1/stat")) for region in REGIONS)
    assert all(later - earlier > 300 for earlier, later in pairwise(ticks)), f"hundredths of seconds, {ticks}"


@pytest.mark.long
def test_a_pods_memory_is_recommended_and_set(site: Site, vertical: Watched) -> None:
    path = "jsonpath={.items[*].spec.containers[0].resources.requests.memory}"
    requests = "pods", "-l", "app=llm-verifier", "-o", path
    target = VERTICAL, "-o", "jsonpath={.items[*].status.recommendation.containerRecommendations[0].target.memory}"
    modes = VERTICAL, "-o", "jsonpath={.items[*].spec.updatePolicy.updateMode}"
    before, cpu = (set(words(site, *requests[:-1], what)) for what in (path, path.replace("memory", "cpu")))
    site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=recommend", "-e",
              json.dumps({"regional_deploy_vpa_minimum": {"memory": LEAST}}))  # fmt: skip
    until(lambda: words(site, *target), 180, "memory is recommended")
    assert words(site, *modes) == ["Off"] and set(words(site, *requests)) == before != {LEAST}
    with watched(site.region(REGION)) as seen:
        site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=recreate", "-e",
                  json.dumps({"regional_deploy_vpa_minimum": {"memory": LEAST}}))  # fmt: skip
        until(lambda: set(map(mebibytes, words(site, *requests))) == {300}, 240, "every pod was made anew with it")
    assert seen.asked and not seen.bad and words(site, *modes) == ["Recreate"]
    assert set(words(site, *requests[:-1], path.replace("memory", "cpu"))) == cpu, "that is the other autoscaler's"
    site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", "regional_deploy_vpa=in_place")
    assert words(site, *modes) == ["InPlaceOrRecreate"]
    site.play("playbooks/80_deploy.yml", "--limit", REGION)
    assert words(site, *modes) == []


def mebibytes(quantity: str) -> int:
    """Memory as Kubernetes writes it, `300Mi` or `314572800`."""
    return int(quantity[:-2]) if quantity.endswith("Mi") else int(quantity) >> 20
