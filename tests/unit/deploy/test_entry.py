# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads into a region: a Service of its own, an Ingress or a Gateway, and what follows from each.

gateway_api.json holds the definitions of kubernetes-sigs/gateway-api v1.4.0 (Apache-2.0) without their descriptions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .conftest import NGINX, ROOT_CERTIFICATE, Objects

GATEWAY = "llm-verifier-gateway"
HOSTS = ["api.llm-verifier.com", "*.llm-verifier.com"]
PRUNED = {"Ingress", "Gateway", "HTTPRoute", "BackendTLSPolicy"}


def kinds(objects: Objects) -> set[str]:
    return {item["kind"] for item in objects.values()}


def configuration(objects: Objects) -> str:
    found: str = objects[f"ConfigMap {GATEWAY}/{GATEWAY}"]["data"]["haproxy.cfg"]
    return found


def strict(schema: Any) -> Any:
    """A schema that refuses what it doesn't name, as the API server does."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(item) for name, item in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object" and found["properties"]:
        found.setdefault("additionalProperties", False)
    return found


def test_by_default_the_gateway_has_a_load_balancer_of_its_own(regions: dict[str, Objects]) -> None:
    objects = regions["ap-southeast-1"]
    spec = objects[f"Service {GATEWAY}/{GATEWAY}"]["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert not kinds(objects) & PRUNED
    assert "http_req_rate(10s)" in configuration(objects) and "sc1_conn_cur gt 2000" in configuration(objects)
    assert "from" not in objects[f"NetworkPolicy {GATEWAY}/{GATEWAY}"]["spec"]["ingress"][0]


def test_an_ingress_leads_to_the_gateway_by_tls(regions: dict[str, Objects]) -> None:
    objects = regions["us-west-2"]
    assert objects[f"Service {GATEWAY}/{GATEWAY}"]["spec"]["type"] == "ClusterIP"
    ingress = objects[f"Ingress {GATEWAY}/llm-verifier"]
    assert ingress["metadata"]["annotations"] == NGINX
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": HOSTS, "secretName": "llm-verifier-tls"}]
    backend = {"service": {"name": GATEWAY, "port": {"name": "https"}}}
    assert {rule["host"]: rule["http"]["paths"] for rule in ingress["spec"]["rules"]} == {
        host: [{"path": "/", "pathType": "Prefix", "backend": backend}] for host in HOSTS
    }
    assert kinds(objects) & PRUNED == {"Ingress"}
    peers = objects[f"NetworkPolicy {GATEWAY}/{GATEWAY}"]["spec"]["ingress"][0]["from"]
    assert peers == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]


def test_all_clients_of_another_proxy_are_not_limited_as_one(regions: dict[str, Objects]) -> None:
    for region in ("us-west-2", "eu-west-1"):
        assert "deny_status 429" not in configuration(regions[region])
        assert "conn_cur gt" not in configuration(regions[region])


def test_a_gateway_leads_to_it_by_tls_and_verifies_it(regions: dict[str, Objects]) -> None:
    objects = regions["eu-west-1"]
    assert objects[f"Service {GATEWAY}/{GATEWAY}"]["spec"]["type"] == "ClusterIP"
    gateway = objects[f"Gateway {GATEWAY}/llm-verifier"]
    assert gateway["spec"]["gatewayClassName"] == "cloud" and gateway["metadata"]["annotations"] == {"a.example/b": "c"}
    listeners = {item["name"]: item for item in gateway["spec"]["listeners"]}
    assert {name: (item["port"], item["protocol"]) for name, item in listeners.items()} == {
        "https": (443, "HTTPS"), "http": (80, "HTTP")}  # fmt: skip
    assert listeners["https"]["tls"]["certificateRefs"] == [{"name": "llm-verifier-tls"}]
    for name, port in {"https": 443, "http": 80}.items():
        route = objects[f"HTTPRoute {GATEWAY}/llm-verifier-{name}"]["spec"]
        assert route["parentRefs"] == [{"name": "llm-verifier", "sectionName": name}]
        assert route["hostnames"] == HOSTS and route["rules"] == [{"backendRefs": [{"name": GATEWAY, "port": port}]}]
    policy = objects[f"BackendTLSPolicy {GATEWAY}/llm-verifier"]["spec"]
    assert policy["targetRefs"] == [{"group": "", "kind": "Service", "name": GATEWAY, "sectionName": "https"}]
    assert policy["validation"] == {
        "hostname": "api.llm-verifier.com",
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "llm-verifier-ca"}],
    }
    assert objects[f"ConfigMap {GATEWAY}/llm-verifier-ca"]["data"] == {"ca.crt": ROOT_CERTIFICATE}


def test_without_roots_of_its_own_the_systems_verify_it(regions: dict[str, Objects]) -> None:
    objects = regions["us-east-1"]
    validation = objects[f"BackendTLSPolicy {GATEWAY}/llm-verifier"]["spec"]["validation"]
    assert validation == {"hostname": "api.llm-verifier.com", "wellKnownCACertificates": "System"}
    assert f"ConfigMap {GATEWAY}/llm-verifier-ca" not in objects


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_they_are_what_the_gateway_api_takes(regions: dict[str, Objects], region: str) -> None:
    definitions = json.loads(Path(__file__).with_name("gateway_api.json").read_text())["items"]
    schemas = {item["spec"]["names"]["kind"]: item["spec"]["versions"][0] for item in definitions}
    checked = set()
    for item in regions[region].values():
        if item["kind"] in schemas:
            version = schemas[item["kind"]]
            assert item["apiVersion"] == f"gateway.networking.k8s.io/{version['name']}"
            properties = version["schema"]["openAPIV3Schema"]["properties"]
            jsonschema.validate(item["spec"], strict(properties["spec"]))
            checked.add(item["kind"])
    assert checked == set(schemas) == PRUNED - {"Ingress"}


def test_the_deployer_may_make_them_and_take_them_away(regions: dict[str, Objects]) -> None:
    rules = regions["us-east-1"][f"Role {GATEWAY}/llm-verifier-deployer"]["rules"]
    allowed = {(*rule["apiGroups"], name): set(rule["verbs"]) for rule in rules for name in rule["resources"]}
    wanted = {"networking.k8s.io": ["ingresses"],
              "gateway.networking.k8s.io": ["gateways", "httproutes", "backendtlspolicies"]}
    for group, names in wanted.items():
        for name in names:
            assert allowed[group, name] >= {"get", "list", "create", "patch", "delete"}
