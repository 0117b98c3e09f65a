# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of the default policy, and the programs to try a configuration with where the machine has them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

ROOT = Path(__file__).resolve().parents[3]
REGIONS = {"us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia"}
MakeTable = Callable[..., RoutingTable]
InTree = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    """A function (weights by region, **changes of the policy) -> table of the default policy."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")

    def make(weights: dict[str, float] | None = None, **changes: Any) -> RoutingTable:
        policy = Policy.from_dict({**yaml.safe_load(text)["routing_policy"], **changes})
        given = weights or {}
        regions = [
            Region(name=name, geography=place, endpoint=f"10.1.{order}.10", order=order, weight=given.get(name, 1))
            for order, (name, place) in enumerate(REGIONS.items(), 1)
        ]
        return compile_table(policy, regions, 7)

    return make


@pytest.fixture(scope="session")
def site() -> Site:
    """Two edges, a static site and a network in each of four countries."""
    return Site(
        edges=(Machine(name="edge-1", address="10.1.201.10"), Machine(name="edge-2", address="10.1.202.10")),
        static_site=Machine(name="static-1", address="10.1.211.10"),
        networks=(("10.1.221.0/24", "US"), ("10.1.222.0/24", "IE"), ("10.1.223.0/24", "SG"), ("10.1.224.0/24", "BR")),
    )


@pytest.fixture
def in_tree(tmp_path: Path) -> InTree:
    """A function (command) -> what it gave, in the Debian tree with tmp_path as /mnt. Skips where no tree is built."""
    cache = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
    trees = [path for path in sorted((cache / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
    if not trees or os.geteuid() != 0:
        pytest.skip("needs root and the Debian tree, which `make site` builds")
    enter = 'mount --bind "$0" "$1/mnt" && exec chroot "$@"'

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        command = ["unshare", "-m", "sh", "-c", enter, str(tmp_path), str(trees[0]), *argv]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run
