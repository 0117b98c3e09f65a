# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters over a window, across reloads and gaps."""

from __future__ import annotations

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.window import PROCESSES, Window


def test_what_was_counted_before_the_first_look_does_not_count() -> None:
    window = Window(10)
    window.add(0, "1", {"a": (1000.0, 900.0)})
    assert window.growth() == (0.0, {})
    window.add(2, "1", {"a": (1010.0, 901.0)})
    assert window.growth() == (2, {"a": (10, 1)})


def test_the_window_moves_on() -> None:
    window = Window(10)
    for second in range(0, 101, 2):
        window.add(second, "1", {"a": (second * 5.0,)})
    assert window.growth() == (10, {"a": (50,)})
    assert len(window._samples) < 10


def test_another_process_and_a_counter_that_went_back_began_at_zero() -> None:
    window = Window(60)
    window.add(0, "1", {"a": (100.0,), "b": (7.0,)})
    window.add(2, "1", {"a": (110.0,), "b": (9.0,)})
    window.add(4, "2", {"a": (200.0,), "b": (1.0,)})  # reloaded, and busier already than before
    window.add(6, "2", {"a": (5.0,), "b": (1.0,), "c": (3.0,)})  # cleared; and a region that came
    assert window.growth() == (6, {"a": (215,), "b": (3,), "c": (3,)})


def test_a_counter_that_wavers_is_not_counted_anew() -> None:
    window = Window(60)
    window.add(0, "1", {"a": (1000.0, 100.0)})
    window.add(2, "1", {"a": (1020.0, 99.0)})
    window.add(4, "1", {"a": (1019.0, 101.0)})
    window.add(6, "1", {"a": (1021.0, 101.0)})
    assert window.growth() == (6, {"a": (21, 1)})


def test_the_process_of_before_may_answer_once_more() -> None:
    window = Window(60)
    for second, (process, count) in enumerate([("1", 1000.0), ("2", 3.0), ("1", 1001.0), ("2", 5.0), ("3", 1.0)]):
        window.add(second, process, {"a": (count,)})
    assert window.growth() == (4, {"a": (3 + 1 + 2 + 1,)})
    for number in range(10):
        window.add(10 + number, f"more-{number}", {"a": (0.0,)})
    assert len(window._marks) == PROCESSES


def test_a_gap_makes_the_window_longer_not_the_ratio_wrong() -> None:
    window = Window(10)
    window.add(0, "1", {"a": (0.0, 0.0)})
    window.add(100, "1", {"a": (1000.0, 10.0)})
    assert window.growth() == (100, {"a": (1000, 10)})


def test_the_last_seconds_are_told_apart() -> None:
    """A load that began 4 s ago, in a window of 15 s."""
    window = Window(15)
    for at, count in ((0, 0), (2, 0), (11, 0), (13, 200), (15, 400)):
        window.add(at, "1", {"a": (count,)})
    assert window.growth() == (15, {"a": (400,)})
    assert window.growth(4) == (4, {"a": (400,)})
    assert window.growth(3) == (4, {"a": (400,)})
    assert window.growth(100) == window.growth()
