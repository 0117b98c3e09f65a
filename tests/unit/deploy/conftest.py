# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment would apply, by the stage itself in check mode where no cluster is yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
IMAGE = f"registry.example.com/verifier@sha256:{'a' * 64}"

Objects = dict[str, dict[str, Any]]
"""Objects by `Kind namespace/name`."""

NGINX = {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"}
GATEWAY_IMAGE = f"registry.example.com/llm-verifier@sha256:{'b' * 64}"
ROOT_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
VARIABLES: dict[str, dict[str, Any]] = {
    "us-east-1": {"entry": "gateway", "entry_class": "cloud", "ca_file": ""},
    "us-west-2": {
        "entry": "ingress",
        "entry_class": "nginx",
        "entry_annotations": NGINX,
        "entry_namespaces": ["ingress-nginx"],
    },
    "eu-west-1": {"entry": "gateway", "entry_class": "cloud", "entry_annotations": {"a.example/b": "c"}},
    # Another verifier, and everything else as it is by default.
    "ap-southeast-1": {
        "gateway_image": GATEWAY_IMAGE,
        "command": ["/usr/bin/verifier"],
        "args": ["serve", "--database", "/var/lib/verifier/verifier.db"],
        "env": {"LOG_LEVEL": "info", "WORKERS": "2"},
        "secret_env": {"JWT_SECRET": "jwt-secret", "PROVIDER_KEY": "openai-api-key"},
        "ports": [{"name": "web", "port": 3000}, {"name": "admin", "port": 3001}],
        "health_path": "/healthz",
        "health_port": 3001,
        "liveness_path": "/livez",
        "volumes": [{"name": "database", "emptyDir": {"sizeLimit": "64Mi"}}],
        "volume_mounts": [{"name": "database", "mountPath": "/var/lib/verifier"}],
        "user_id": 20002,
        "read_only_root": False,
        "grace_seconds": 20,
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    },
}
"""Of each region, without `regional_deploy_`: one run plans them all."""


@pytest.fixture(scope="session")
def regions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Objects]:
    """Every region's objects."""
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "ca.crt").write_text(f"{ROOT_CERTIFICATE}\n")
    wanted = {region: {"ca_file": str(folder / "ca.crt"), **own} for region, own in VARIABLES.items()}
    hosts = {region: {f"regional_deploy_{key}": value for key, value in own.items()} for region, own in wanted.items()}
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    given = {"local_state_dir": str(folder / "none"), "regional_deploy_image": IMAGE}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/80_deploy.yml", "--check", "--diff"]
    done = subprocess.run(
        [*command, "-i", "inventories/local", "-i", str(folder / "hosts.json"), "-e", json.dumps(given)],
        cwd=ROOT, env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return objects(json.loads(done.stdout))


def objects(output: dict[str, Any]) -> dict[str, Objects]:
    """Every region's objects in what the callback `json` writes."""
    found: dict[str, Objects] = {}
    for play in output["plays"]:
        for task in play["tasks"]:
            for region, result in task["hosts"].items():
                for item in result["diff"] if isinstance(result.get("diff"), list) else []:
                    found.setdefault(region, {})[item["after_header"]] = yaml.safe_load(item["after"])
    return found
