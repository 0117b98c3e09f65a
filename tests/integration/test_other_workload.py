# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another image than the reference verifier's, by variables alone: built, deployed to a region, gated, answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from .conftest import DOMAIN, REGIONS, ROOT, Site, changes

REGION = "us-west-2"
FOREIGN = {
    "image_context": str(ROOT / "tests/integration/foreign"),
    "regional_deploy_args": ["3000", "/var/lib/verifier/verifier.db"],
    "regional_deploy_env": {"WHO": "somebody else"},
    "regional_deploy_ports": [{"name": "web", "port": 3000}],
    "regional_deploy_health_path": "/ready",
    "regional_deploy_gate_paths": ["/api/health"],
    "regional_deploy_volumes": [{"name": "database", "emptyDir": {}}],
    "regional_deploy_volume_mounts": [{"name": "database", "mountPath": "/var/lib/verifier"}],
    "regional_deploy_user_id": 20002,
}


@pytest.fixture(name="foreign")
def fixture_foreign(site: Site) -> Iterator[str]:
    """What the deployment of the other image said; afterwards the region has its own again."""
    words = ("-e", json.dumps(FOREIGN))
    site.play("playbooks/30_image.yml", *words)
    yield site.play("playbooks/80_deploy.yml", "--limit", REGION, *words)
    site.play("playbooks/30_image.yml")
    site.play("playbooks/80_deploy.yml", "--limit", REGION)
    assert set(changes(site.play("playbooks/80_deploy.yml", "--limit", REGION)).values()) == {0}


@pytest.mark.long
def test_another_image_is_deployed_by_variables_alone(site: Site, foreign: str) -> None:
    record = json.loads(max((site.state / "runs").glob("deploy-*.json")).read_text())
    assert record["regions"][REGION]["state"] == "passed"
    deployed = site.kubectl(REGION, "get", "deployment", "llm-verifier", "-n", "llm-verifier", "-o",
                            "jsonpath={.spec.template.spec.containers[0].image}")
    assert deployed == record["image"]
    address = f"api.{DOMAIN}:443:{site.instance.prefix}.{REGIONS.index(REGION) + 1}.10"
    ask = ["curl", "-sf", "-i", "--cacert", str(site.state / "certificate/ca.crt"), "--resolve", address]
    answer = subprocess.run([*ask, f"https://api.{DOMAIN}/api/health"], capture_output=True, text=True, check=True)
    head, _blank, body = answer.stdout.replace("\r\n", "\n").partition("\n\n")
    said = json.loads(body)
    assert said.pop("asked") > 0, "its probes wrote to a database in a volume"
    assert said == {"who": "somebody else", "user": 20002, "signs": True}
    assert "x-image-digest" not in head.lower()
