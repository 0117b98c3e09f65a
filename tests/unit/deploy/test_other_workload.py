# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable by which another verifier differs from the reference one reaches its pods, Service and gateway."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import GATEWAY_IMAGE, IMAGE, VARIABLES, Objects

REGION = "ap-southeast-1"
GIVEN = VARIABLES[REGION]


@pytest.fixture(name="objects")
def fixture_objects(regions: dict[str, Objects]) -> Objects:
    return regions[REGION]


@pytest.fixture(name="pod")
def fixture_pod(objects: Objects) -> dict[str, Any]:
    found: dict[str, Any] = objects["Deployment llm-verifier/llm-verifier"]["spec"]["template"]["spec"]
    return found


def test_the_container_is_what_was_asked_for(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert (container["command"], container["args"]) == (GIVEN["command"], GIVEN["args"])
    assert container["resources"] == GIVEN["resources"]
    assert {item["name"]: item["containerPort"] for item in container["ports"]} == {"web": 3000, "admin": 3001}
    assert pod["terminationGracePeriodSeconds"] == 20


def test_its_environment_has_values_and_secrets(objects: Objects, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "llm-verifier-config"}}]
    told = dict(objects["ConfigMap llm-verifier/llm-verifier-config"]["data"])
    assert told.pop("ZIPKIN_ENDPOINT").endswith(":9411") and told.pop("TRACE_SAMPLE_RATIO") == "0"
    assert told == GIVEN["env"]
    environment = {item["name"]: item for item in container["env"]}
    assert environment["REGION"]["value"] == REGION
    secret = {"name": "llm-verifier-secrets", "key": "openai-api-key", "optional": True}
    assert environment["PROVIDER_KEY"]["valueFrom"]["secretKeyRef"] == secret
    assert "ANTHROPIC_API_KEY" not in environment


def test_its_probes_ask_where_it_tells_of_its_health(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert probes == {
        "startup": {"path": "/healthz", "port": 3001},
        "readiness": {"path": "/healthz", "port": 3001},
        "liveness": {"path": "/livez", "port": 3001},
    }


def test_it_runs_as_its_own_user_and_writes_where_it_may(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert {pod["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {20002}
    assert container["securityContext"]["readOnlyRootFilesystem"] is False
    tmp = {"name": "tmp"}
    assert pod["volumes"] == [{**tmp, "emptyDir": {}}, *GIVEN["volumes"]]
    assert container["volumeMounts"] == [{**tmp, "mountPath": "/tmp"}, *GIVEN["volume_mounts"]]


def test_service_policy_and_gateway_follow_its_first_port(objects: Objects) -> None:
    ports = objects["Service llm-verifier/llm-verifier"]["spec"]["ports"]
    assert {item["name"]: (item["port"], item["targetPort"]) for item in ports} == {
        "web": (3000, "web"), "admin": (3001, "admin")}  # fmt: skip
    assert "Service llm-verifier/llm-verifier-metrics" not in objects, "it has no port of that name"
    (rule,) = objects["NetworkPolicy llm-verifier/llm-verifier-security"]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 3000}]
    configuration = objects["ConfigMap llm-verifier-gateway/llm-verifier-gateway"]["data"]["haproxy.cfg"]
    assert "server service llm-verifier.llm-verifier.svc.cluster.local:3000 " in configuration
    gateway = objects["Deployment llm-verifier-gateway/llm-verifier-gateway"]["spec"]["template"]["spec"]
    assert gateway["containers"][0]["image"] == GATEWAY_IMAGE
