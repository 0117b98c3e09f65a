# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment would apply, by the stage itself in check mode where no cluster is yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
IMAGE = f"registry.example.com/verifier@sha256:{'a' * 64}"

Objects = dict[str, dict[str, Any]]
"""Objects by `Kind namespace/name`."""

Render = Callable[..., dict[str, Objects]]


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """A function of variables that gives every region's objects; `regions` are its keywords' values by region."""

    def rendered(regions: dict[str, dict[str, Any]], **variables: Any) -> dict[str, Objects]:
        state = tmp_path_factory.mktemp("state")
        names = sorted({name for own in regions.values() for name in own})
        values = {name: json.dumps({region: item[name] for region, item in regions.items()}) for name in names}
        own = {name: f"{{{{ {value}[inventory_hostname] }}}}" for name, value in values.items()}
        given = {"local_state_dir": str(state / "none"), "regional_deploy_image": IMAGE, **own, **variables}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/local"]
        words = ["--check", "--diff", "--limit", ",".join(regions), "-e", json.dumps(given)]
        done = subprocess.run(
            [*command, "playbooks/80_deploy.yml", *words],
            cwd=ROOT, env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return objects(json.loads(done.stdout))

    return rendered


def objects(output: dict[str, Any]) -> dict[str, Objects]:
    """Every region's objects in what the callback `json` writes."""
    found: dict[str, Objects] = {}
    for play in output["plays"]:
        for task in play["tasks"]:
            for region, result in task["hosts"].items():
                for item in result["diff"] if isinstance(result.get("diff"), list) else []:
                    found.setdefault(region, {})[item["after_header"]] = yaml.safe_load(item["after"])
    return found
