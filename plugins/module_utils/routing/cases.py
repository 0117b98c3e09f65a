# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All outcomes of a function of a set of names, without calling it for every set.

The function is called with a set that remembers which names it was asked for. Its outcome holds for all sets that agree
with that one about those names; the others follow in the same way. This is the demand-driven enumeration of Lazy
SmallCheck (Runciman, Naylor, Lindblad: SmallCheck and Lazy SmallCheck, Haskell Symposium 2008). It is exact for every
function that is told by nothing but its set; it is fast for one that asks with `in` and stops early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

Names = frozenset[str]
Up = AbstractSet[str]
"""A set of names, which may be one that remembers what it was asked for."""

T = TypeVar("T")


class Watched(AbstractSet[str]):
    """A set that remembers which names it was asked for: all, when it is iterated, counted or compared."""

    __slots__ = ("_all", "_names", "asked")

    def __init__(self, names: Names, all_names: Iterable[str]) -> None:
        self._names, self._all = names, all_names
        self.asked: dict[str, None] = {}

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> frozenset[T]:
        return frozenset(it)

    def _ask_all(self) -> Names:
        self.asked.update(dict.fromkeys(self._all))
        return self._names

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str):
            self.asked[name] = None
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask_all())

    def __len__(self) -> int:
        return len(self._ask_all())


@dataclass(frozen=True, slots=True)
class Case(Generic[T]):
    """An outcome; bit i of `mask` tells whether set i has it."""

    mask: int
    value: T


def first(mask: int) -> int:
    """The place of the lowest bit of a number above 0."""
    return (mask & -mask).bit_length() - 1


@dataclass(frozen=True, slots=True)
class SetTable:
    """Sets of names in an order; bit i of `columns[name]` tells whether set i has the name."""

    sets: tuple[Names, ...]
    columns: dict[str, int]


def set_table(sets: Sequence[Names]) -> SetTable:
    """The table of some sets, each of which is there once."""
    columns = {
        name: int("".join("1" if name in some else "0" for some in reversed(sets)), 2)
        for name in sorted(frozenset[str]().union(*sets))
    }
    return SetTable(tuple(sets), columns)


def cases(table: SetTable, ask: Callable[[Up], T]) -> Iterator[Case[T]]:
    """The outcomes of a function over all sets of a table; each set is in exactly one case.

    One outcome may come several times. `ask` must depend on its set alone.
    """
    pending = [(1 << len(table.sets)) - 1] if table.sets else []
    while pending:
        rest = pending.pop()
        names = table.sets[first(rest)]
        watched = Watched(names, table.columns)
        value = ask(watched)
        for name in watched.asked if rest.bit_count() > 1 else ():
            column = table.columns.get(name, 0)  # a name that no set has tells nothing
            unlike = rest & ~column if name in names else rest & column
            if unlike:
                pending.append(unlike)
                rest ^= unlike
        yield Case(rest, value)
