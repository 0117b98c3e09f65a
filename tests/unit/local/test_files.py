"""A node's files: what changes, what goes away, what can be undone, and that secrets don't show."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import files
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import WantedFile


def wanted(path: str, content: str = "x\n", mode: int = 0o644) -> WantedFile:
    return WantedFile(path, content.encode(), mode, False)


def test_only_differences_are_planned(tmp_path: Path) -> None:
    first = [wanted("etc/a"), wanted("etc/b")]
    files.apply_changes(tmp_path, files.plan_files(tmp_path, first, []))
    assert files.plan_files(tmp_path, first, ["etc/a", "etc/b"]) == []
    plan = files.plan_files(tmp_path, [wanted("etc/a", "y\n"), wanted("etc/b", mode=0o600)], ["etc/a", "etc/b"])
    assert [change.path for change in plan] == ["etc/a", "etc/b"]


def test_what_an_owner_no_longer_names_goes_away_and_others_files_stay(tmp_path: Path) -> None:
    files.apply_changes(tmp_path, files.plan_files(tmp_path, [wanted("etc/mine"), wanted("etc/other")], []))
    files.apply_changes(tmp_path, files.plan_files(tmp_path, [], ["etc/mine"]))
    assert not (tmp_path / "etc/mine").exists()
    assert (tmp_path / "etc/other").exists()


def test_reverted_changes_put_the_old_files_back(tmp_path: Path) -> None:
    files.apply_changes(tmp_path, files.plan_files(tmp_path, [wanted("a", "old"), wanted("gone", "kept")], []))
    plan = files.plan_files(tmp_path, [wanted("a", "new"), wanted("added")], ["a", "gone"])
    files.apply_changes(tmp_path, plan)
    files.apply_changes(tmp_path, files.reverted(plan))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "gone": "kept"}


def test_a_secret_shows_in_no_diff(tmp_path: Path) -> None:
    source = tmp_path / "key"
    source.write_text("hunter2")
    source.chmod(0o600)
    copies = [{"from": str(tmp_path), "to": "etc", "names": ["key"]}]
    (change,) = files.plan_files(tmp_path / "node", files.wanted_files([], copies, missing_ok=False), [])
    assert change.mode == 0o600
    assert "hunter2" not in str(change.shown())


def test_a_missing_source_is_an_error_but_in_check_mode(tmp_path: Path) -> None:
    copies = [{"from": str(tmp_path), "to": "etc", "names": ["absent"]}]
    assert files.wanted_files([], copies, missing_ok=True) == []
    with pytest.raises(FileNotFoundError):
        files.wanted_files([], copies, missing_ok=False)


def test_of_a_large_file_a_diff_shows_the_size_alone(tmp_path: Path) -> None:
    files.apply_changes(tmp_path, files.plan_files(tmp_path, [wanted("map", "1" * 300000)], []))
    (gone,) = files.plan_files(tmp_path, [], ["map"])
    assert gone.shown()["before"].startswith("(300000 bytes, sha256 ") and len(gone.shown()["before"]) < 50
