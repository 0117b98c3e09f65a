# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a node's services, also across a rotation, and of one service alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.logs import last_lines, text
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node


@pytest.fixture(name="node")
def fixture_node(tmp_path: Path) -> Node:
    """A node that doesn't run, with logs of two services; one was rotated twice."""
    node = Node(Instance("llmv", "10.77", tmp_path, tmp_path / "cache"), "eu-west-1")
    said = {"etcd/current": "a\nb\n", "kubelet/current": "5\n6\n", "kubelet/@40000001.s": "1\n2\n",
            "kubelet/@40000002.s": "3\n4\n", "audit/audit.log": "none of runit's\n"}
    for name, words in said.items():
        path = node.inside / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return node


def test_every_services_last_lines(node: Node) -> None:
    found = last_lines(node, "", 3)
    assert found == {"etcd": ["a", "b"], "kubelet": ["4", "5", "6"]}
    assert text("eu-west-1", found) == "== eu-west-1 etcd\na\nb\n== eu-west-1 kubelet\n4\n5\n6"


def test_of_one_service_alone(node: Node) -> None:
    assert last_lines(node, "kubelet", 1) == {"kubelet": ["6"]}


def test_a_service_or_node_that_is_not_there_is_told(node: Node, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="no service kublet: there are etcd, kubelet"):
        last_lines(node, "kublet", 1)
    with pytest.raises(LocalError, match="node nowhere has no logs"):
        last_lines(Node(node.instance, "nowhere"), "", 1)
