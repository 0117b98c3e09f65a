# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups of both versions. Files stand for the kernel's here; whole nodes run on what the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import cgroups
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError

ALL = "cpuset cpu io memory hugetlb pids rdma misc"


@pytest.fixture(name="instance")
def fixture_instance(tmp_path: Path) -> Instance:
    return Instance("llmx", "10.99", tmp_path / "state", tmp_path / "cache")


def mounted(folder: Path, monkeypatch: pytest.MonkeyPatch, **kinds: str) -> None:
    (folder / "mounts").write_text("".join(f"x {folder / name} {kind} rw 0 0\n" for name, kind in kinds.items()))
    monkeypatch.setattr(cgroups, "MOUNTS", folder / "mounts")
    for name in kinds:
        (folder / name).mkdir()


def group(path: Path, **knobs: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, value in knobs.items():
        (path / name.replace("__", ".")).write_text(value)
    return path


def test_version_2_hands_every_controller_down_to_the_leaf(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(tmp_path, monkeypatch, unified="cgroup2")
    above = [tmp_path / "unified", tmp_path / "unified/llmx", tmp_path / "unified/llmx/eu-west-1"]
    for folder in above:
        group(folder, cgroup__controllers=ALL, cgroup__subtree_control="memory", cpu__weight="100")
    assert cgroups.usable()
    assert cgroups.ensure(instance, "eu-west-1", 1024) == [above[-1] / "init"]
    for folder in above:
        assert (folder / "cgroup.subtree_control").read_text() == "+cpu +cpuset +hugetlb +io +pids"
    assert [(folder / "cpu.weight").read_text() for folder in above] == ["100", "1000", "100"]
    (above[-1] / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert cgroups.processor_seconds(instance, "eu-west-1") == 2.5


def test_version_1_fills_in_processors_and_leaves_the_unified_hierarchy_beside_it_alone(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(tmp_path, monkeypatch, memory="cgroup", cpuset="cgroup", unified="cgroup2")
    group(tmp_path / "unified", cgroup__controllers="hugetlb", cgroup__subtree_control="")
    group(tmp_path / "cpuset", cpuset__cpus="0-1\n")
    folder = group(tmp_path / "cpuset/llmx", cpuset__cpus="\n")
    assert cgroups.usable()
    assert len(cgroups.ensure(instance, "eu-west-1", 1024)) == 3
    assert (folder / "cpuset.cpus").read_text() == "0-1\n"
    assert (tmp_path / "unified/cgroup.subtree_control").read_text() == ""


def test_what_is_missing_is_told(tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container version 2 is there, but its root holds processes and hands nothing down."""
    mounted(tmp_path, monkeypatch, unified="cgroup2")
    group(tmp_path / "unified", cgroup__controllers="cpu pids")
    assert not cgroups.usable()
    group(tmp_path / "unified", cgroup__controllers=ALL)
    (tmp_path / "unified/cgroup.subtree_control").mkdir()
    with pytest.raises(LocalError, match=r"cgroup\.subtree_control doesn't take cpu cpuset"):
        cgroups.ensure(instance, "eu-west-1", 1024)
