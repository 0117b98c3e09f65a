# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine was started anew: of the site only files are left, and `site.yml` brings all of it back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import cgroups, faults, host, network
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance

from .conftest import OWN, REGIONS, Site, all_own, changes, steady, until

EDGES = ("edge-1", "edge-2")


def start_anew(instance: Instance) -> None:
    """Take away all that a reboot takes: processes, control groups, namespaces, links, mounts, raised limits."""
    cgroups.remove(instance, deadline=60)
    for path in network.NETNS.glob(f"{instance.name}-*"):
        subprocess.run(["ip", "netns", "delete", path.name], check=True)
    subprocess.run(["ip", "link", "delete", instance.host_link], check=False)
    host.restore_limits(instance, check=False)
    assert not cgroups.processes(instance)
    assert not list(network.NETNS.glob(f"{instance.name}-*"))
    assert str(instance.state_dir) not in Path("/proc/mounts").read_text()


def kept(site: Site) -> dict[str, str]:
    """What a reboot must not cost: data of every cluster, keys, certificates."""
    found = {path: (site.state / path).read_text() for path in ("certificate/tls.key", "secrets/jwt-ring.json")}
    for region in REGIONS:
        words = ("get", "configmap", "memory", "-o", "jsonpath={.data.of}", "--request-timeout=5s")
        found[region] = site.kubectl(region, *words)
        found[f"{region}'s authority"] = (site.state / "pki" / region / "ca.crt").read_text()
    return found


def decided(site: Site, edge: str) -> set[str]:
    """Every decision that an edge remembers."""
    folder = site.state / "nodes" / edge / "node/data/routing"
    lines = [line for path in folder.glob("decisions*.jsonl") for line in path.read_text().splitlines()]
    return {str(json.loads(line)["hash"]) for line in lines}


@pytest.mark.long
def test_a_site_comes_back_after_a_reboot_with_its_data_and_without_its_faults(site: Site) -> None:
    for region in REGIONS:
        site.kubectl(region, "create", "configmap", "memory", f"--from-literal=of={region}-before")
    try:
        before, decisions = kept(site), {edge: decided(site, edge) for edge in EDGES}
        assert before["eu-west-1"] == "eu-west-1-before" and all(decisions.values())
        site.fault("us-west-2", "cut")
        site.fault("ap-southeast-1", "down")
        assert faults.load(site.instance) == {"us-west-2": {"cut": ["everything"]}, "ap-southeast-1": {"down": True}}
        start_anew(site.instance)
        assert faults.load(site.instance).get("us-west-2") is None
        site.play("site.yml")
        until(lambda: steady(site.instance) and all_own(site), 120, "every geography is served by its own region")
        assert kept(site) == before
        assert all(decisions[edge] <= decided(site, edge) for edge in EDGES)
        assert faults.load(site.instance) == {}
        report = site.report()
        assert not report["problems"]
        assert {row["geography"]: row["answer"]["region"] for row in report["geographies"]} == OWN
        assert set(changes(site.play("site.yml")).values()) == {0}
    finally:
        for region in REGIONS:
            site.kubectl(region, "delete", "configmap", "memory", "--ignore-not-found", check=False)
