# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loop writes down: log and state survive a crash, a full disk and damage, no more than needed."""

from __future__ import annotations

import errno
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import commands, memory
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.history import verified
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.store import Kept

from .test_loop import Edges, admission, both, held, order, rounds


def test_killed_between_log_and_state_the_chain_goes_on(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = both(edges)
    head = one.control.memory.journal.head()

    def killed(_kept: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(one.control.memory.store, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        order(one, "force_down", "eu-west-1")
    edges["edge-1"].end()
    again = edges["edge-1"].serve()
    again.round()
    assert not again.failures
    order(again, "force_down", "eu-west-1")
    lines = again.control.memory.journal.after(head) or []
    assert len(lines) >= 2 and again.control.memory.journal.head() == held(again).state.log_head


def test_who_verifies_the_log_while_a_decision_is_written_finds_it_whole(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the line in the log and the state that names it as the head."""
    one, _two = both(edges)
    save, asked = one.control.memory.store.save, list[Future[dict[str, Any]]]()
    with ThreadPoolExecutor(1) as threads:

        def slow(kept: Kept) -> None:
            asked.append(threads.submit(commands.verify_log, one.settings, {}))
            wait(asked, 0.5)
            save(kept)

        monkeypatch.setattr(one.control.memory.store, "save", slow)
        order(one, "force_down", "eu-west-1")
    found = asked[0].result()
    assert found["whole"] and found["head"] == held(one).state.log_head, found["problems"]


def test_a_full_disk_keeps_the_last_decision_and_says_so(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = both(edges)
    order(one, "force_down", "eu-west-1")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = order(one, "drain", "ap-south-1")
    assert any("No space left" in text and "Make room" in text for text in done["failures"])
    first = edges["edge-1"]
    assert (admission(first, "eu-west-1"), admission(first, "ap-south-1")) == (0, 1)
    monkeypatch.undo()
    assert not order(one, "drain", "ap-south-1")["failures"]
    assert admission(first, "ap-south-1") == 0


def test_a_damaged_log_is_no_full_disk_and_a_new_one_begins_in_its_place(edges: Edges) -> None:
    one, _two = both(edges)
    order(one, "force_down", "eu-west-1")
    log = edges["edge-1"].settings.folder / "decisions.jsonl"
    log.write_text(log.read_text() + "damaged\n")
    one.page._written = float("-inf")
    rounds(one)
    assert "its last line is no decision" in one.trouble() and "decisions*.jsonl, away" in one.trouble()
    assert "Make room" not in one.trouble() and admission(edges["edge-1"], "eu-west-1") == 0
    log.replace(log.with_name("damaged"))
    rounds(one)
    assert not one.failures
    assert order(one, "drain", "ap-south-1")["changed"] and not one.failures
    found = verified(list(one.control.memory.journal.lines()), held(one).state.log_head, again=True)
    assert found["whole"] and found["lines"] >= 1


def test_an_edge_that_follows_with_a_damaged_log_is_sent_a_whole_one(edges: Edges) -> None:
    one, two = both(edges)
    order(one, "force_down", "eu-west-1")
    log = edges["edge-2"].settings.folder / "decisions.jsonl"
    log.write_text(log.read_text() + "damaged\n")
    rounds(two, one, two)
    assert list(two.control.memory.journal.lines()) == list(one.control.memory.journal.lines())
    assert one.failures == two.failures == ()


def test_a_state_that_only_grows_older_is_written_now_and_then(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = both(edges)
    for _tick in range(25):
        rounds(two, one)
    state = edges["edge-1"].settings.folder / "state.json"
    before, at = state.read_bytes(), held(one).state.at
    rounds(two, one, two, one)
    assert state.read_bytes() == before and held(one).state.at > at
    monkeypatch.setattr(memory, "SAVE_SECONDS", 0.0)
    rounds(one)
    assert state.read_bytes() != before


def test_what_was_counted_survives_a_crash(edges: Edges) -> None:
    """Two failed checks, a crash, and the third one is the third."""
    one, two = both(edges)
    for _tick in range(25):
        rounds(two, one)
    lines = one.control.memory.journal.head()
    for edge in edges.values():
        edge.sick = {"eu-west-1"}
    rounds(two, one, two, one)
    counted = [counter.failures for counter in held(one).state.region("eu-west-1").counters]
    assert counted == [2, 2]
    edges["edge-1"].end()
    again = edges["edge-1"].serve()
    rounds(two, again)
    assert {counter.failures for counter in held(again).state.region("eu-west-1").counters} == {3}
    assert again.control.memory.journal.head() != lines, "it is news"
