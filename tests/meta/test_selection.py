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
    folders = [ROOT / "roles" / role / part for role in ROLES for part in ("defaults", "vars")]
    paths = [f"@{path}" for folder in folders for path in sorted(folder.rglob("*.yml"))]
    files = [word for path in paths for word in ("-e", path)]
    wanted = {"asked": "routing__settings.observe.prometheus", "part": "monitoring__part",
              "certified": "monitoring__certificates | map(attribute='name')"}
    message = "msg={{ {" + ", ".join(f"'{name}': {value}" for name, value in wanted.items()) + "} }}"
    output = run("ansible", "edge-1:eu-west-1", "-i", "inventories/local", "-m", "ansible.builtin.debug", "-a", message,
                 *files, "-e", "role_path=roles/routing", *words)
    return {name: json.loads(text)["msg"] for name, text in re.findall(r"(?ms)^(\S+) \| SUCCESS => (\{.*?^\})", output)}


@pytest.mark.parametrize("said", ["true", "Yes"])
def test_without_monitoring_no_prometheus_runs_and_the_agent_asks_none(said: str) -> None:
    found = settings("-e", f"skip_monitoring={said}")
    assert {name: (item["asked"], item["part"]) for name, item in found.items()} == dict.fromkeys(
        ("edge-1", "eu-west-1"), ({}, "nothing"))


def test_with_monitoring_every_region_is_asked() -> None:
    found = settings("-e", "skip_monitoring=false")
    assert {name: item["part"] for name, item in found.items()} == {"edge-1": "edge", "eu-west-1": "region"}
    assert set(found["edge-1"]["asked"]) == REGIONS


FAR = """
all:
  children:
    secondary: {hosts: {far: {region_provider: aws, region_geography: europe}}}
    aws: {hosts: {far: {}}}
"""


def test_a_region_of_another_provider_is_asked_for_nothing_that_only_nodes_have(tmp_path: Path) -> None:
    """It has no address of a node either, so that asking for one would fail the whole run."""
    (tmp_path / "far.yml").write_text(FAR)
    found = settings("-i", str(tmp_path / "far.yml"))
    assert set(found["edge-1"]["asked"]) == REGIONS
    assert set(found["edge-1"]["certified"]) == REGIONS | EDGES | {"services-1"}


INVENTORY = """
all:
  children:
    regions:
      children:
        primary: {hosts: {eu: {}}}
        secondary: {hosts: {us: {}, ap: {}, home: {}}}
    aws: {hosts: {eu: {}, us: {}}}
    gcp: {hosts: {ap: {}}}
    local: {hosts: {home: {}}}
    edge: {hosts: {edge-1: {}}}
"""
PLAYBOOKS = ("site", "rotate_jwt", "rotate_encryption_key", "renew_certificates")
# Plays whose regions are nodes of this machine.
OF_THIS_MACHINE = {
    "A Kubernetes cluster in every region", "Replace the key of every region",
    "What every region sees, and what the edges make of it",
}  # fmt: skip


def visited(folder: Path, *words: str) -> list[tuple[str, set[str]]]:
    """Name and hosts of every play but those that look at the whole inventory, as `--list-hosts` tells them."""
    (folder / "hosts.yml").write_text(INVENTORY)
    names = [f"playbooks/{name}.yml" for name in PLAYBOOKS]
    output = run("ansible-playbook", "-i", str(folder / "hosts.yml"), *names, "--list-hosts", *words)
    plays = re.split(r"(?m)^  play #\d+ ", output)[1:]
    return [(re.split(r": |\tTAGS", play, maxsplit=2)[1],
             {line.strip() for line in play.splitlines() if line.startswith("      ")})
            for play in plays if not play.startswith("(localhost:all)")]


SELECTED = [("aws", {"eu", "us"}), ("gcp", {"ap"}), ("local", {"home"}), ("", {"eu", "us", "ap", "home"})]


@pytest.mark.parametrize(("provider", "selected"), SELECTED)
def test_cloud_provider_selects_the_regions_of_its_group(tmp_path: Path, provider: str, selected: set[str]) -> None:
    """Everywhere: a key that turns in all regions at once is refused for some of them by a task of its own."""
    found = visited(tmp_path, "-e", f"cloud_provider={provider}")
    assert set().union(*(hosts for _play, hosts in found)) == selected | {"edge-1", "localhost"}
    assert selected in [hosts for _play, hosts in found]


@pytest.mark.parametrize(("provider", "selected"), SELECTED)
def test_what_runs_nodes_leaves_regions_of_other_providers_alone(
    tmp_path: Path, provider: str, selected: set[str]
) -> None:
    found = visited(tmp_path, "-e", f"cloud_provider={provider}")
    local = {play: hosts - {"edge-1"} for play, hosts in found if play in OF_THIS_MACHINE}
    assert local == dict.fromkeys(OF_THIS_MACHINE, selected & {"home"})
    assert [play for play, hosts in found if play in OF_THIS_MACHINE and "edge-1" in hosts], "edges are watched too"
