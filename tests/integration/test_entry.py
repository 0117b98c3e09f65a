# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud's ways into a region, judged by a real API server: no controller for them runs here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import REGIONS, ROOT, Site, changes

REGION = "us-west-2"
NAMESPACE = ("-n", "llm-verifier-gateway")
DEFINITIONS = ROOT / "tests/unit/deploy/gateway_api.json"


def deployed(site: Site, entry: str, *words: str, **more: Any) -> str:
    """What a deployment of one region says, whatever comes of it."""
    variables = {"regional_deploy_entry": entry, **{f"regional_deploy_{name}": value for name, value in more.items()}}
    return site.play("playbooks/80_deploy.yml", "--limit", REGION, "-e", json.dumps(variables), *words, check=False)


@pytest.fixture(name="planned")
def fixture_planned(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "default")
    return ("--check", "--diff")


@pytest.fixture(name="gateway_api")
def fixture_gateway_api(site: Site) -> Iterator[None]:
    site.kubectl(REGION, "apply", "--server-side", "-f", str(DEFINITIONS))
    site.kubectl(REGION, "wait", "--for=condition=Established", "--timeout=30s", "-f", str(DEFINITIONS))
    yield
    site.kubectl(REGION, "delete", "-f", str(DEFINITIONS))


def test_an_api_server_takes_the_ingress_of_the_deployer(site: Site, planned: tuple[str, ...]) -> None:
    output = deployed(site, "ingress", *planned, entry_class="nginx")
    assert changes(output)[REGION] > 0 and "failed=0" in output, output[-4000:]
    assert "+++ after: Ingress llm-verifier-gateway/llm-verifier" in output
    assert "-  type: LoadBalancer\n+  type: ClusterIP" in output
    wrong = deployed(site, "ingress", *planned, entry_class="No Class")
    assert "spec.ingressClassName" in wrong and "rescued=1" in wrong, wrong[-4000:]


@pytest.mark.long
def test_an_api_server_takes_the_gateway_of_the_deployer(
    site: Site, planned: tuple[str, ...], gateway_api: None
) -> None:
    output = deployed(site, "gateway", *planned, entry_class="cloud")
    assert changes(output)[REGION] > 0 and "failed=0" in output, output[-4000:]
    for what in ("Gateway", "HTTPRoute", "BackendTLSPolicy"):
        assert f"+++ after: {what} llm-verifier-gateway/llm-verifier" in output
    wrong = deployed(site, "gateway", *planned)
    assert "spec.gatewayClassName" in wrong and "rescued=1" in wrong, wrong[-4000:]


@pytest.mark.long
def test_a_region_whose_ingress_nobody_serves_gets_its_load_balancer_back(site: Site) -> None:
    def kept() -> tuple[str, str]:
        words = ("get", "service", "llm-verifier-gateway", "-o", "jsonpath={.spec.type}")
        made = site.kubectl(REGION, "get", "ingress", *NAMESPACE, "-o", "name").strip()
        return site.kubectl(REGION, *words, *NAMESPACE), made

    assert kept() == ("LoadBalancer", "")
    output = deployed(site, "ingress", deadline_seconds=40, patience_seconds=10)
    assert "failed=1" in output, output[-4000:]
    record: dict[str, Any] = json.loads(max((site.state / "runs").glob("deploy-*.json")).read_text())
    assert record["regions"][REGION]["state"] == "rolled_back"
    assert kept() == ("LoadBalancer", "")
    roots = site.state / "certificate/ca.crt"
    address = f"{site.instance.prefix}.{REGIONS.index(REGION) + 1}.10"
    ask = ["curl", "-sf", "--cacert", str(roots), "--resolve", f"api.llm-verifier.com:443:{address}"]
    subprocess.run([*ask, "https://api.llm-verifier.com/api/health"], check=True, capture_output=True, timeout=20)
    assert set(changes(site.play("playbooks/80_deploy.yml", "--limit", REGION)).values()) == {0}
