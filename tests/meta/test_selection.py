# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What variables of the command line leave out of a run; nothing is run on any host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("routing", "monitoring")
EDGES, REGIONS = {"edge-1", "edge-2"}, {"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"}


def run(program: str, *words: str) -> str:
    command = [str(Path(sys.executable).with_name(program)), *words]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settings(*words: str) -> dict[str, Any]:
    """What the agent is told to ask and which tasks of monitoring are run, by host."""
    paths = [f"@roles/{role}/{part}/main.yml" for role in ROLES for part in ("defaults", "vars")]
    files = [word for path in paths for word in ("-e", path)]
    message = "msg={{ {'asked': routing__settings.observe.prometheus, 'part': monitoring__part} }}"
    output = run("ansible", "edge-1:eu-west-1", "-i", "inventories/local", "-m", "ansible.builtin.debug", "-a", message,
                 *files, "-e", "role_path=roles/routing", *words)
    return {name: json.loads(text)["msg"] for name, text in re.findall(r"(?ms)^(\S+) \| SUCCESS => (\{.*?^\})", output)}


@pytest.mark.parametrize("said", ["true", "Yes"])
def test_without_monitoring_no_prometheus_runs_and_the_agent_asks_none(said: str) -> None:
    found = settings("-e", f"skip_monitoring={said}")
    assert found == {name: {"asked": {}, "part": "nothing"} for name in ("edge-1", "eu-west-1")}


def test_with_monitoring_every_region_is_asked() -> None:
    found = settings("-e", "skip_monitoring=false")
    assert {name: item["part"] for name, item in found.items()} == {"edge-1": "edge", "eu-west-1": "region"}
    assert set(found["edge-1"]["asked"]) == REGIONS


INVENTORY = """
all:
  children:
    regions:
      children:
        primary: {hosts: {eu: {}}}
        secondary: {hosts: {us: {}, ap: {}}}
    aws: {hosts: {eu: {}, us: {}}}
    gcp: {hosts: {ap: {}}}
    edge: {hosts: {edge-1: {}}}
"""
PLAYBOOKS = ("site", "rotate_jwt", "rotate_encryption_key", "renew_certificates")


def visited(folder: Path, *words: str) -> list[set[str]]:
    """The hosts of every play but those that look at the whole inventory, as `--list-hosts` tells them."""
    (folder / "hosts.yml").write_text(INVENTORY)
    names = [f"playbooks/{name}.yml" for name in PLAYBOOKS]
    output = run("ansible-playbook", "-i", str(folder / "hosts.yml"), *names, "--list-hosts", *words)
    plays = re.split(r"(?m)^  play #\d+ ", output)[1:]
    return [{line.strip() for line in play.splitlines() if line.startswith("      ")} for play in plays
            if not play.startswith("(localhost:all)")]


@pytest.mark.parametrize(("provider", "selected"), [("aws", {"eu", "us"}), ("gcp", {"ap"}), ("", {"eu", "us", "ap"})])
def test_cloud_provider_selects_the_regions_of_its_group(tmp_path: Path, provider: str, selected: set[str]) -> None:
    """Everywhere: a key that turns in all regions at once is refused for some of them by a task of its own."""
    found = visited(tmp_path, "-e", f"cloud_provider={provider}")
    assert set().union(*found) == selected | {"edge-1", "localhost"}
    assert selected in found
    assert selected | {"edge-1"} in found, "regions and edges are watched together"
