# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole site: what the first run leaves, what the second changes, what clients get, what stays secret."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from .conftest import CLIENTS, OWN, REGIONS, ROOT, Site, all_own, changes, until
from .test_certificates import EDGES

pytestmark = pytest.mark.usefixtures("site")


def test_every_geography_is_served_by_its_own_region(site: Site) -> None:
    site.play("playbooks/95_verify.yml")
    report = site.report()
    assert not report["problems"]
    assert {row["geography"]: row["answer"]["region"] for row in report["geographies"]} == OWN
    assert all_own(site)


def test_the_commands_of_the_report_work(site: Site) -> None:
    commands = site.report()["commands"]
    page = subprocess.run([*shlex.split(commands["ask it from this machine"]), "--silent", "--fail"],
                          capture_output=True, text=True, check=True, timeout=20).stdout
    assert json.loads(page)["status"] == "ok"
    pods = subprocess.run(shlex.split(commands["look into a region"]), capture_output=True, text=True, check=True,
                          timeout=60).stdout
    assert "Running" in pods


@pytest.mark.parametrize("node", [*REGIONS, *CLIENTS.values()])
def test_a_shell_opens_in_every_kind_of_node(site: Site, node: str) -> None:
    environment = {**os.environ, "LLM_VERIFIER_INSTANCE": site.instance.name}
    said = subprocess.run([sys.executable, "scripts/node.py", node, "--", "hostname"], cwd=ROOT, env=environment,
                          capture_output=True, text=True, check=True, timeout=20).stdout
    assert said.strip() == node


def test_logs_of_one_service_are_shown(site: Site) -> None:
    said = site.play("playbooks/logs.yml", "-e", "logs_node=us-west-2", "-e", "logs_service=kubelet")
    assert "== us-west-2 kubelet\n" in said and "== us-west-2 etcd" not in said
    said = site.play("playbooks/logs.yml", "-e", "logs_node=us-west-2", "-e", "logs_service=kublet", check=False)
    assert "no service kublet: there are " in said


def test_the_second_run_changes_nothing(site: Site) -> None:
    output = site.play("site.yml", "--diff")
    assert set(changes(output).values()) == {0}, output[-6000:]


@pytest.mark.long
def test_check_mode_of_a_finished_site_finds_nothing_to_do(site: Site) -> None:
    output = site.play("site.yml", "--check", "--diff")
    assert set(changes(output).values()) == {0}, output[-6000:]


def test_one_region_alone_leaves_the_others_in_the_front_door(site: Site) -> None:
    output = site.play("site.yml", "--limit", "us-west-2", "--diff")
    assert set(changes(output).values()) == {0}, output[-6000:]
    until(lambda: all_own(site), 30, "every geography is served by its own region")


def test_status_tells_a_node_that_is_down(site: Site) -> None:
    site.fault("us-west-2", "down")
    try:
        assert "us-west-2       down (by a fault)" in site.play("playbooks/status.yml")
    finally:
        site.fault("us-west-2", "up")


def signing_keys(site: Site) -> list[str]:
    ring = json.loads((site.state / "secrets/jwt-ring.json").read_text())
    values = [value for value in ring.values() if isinstance(value, str) and len(value) > 16]
    assert values
    return values


def test_what_the_edges_show_holds_no_secret(site: Site) -> None:
    shown = {}
    for edge, subnet in EDGES.items():
        page = f"http://{site.instance.prefix}.{subnet}.10:8404"
        folder = site.state / "nodes" / edge / "node/data/routing/www"
        for name in ("metrics", *(f"status/{path.name}" for path in folder.iterdir() if path.is_file())):
            with urllib.request.urlopen(f"{page}/{name}", timeout=10) as answer:
                shown[f"{edge}/{name}"] = answer.read().decode()
    assert {"edge-1/metrics", "edge-1/status/status.json", "edge-2/status/index.html"} <= set(shown)
    secret = ["PRIVATE KEY", *signing_keys(site)]
    assert not [name for name, text in shown.items() if any(word in text for word in secret)]


def test_secrets_are_in_no_process_list_and_no_readable_file(site: Site) -> None:
    values = signing_keys(site)
    running = [Path(entry, name).read_bytes().decode(errors="replace") for entry in Path("/proc").glob("[0-9]*")
               for name in ("cmdline",) if Path(entry, name).exists()]
    assert not [line for line in running if any(value in line for value in values)]
    output = site.play("playbooks/70_secrets.yml", "-vvv", "--diff")
    assert not [value for value in values if value in output]
    for path in site.state.rglob("*"):
        if path.is_file() and not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077 \
                and "/nodes/" not in str(path) and path.stat().st_size < 1 << 20:
            text = path.read_bytes().decode(errors="replace")
            assert "PRIVATE KEY" not in text and not any(value in text for value in values), path
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
