# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run record decides on regions; the ring of keys never refuses a token."""

from __future__ import annotations

import json
import multiprocessing
import stat
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs import store
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs.record import (
    begun,
    closing,
    interrupted,
    may_begin,
    noted,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs.ring import RingError, turned
from ansible_collections.llm_verifier.multi_region.plugins.modules import deploy_run

REGIONS = ("r1", "r2", "r3", "r4")


def record(**states: str) -> dict[str, Any]:
    """A run over four regions, r1 the primary one."""
    held = begun("run", "t0", "image", "r1", REGIONS, REGIONS)
    for region, state in states.items():
        held = noted(held, region, {"state": state, "at": "t1", "message": f"{region} said\nmore"})
    return held


def test_nothing_begins_before_the_primary_region_passed() -> None:
    """Nor after it failed, or died without an outcome."""
    assert may_begin(record(), "r1", 0).go
    for state in ("waiting", "started", "failed", "rolled_back"):
        assert not may_begin(record(r1=state), "r2", 3).go, state
    assert may_begin(record(r1="passed"), "r2", 0).go
    assert "the primary region r1 failed" in closing(record(r1="failed", r2="passed"), "r2", 3).reason
    alone = begun("run", "t0", "image", "r1", ["r3"], ["r3"])
    assert may_begin(alone, "r3", 0).go


@pytest.mark.parametrize(("failed", "allowed", "go"), [(0, 0, True), (1, 0, False), (1, 1, True), (2, 1, False)])
def test_failed_regions_are_counted_absolutely(failed: int, allowed: int, go: bool) -> None:
    """As many as allowed may fail, one more ends it."""
    states = dict.fromkeys(("r2", "r3")[:failed], "rolled_back")
    assert may_begin(record(r1="passed", **states), "r4", allowed).go is go


def test_a_region_that_an_earlier_stage_lost_counts_as_failed() -> None:
    """The run began without it, so nothing else would tell."""
    held = begun("run", "t0", "image", "r1", REGIONS, ("r1", "r2", "r4"))
    held = noted(held, "r1", {"state": "passed", "at": "t1"})
    assert not may_begin(held, "r2", 0).go and may_begin(held, "r2", 1).go


def test_the_end_of_a_run_fails_for_every_region_that_did_not_pass() -> None:
    """And for all of them when it was halted; only the first line of a reason is told again."""
    held = record(r1="passed", r2="rolled_back", r3="started")
    assert closing(held, "r1", 1).go
    assert closing(held, "r2", 1).reason == "r2 failed and runs its last good release again: r2 said"
    assert "no outcome" in closing(held, "r3", 1).reason and "wasn't begun" in closing(held, "r4", 1).reason
    assert "halted: 1 regions failed (r2)" in closing(held, "r1", 0).reason
    assert interrupted(held) == ["r3"]


@given(
    st.lists(st.tuples(st.sampled_from(REGIONS), st.sampled_from(["passed", "failed"])), max_size=8), st.integers(0, 3)
)
def test_a_run_ends_well_only_when_every_region_passed(steps: list[tuple[str, str]], allowed: int) -> None:
    """Whatever happened in whatever order: no failed region is ever hidden, and the last word counts."""
    held = record()
    for region, state in steps:
        held = noted(held, region, {"state": state, "at": "t1"})
    last = dict(steps)
    good = [region for region in REGIONS if closing(held, region, allowed).go]
    assert set(good) <= {region for region, state in last.items() if state == "passed"}
    assert (len(good) == len(REGIONS)) == all(last.get(region) == "passed" for region in REGIONS)


def _note_many(folder: str, run: str, region: str) -> None:
    for _ in range(10):
        store.note(folder, run, region, {"state": "passed"})


def test_regions_write_one_record_at_once_and_lose_nothing(tmp_path: Path) -> None:
    """Under the lock, whole, and readable by their owner alone; a run that died is named by the next."""
    folder = str(tmp_path / "runs")
    held, left = store.begin(folder, "image", "r1", REGIONS, REGIONS, keep=2)
    assert left == []
    writers = [
        multiprocessing.get_context("fork").Process(target=_note_many, args=(folder, held["id"], region))
        for region in REGIONS
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    states = {name: outcome["state"] for name, outcome in store.load(folder, held["id"])["regions"].items()}
    assert states == dict.fromkeys(REGIONS, "passed")
    assert stat.S_IMODE(store.path_of(folder, held["id"]).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    store.note(folder, held["id"], "r2", {"state": "started"})
    assert store.begin(folder, "image", "r1", REGIONS, REGIONS, keep=2)[1] == ["r2"]


def test_a_key_is_replaced_without_a_region_refusing_another_ones_token() -> None:
    """At every step, regions still at the step before accept what regions at this one sign with, and the reverse."""
    keys = (f"key{number}" for number in count())
    ring = turned(None, "present", lambda: next(keys))
    for step in ("introduced", "promoted", "settled") * 3:
        after = turned(ring, step, lambda: next(keys))
        accepted_before = {ring["current"], ring.get("previous")}
        assert after["current"] in accepted_before and ring["current"] in {after["current"], after["previous"]}
        assert turned(after, step, lambda: next(keys)) == after
        ring = after
    assert ring["current"] == "key3"


def test_an_interrupted_rotation_goes_on_instead_of_beginning_anew() -> None:
    """A rerun introduces nothing while a key waits to sign or to settle."""
    ring = {"current": "b", "previous": "a", "phase": "promoted"}
    assert turned(ring, "introduced", lambda: "c") == ring == turned(ring, "promoted", lambda: "c")
    with pytest.raises(RingError):
        turned({"current": "a", "previous": "b", "phase": "introduced"}, "settled", lambda: "c")
    with pytest.raises(RingError):
        turned({"phase": "steady"}, "present", lambda: "c")


def test_a_plan_that_fails_is_told_in_check_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No verdict comes later: a run in check mode has no record."""
    asked = {"runs_dir": str(tmp_path), "run_id": "check", "state": "failed", "region": "r2", "reason": "no such kind"}
    with patch_module_args({**asked, "_ansible_check_mode": True}), pytest.raises(SystemExit):
        deploy_run.main()
    said = json.loads(capsys.readouterr().out)
    assert said["failed"] and "r2" in said["msg"] and "no such kind" in said["msg"]
    assert not list(tmp_path.iterdir())
