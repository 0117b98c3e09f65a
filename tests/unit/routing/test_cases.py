# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases of a function over sets are what calling it for every set would show."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.cases import Up, cases, set_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.cases import first as lowest

LETTERS = "abcd"
POWERSET = [frozenset(some) for size in range(5) for some in combinations(LETTERS, size)]

FUNCTIONS = st.recursive(
    st.sampled_from(["say 1", "say 2", "count", "list", "minus", "and", "equal", "above", "frozen"]),
    lambda below: st.tuples(st.sampled_from([*LETTERS, "z"]), below, below),
    max_leaves=12,
)
"""Questions one after the other: a name with what follows when it is there and when it isn't, or a leaf."""


def call(function: Any, up: Up) -> object:
    if isinstance(function, tuple):
        name, there, missing = function
        return call(there if name in up else missing, up)
    few = frozenset("ab")
    leaves = {
        "count": lambda: len(up),
        "list": lambda: "".join(sorted(up)),
        "minus": lambda: (frozenset("abz") - up, type(frozenset("abz") - up) is frozenset),
        "and": lambda: up & few,
        "equal": lambda: up == few,
        "above": lambda: few <= up,
        "frozen": lambda: 1 in up or bool(frozenset(up)),
    }
    return leaves[function]() if function in leaves else function


@settings(deadline=None, derandomize=True, max_examples=200)
@given(FUNCTIONS, st.permutations(POWERSET), st.integers(0, len(POWERSET)))
def test_every_set_is_in_the_case_of_its_outcome(function: Any, sets: list[frozenset[str]], count: int) -> None:
    some = sets[:count]
    naive = Counter(call(function, up) for up in some)
    first = {value: min(place for place, up in enumerate(some) if call(function, up) == value) for value in naive}
    found: Counter[object] = Counter()
    places: dict[object, int] = {}
    for case in cases(set_table(some), lambda up: call(function, up)):
        found[case.value] += case.mask.bit_count()
        places[case.value] = min(lowest(case.mask), places.get(case.value, count))
    assert found == naive and places == first


def test_what_is_not_asked_is_not_tried() -> None:
    names = [f"r{number:02d}" for number in range(12)]
    table = set_table([frozenset(some) for size in range(12, -1, -1) for some in combinations(names, size)])
    found = list(cases(table, lambda up: next((name for name in names if name in up), "nothing")))
    wanted = {name: 2 ** (11 - place) for place, name in enumerate(names)} | {"nothing": 1}
    assert len(table.sets) == 4096 and len(found) == 13
    assert {case.value: case.mask.bit_count() for case in found} == wanted
