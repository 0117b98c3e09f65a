# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default policy and an inventory like the local one, as plain data that a test may spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
REGIONS = {
    "us-east-1": "north-america",
    "us-west-2": "north-america",
    "eu-west-1": "europe",
    "ap-southeast-1": "asia",
}


@pytest.fixture
def policy() -> dict[str, Any]:
    """The policy that the local inventory ships with."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["routing_policy"]
    return found


@pytest.fixture
def hosts() -> dict[str, dict[str, Any]]:
    """Hosts as the filter routing_inputs gives them, without a fault."""
    run = {"local_instance_name": "llmv", "local_network_prefix": "10.77", "skip_monitoring": False,
           "local_state_dir": "/var/lib/llm-verifier/llmv", "local_cache_dir": "/var/cache/llm-verifier"}
    made: dict[str, dict[str, Any]] = {}

    def add(name: str, subnet: int, *groups: str, **facts: Any) -> None:
        made[name] = {
            "groups": sorted(["all", "local_nodes", *groups]),
            "node_subnet": subnet,
            "node_address": f"10.77.{subnet}.2",
            "node_public_address": f"10.77.{subnet}.10",
            "undefined": {},
            "unknown": [],
            "secrets": {"generate": True},
            **run,
            **facts,
        }

    for index, (name, geography) in enumerate(REGIONS.items(), start=1):
        facts = {
            "region_provider": "local",
            "region_geography": geography,
            "region_weight": 1,
            "region_endpoint": f"10.77.{index}.10",
            "region_kubeconfig": f"/var/lib/llm-verifier/llmv/kubeconfigs/{name}",
            "region_context_aliases": [f"aws-{name}"],
        }
        add(name, index, "regions", "local", "primary" if index == 1 else "secondary", **facts)
    add("edge-1", 201, "edge")
    add("edge-2", 202, "edge")
    add("services-1", 210, "services")
    add("static-1", 211, "static_site")
    add("client-eu", 222, "clients", client_country="IE")
    return made
