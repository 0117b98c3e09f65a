# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State, log, role and clock survive crashes, full disks, damage, strangers and clocks that are set."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import disk
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.clock import Clock, Mark
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.journal import Journal, JournalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.store import (
    Kept,
    Role,
    StateError,
    Store,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import (
    EVICTED,
    Counter,
    Order,
    RegionState,
    State,
)

MARK = Mark(at=1000.0, elapsed=50.0, boot="this")
ROOT = Path(__file__).resolve().parents[3]


def kept(generation: int, **more: Any) -> Kept:
    region = RegionState(
        name="eu-west-1", phase=EVICTED, admission=0.0, counters=(Counter(vantage="edge-1", failures=3, last=999.5),)
    )
    order = Order(kind="freeze", region="", by="anna", reason="a fair", at=1.0)
    return Kept(state=State(generation=generation, regions=(region,), orders=(order,)), mark=MARK, **more)


@pytest.fixture(name="store")
def fixture_store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "routing", "example.com")
    made.prepare()
    return made


def line(number: int, previous: str) -> str:
    return json.dumps({"number": number, "previous": previous, "hash": f"h{number}"})


def chain(first: int, last: int) -> list[str]:
    return [line(number, f"h{number - 1}" if number > 1 else "") for number in range(first, last + 1)]


def test_what_is_saved_is_what_is_loaded(store: Store) -> None:
    assert store.load() is None
    store.save(kept(7, epoch=2))
    assert store.load() == kept(7, epoch=2)
    assert store.state_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "is not used"),
        (lambda text: text.replace("EVICTED", "HEALTHY"), "its sum is wrong"),
        (lambda text: "[]", "it is no state"),
        (lambda text: "\x00" * 100, "is not used"),
        (lambda text: "[" * 100000, "is not used"),
    ],
)
def test_a_damaged_state_is_refused_with_what_to_do(store: Store, spoil: Any, said: str) -> None:
    store.save(kept(7))
    store.state_file.write_text(spoil(store.state_file.read_text()))
    with pytest.raises(StateError, match=said) as caught:
        store.load()
    assert "takeover.yml" in str(caught.value) and "move the file away" in str(caught.value)


def test_the_state_of_another_site_is_refused(store: Store) -> None:
    store.save(kept(7))
    with pytest.raises(StateError, match=r"of example.com, not of example.org"):
        Store(store.folder, "example.org").load()


def test_a_full_disk_leaves_state_and_log_as_they_were(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(store.folder)
    store.save(kept(7))
    journal.append(chain(1, 3))
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(kept(8))
    with pytest.raises(OSError, match="No space"):
        journal.append(chain(4, 5))
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before
    monkeypatch.undo()
    journal.append(chain(4, 5))
    assert journal.head() == "h5"


def test_a_line_that_a_crash_cut_off_is_taken_away(store: Store) -> None:
    Journal(store.folder).append(chain(1, 3))
    with (store.folder / "decisions.jsonl").open("a") as log:
        log.write(line(4, "h3")[:20])
    journal = Journal(store.folder)
    assert journal.head() == "h3"
    journal.append(chain(4, 4))
    assert list(journal.lines()) == chain(1, 4)


@pytest.mark.parametrize("size", [300, 1 << 20])
def test_who_reads_while_a_line_is_written_neither_takes_it_nor_cuts_it_off(store: Store, size: int) -> None:
    """In a file of its own, just begun, and behind other lines."""
    journal = Journal(store.folder, largest=size)
    journal.append(chain(1, 5))
    journal.rotate()
    next_line = json.dumps({"number": 6, "previous": "h5", "hash": "h6", "inputs": {"fleet": {}, "hash": "f"}}) + "\n"
    begun = next_line[:-8].encode()
    reader = Journal(store.folder)
    with (store.folder / "decisions.jsonl").open("ab", buffering=0) as log:
        log.write(begun)
        assert (reader.head(), reader.tail(1), reader.after("h4")) == ("h5", chain(5, 5), chain(5, 5))
        assert (list(reader.lines()), reader.inputs()) == (chain(1, 5), "")
        log.write(next_line[-8:].encode())
    assert list(reader.lines()) == [*chain(1, 5), next_line[:-1]]
    assert (reader.head(), reader.inputs()) == ("h6", "f")


def test_a_line_that_a_crash_cut_off_isnt_kept_in_an_older_file(store: Store) -> None:
    journal = Journal(store.folder, largest=100)
    journal.append(chain(1, 3))
    with (store.folder / "decisions.jsonl").open("a") as log:
        log.write(line(4, "h3")[:20])
    journal.rotate()
    journal.append(chain(4, 4))
    assert [path.read_text().count("{") for path in sorted(store.folder.glob("decisions-*"))] == [3]


def test_lines_that_do_not_follow_are_refused(store: Store) -> None:
    journal = Journal(store.folder)
    journal.append(chain(1, 3))
    with pytest.raises(JournalError, match="doesn't follow h3"):
        journal.append(chain(5, 6))
    assert journal.head() == "h3"


def test_the_log_is_rotated_bounded_and_read_as_one(store: Store) -> None:
    journal = Journal(store.folder, largest=300, kept=3)
    for number in range(1, 41):
        journal.rotate()
        journal.append(chain(number, number))
    files = sorted(path.name for path in store.folder.glob("decisions*.jsonl"))
    assert len(files) == 3 and "decisions.jsonl" in files
    lines = list(journal.lines())
    assert lines == chain(json.loads(lines[0])["number"], 40)
    assert journal.tail(8) == chain(33, 40)
    assert journal.after("h30") == chain(31, 40) and journal.after("h40") == []
    assert journal.after("h1") is None and journal.after("") is None
    assert Journal(store.folder).head() == "h40"


def test_the_whole_log_is_sent_to_an_edge_that_has_none(store: Store) -> None:
    journal = Journal(store.folder, largest=100)
    journal.append(chain(1, 3))
    assert journal.after("") == chain(1, 3)


def test_two_processes_write_one_after_the_other(store: Store) -> None:
    """Each takes the lock, reads a number, waits and writes the next one: without the lock numbers get lost."""
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.store import Store
        store = Store(Path(sys.argv[1]), "example.com")
        for _round in range(10):
            with store.lock(30):
                count = store.folder / "count"
                value = int(count.read_text())
                time.sleep(0.005)
                count.write_text(str(value + 1))
    """)
    (store.folder / "count").write_text("0")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    command = [sys.executable, "-c", program, str(store.folder)]
    running = [subprocess.Popen(command, env=environment) for _one in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert (store.folder / "count").read_text() == "30"


def test_the_lock_is_refused_with_what_holds_it(store: Store) -> None:
    with store.service_lock(), pytest.raises(disk.BusyError, match="another agent runs already"), store.service_lock():
        pass
    with store.service_lock():
        pass


def test_a_later_choice_of_the_active_edge_counts(store: Store) -> None:
    assert store.role("edge-1") == Role(active="edge-1", epoch=0)
    store.choose(Role(active="edge-2", epoch=1))
    assert store.role("edge-1") == Role(active="edge-2", epoch=1)
    assert Role(active="edge-1", epoch=2).newer_than(Role(active="edge-2", epoch=1))
    assert Role(active="edge-2", epoch=2).newer_than(Role(active="edge-1", epoch=2))
    assert not Role(active="edge-1", epoch=2).newer_than(Role(active="edge-1", epoch=2))


class Machine:
    """A machine's two clocks, to be set."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_000_000.0, 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall, self.elapsed = self.wall + seconds, self.elapsed + seconds

    def clock(self, mark: Mark | None = None, boot: str = "this") -> Clock:
        return Clock(mark, lambda: self.wall, lambda: self.elapsed, boot)


@pytest.mark.parametrize("jump", [-7200.0, 7200.0, 86400.0 * 365])
def test_a_clock_that_is_set_moves_nothing(jump: float) -> None:
    machine = Machine()
    clock = machine.clock()
    begin = clock.now()
    machine.wall += jump
    assert clock.now() == begin
    for _tick in range(30):
        machine.pass_by(2)
        clock.now()
    assert 57 <= clock.now() - begin <= 63
    assert abs(clock.ahead()) > abs(jump) - 4


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_process_after_a_jump_goes_on_where_the_last_one_was(jump: float) -> None:
    machine = Machine()
    mark = machine.clock().mark()
    machine.wall += jump
    machine.pass_by(10)
    assert machine.clock(mark).now() == pytest.approx(mark.at + 10, abs=1)


def test_after_a_boot_the_machine_clock_counts_but_never_the_past() -> None:
    machine = Machine()
    mark = machine.clock().mark()
    machine.elapsed = 3.0
    machine.wall += 600
    assert machine.clock(mark, boot="next").now() == mark.at + 600
    machine.wall -= 7200
    assert machine.clock(mark, boot="next").now() == mark.at
