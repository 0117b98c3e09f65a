# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role regional_deploy applies, for some settings of the operator."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles/regional_deploy"
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "vertical": {"regional_deploy_vpa": "in_place", "regional_deploy_requests_per_second": 20},
    "fixed": {"regional_deploy_autoscaling": False, "regional_deploy_replicas": 7},
}
SPOT = {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}
CASES["floor"] = {
    "regional_deploy_on_demand_floor": 2, "regional_deploy_on_demand_nodes": [{**SPOT, "values": ["on-demand"]}],
    "regional_deploy_spot_nodes": [SPOT],
    "regional_deploy_spot_tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "regional_deploy_node_selector": {"pool": "verifier"}, "regional_deploy_vpa": "initial",
    "regional_deploy_tolerations": [{"key": "verifier", "operator": "Exists"}],
}  # fmt: skip
Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(name="rendered", scope="module")
def fixture_rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Objects]:
    """All cases' objects by kind and name, rendered in one run."""
    folder = tmp_path_factory.mktemp("render")
    text = "{{ lookup('ansible.builtin.template', '" + str(ROLE / "templates/objects.yaml.j2") + "') }}"
    fixed = {"regional_deploy_image": "registry.example.com/llm-verifier@sha256:" + "a" * 64,
             "regional_deploy__gateway": {"files": [{"content": "# nothing"}]}}  # fmt: skip
    tasks = [
        {"name": f"Render {name}", "ansible.builtin.copy": {"content": text, "dest": str(folder / name)},
         "vars": {**fixed, **changes}}
        for name, changes in CASES.items()
    ]  # fmt: skip
    play = {"hosts": "us-east-1", "connection": "local", "gather_facts": False, "tasks": tasks,
            "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")]}  # fmt: skip
    (folder / "play.yml").write_text(json.dumps([play]))
    command = ["ansible-playbook", "-i", "inventories/local", str(folder / "play.yml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: by_name((folder / name).read_text()) for name in CASES}


def by_name(text: str) -> Objects:
    return {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(text) if item}


def test_autoscalers_are_among_the_objects(rendered: dict[str, Objects]) -> None:
    scaler = rendered["default"]["HorizontalPodAutoscaler", "llm-verifier-hpa"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 50)
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert ("VerticalPodAutoscaler", "llm-verifier-vpa") not in rendered["default"]
    vertical = rendered["vertical"]["VerticalPodAutoscaler", "llm-verifier-vpa"]["spec"]
    assert vertical["resourcePolicy"]["containerPolicies"][0]["controlledResources"] == ["memory"]
    assert len(rendered["vertical"]["HorizontalPodAutoscaler", "llm-verifier-hpa"]["spec"]["metrics"]) == 2


def test_without_an_autoscaler_the_replicas_are_fixed(rendered: dict[str, Objects]) -> None:
    assert ("HorizontalPodAutoscaler", "llm-verifier-hpa") not in rendered["fixed"]
    assert rendered["fixed"]["Deployment", "llm-verifier"]["spec"]["replicas"] == 7
    assert "replicas" not in rendered["default"]["Deployment", "llm-verifier"]["spec"]


def test_a_floor_stays_on_its_nodes_and_the_rest_scales(rendered: dict[str, Objects]) -> None:
    objects = rendered["floor"]
    floor, rest = (objects["Deployment", name]["spec"] for name in ("llm-verifier", "llm-verifier-spot"))
    assert floor["replicas"] == 2 and "replicas" not in rest
    annotations = objects["Deployment", "llm-verifier-spot"]["metadata"]["annotations"]
    assert annotations["llm-verifier.com/initial-replicas"] == "1"
    assert rest["selector"]["matchLabels"] == {"app": "llm-verifier", "llm-verifier.com/pool": "spot"}
    assert floor["selector"]["matchLabels"] == {"app": "llm-verifier"}, "it can't be changed where it is there already"
    pods = [spec["template"] for spec in (floor, rest)]
    assert [pod["metadata"]["labels"]["app"] for pod in pods] == ["llm-verifier"] * 2, "one Service for both"
    stays, may_go = (pod["spec"]["affinity"]["nodeAffinity"] for pod in pods)
    (term,) = stays["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{**SPOT, "values": ["on-demand"]}]
    (term,) = may_go["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["preference"]["matchExpressions"] == [SPOT]
    tolerated = [[item["key"] for item in pod["spec"]["tolerations"]] for pod in pods]
    assert tolerated == [["verifier"], ["verifier", "spot"]]
    assert all(pod["spec"]["nodeSelector"] == {"pool": "verifier"} for pod in pods)
    scaler = objects["HorizontalPodAutoscaler", "llm-verifier-hpa"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "llm-verifier-spot"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 48)
    assert {("VerticalPodAutoscaler", f"{name}-vpa") for name in ("llm-verifier", "llm-verifier-spot")} <= set(objects)
    same = [{**pod["spec"], "affinity": None, "tolerations": None} for pod in pods]
    assert same[0] == same[1], "they are the same but for where they run"


def test_by_default_there_is_one_deployment_on_any_node(rendered: dict[str, Objects]) -> None:
    assert ("Deployment", "llm-verifier-spot") not in rendered["default"]
    pod = rendered["default"]["Deployment", "llm-verifier"]["spec"]["template"]
    assert not {"affinity", "nodeSelector", "tolerations"} & set(pod["spec"])
    assert "llm-verifier.com/pool" not in pod["metadata"]["labels"]


def test_two_autoscalers_of_one_resource_end_the_run_before_anything_is_done(tmp_path: Path) -> None:
    given = {"regional_deploy_vpa": "initial", "regional_deploy_vpa_resources": ["cpu"]}
    words = ["-e", json.dumps({**given, "local_state_dir": str(tmp_path)})]
    command = ["ansible-playbook", "--check", "-i", "inventories/local", "playbooks/80_deploy.yml", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "eu-west-1: the horizontal and the vertical autoscaler would both act on cpu" in done.stdout
    assert "Begin the run's record" not in done.stdout
