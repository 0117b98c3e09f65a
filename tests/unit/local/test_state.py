# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state folder is made for root alone and marked; what isn't marked is never changed or removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import clean as cleaning
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import network
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.clean import clean
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import WantedFile
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node, NodeSpec
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.reconcile import Reconciler
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.state import claim, instance_lock

NAME = "zzunit"  # no instance of this name runs anywhere


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(NAME, "10.99", tmp_path / "llm-verifier" / NAME, tmp_path / "cache")


@pytest.fixture(autouse=True)
def fixture_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the machine itself be looked at but mounts."""
    monkeypatch.setattr(cleaning.network, "remove_wan", lambda _instance: False)
    monkeypatch.setattr(cleaning, "restore_limits", lambda _instance, check: {})


def test_it_is_for_root_alone_whoever_made_the_folder(instance: Instance) -> None:
    assert claim(instance, check=True)
    assert not instance.state_dir.exists()
    instance.state_dir.mkdir(parents=True, mode=0o755)
    assert claim(instance, check=False)
    assert instance.state_dir.stat().st_mode & 0o777 == 0o700
    assert not claim(instance, check=False)
    instance.state_dir.chmod(0o755)
    assert claim(instance, check=False)
    assert instance.state_dir.stat().st_mode & 0o777 == 0o700


def test_what_was_claimed_is_removed_whole(instance: Instance) -> None:
    with instance_lock(instance):
        (instance.state_dir / "pki").mkdir()
        (instance.state_dir / "pki/ca.key").touch()
    assert clean(instance, check=True) == [str(instance.state_dir)]
    assert clean(instance, check=False) == [str(instance.state_dir)]
    assert not instance.state_dir.parent.exists()
    assert clean(instance, check=False) == []


@pytest.mark.parametrize("act", [clean, claim])
def test_a_folder_with_other_files_stays_as_it_is(instance: Instance, act: object) -> None:
    assert callable(act)
    instance.state_dir.mkdir(parents=True, mode=0o755)
    (instance.state_dir / "photos").touch()
    with pytest.raises(LocalError, match="is no state folder of ours and stays as it is: set local_state_dir"):
        act(instance, check=False)
    assert [path.name for path in instance.state_dir.iterdir()] == ["photos"]
    assert instance.state_dir.stat().st_mode & 0o777 == 0o755


def test_a_folder_from_before_folders_were_marked_is_ours(instance: Instance, tmp_path: Path) -> None:
    (instance.state_dir / "nodes").mkdir(parents=True)
    (instance.state_dir / "tree").symlink_to(tmp_path / "photos")
    with pytest.raises(LocalError, match="is no state folder of ours"):
        clean(instance, check=False)
    (instance.state_dir / "tree").unlink()
    (instance.state_dir / "tree").symlink_to(instance.cache_dir / "tree/0a1b")
    assert claim(instance, check=False)
    assert clean(instance, check=False) == [str(instance.state_dir)]


@pytest.mark.parametrize("act", [clean, claim])
def test_another_instances_folder_stays_as_it_is(instance: Instance, act: object) -> None:
    assert callable(act)
    other = Instance("zzother", "10.98", instance.state_dir, instance.cache_dir)
    claim(other, check=False)
    with pytest.raises(LocalError, match="is the state folder of instance zzother, not of zzunit"):
        act(instance, check=False)
    assert instance.state_dir.exists()


def test_a_cache_in_the_state_folder_is_refused(instance: Instance, tmp_path: Path) -> None:
    claim(instance, check=False)
    (tmp_path / "link").symlink_to(instance.state_dir)
    for cache in (instance.state_dir, instance.state_dir / "cache", tmp_path / "link/cache"):
        with pytest.raises(LocalError, match="lies in the state folder"):
            clean(Instance(NAME, "10.99", instance.state_dir, cache), check=False)
    assert instance.state_dir.exists()


def test_files_that_stay_behind_are_told_and_go_the_next_time(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(instance, check=False)
    (instance.state_dir / "nodes/web-1").mkdir(parents=True)

    def busy(path: object, *_words: object, **_named: object) -> None:
        raise OSError(16, "Device or resource busy", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", busy)
        with pytest.raises(OSError, match="Device or resource busy"):
            clean(instance, check=False)
    clean(instance, check=False)
    assert not instance.state_dir.exists()


def test_what_a_start_that_failed_left_is_ours(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words: object, **_named: object) -> None:
        raise LocalError("no namespaces today")

    monkeypatch.setattr(network, "ensure_wan", fail)
    node = Node(instance, "web-1")
    files = [WantedFile("etc/page", b"hello", 0o644, False)]
    for _number in range(2):
        with pytest.raises(LocalError, match="no namespaces today"):
            Reconciler(node, "test", NodeSpec("/tree", 1), files, []).run(check=False, timeout=1)
    assert (node.inside / "etc/page").exists()
    monkeypatch.setattr(cleaning.network, "remove_link", lambda *_words: False)
    clean(instance, check=False)
    assert not instance.state_dir.exists()


def test_nothing_is_removed_below_a_mount_that_stays(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(instance, check=False)
    monkeypatch.setattr(cleaning, "_mounts_below", lambda folder: [f"{folder}/data"])
    monkeypatch.setattr(cleaning, "run", lambda *_words, **_named: None)
    with pytest.raises(LocalError, match="data is still mounted"):
        clean(instance, check=False)
    assert instance.state_dir.exists()
