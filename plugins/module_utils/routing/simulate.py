# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk every country and every set of healthy regions, and compare what back ends would answer with the policy.

Countries that the policy lists alike and a back end treats alike are one class: one of them is asked for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations

from .cases import Case, Names, SetTable, Up, cases, first, set_table
from .countries import COUNTRIES
from .model import RoutingTable
from .steering import Waiver

STATIC = "static"
UNKNOWN = "ZZ"
"""Stands for an address whose country nobody knows; ISO 3166 leaves this code to its users."""

EDGES_DOWN = "edges down, "
"""Begins the name of a situation in which no edge is up."""

MOST_REGIONS = 12
"""With more regions the sets of healthy ones are a sample."""

SAMPLE, SEED = 512, "llm_verifier.multi_region"

NO_ANSWER, DEAD, STATIC_EARLY, EVICTED, OTHER, SHARES = (
    "no-answer", "dead-region", "static-too-early", "evicted-region", "other-region", "other-shares",
)  # fmt: skip
DIVERGENCES = {
    NO_ANSWER: "nothing is answered",
    DEAD: "something that is down is answered",
    STATIC_EARLY: "the static site is answered while a region is up",
    EVICTED: "an evicted region is answered while another one serves",
    OTHER: "another region or edge than the policy's is answered",
    SHARES: "only some of the policy's regions or edges are answered",
}
"""Names of divergences, which waivers use, and what they mean."""


def _everywhere_alike(_country: str) -> Hashable:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A back end that is walked.

    Attributes:
        name: the back end's name.
        unsupported: countries that it refuses; they count to the default geography.
        sees_edges: whether the edges' health matters to it.
        answer: (names whose health checks pass, country) to the names that it may answer.
        expected: (names whose health checks pass, country, its geography) to what the policy wants; empty means that
            it promises nothing.
        treatment: countries of the same value get the same answer.
        wish: countries of a geography and of the same value have the same expectation.

    `answer` and `expected` are told by their arguments alone. The fewer names they ask the set for, the fewer sets are
    tried: see `cases`.
    """

    name: str
    unsupported: tuple[str, ...]
    sees_edges: bool
    answer: Callable[[Up, str], Names]
    expected: Callable[[Up, str, str], Names]
    treatment: Callable[[str], Hashable]
    wish: Callable[[str], Hashable] = _everywhere_alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One kind of divergence of a back end in a geography, with its plainest counter-example.

    `up` are the healthy names of that example, `country` its client's; `countries` and `sets` tell how far it reaches.
    """

    backend: str
    kind: str
    geography: str
    country: str
    up: tuple[str, ...]
    expected: tuple[str, ...]
    answered: tuple[str, ...]
    countries: tuple[str, ...]
    sets: int
    reason: str = ""

    @property
    def id(self) -> str:
        """The name that a waiver uses; its part before the slash alone means all geographies."""
        return f"{self.kind}/{self.geography}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a class of countries is answered in each of the report's situations, in their order."""

    backend: str
    geography: str
    countries: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a walk. `situations` are pairs of words and healthy names; `fallen` the countries that back ends
    refuse; `unused` the waivers that nothing needed."""

    situations: tuple[tuple[str, tuple[str, ...]], ...]
    answers: tuple[Answers, ...]
    divergences: tuple[Divergence, ...]
    fallen: tuple[tuple[str, tuple[str, ...]], ...]
    unused: tuple[Waiver, ...]
    sets: int
    sampled: bool

    @property
    def failures(self) -> tuple[Divergence, ...]:
        """The divergences that nobody waived."""
        return tuple(found for found in self.divergences if not found.reason)


def region_sets(regions: Sequence[str]) -> tuple[Names, ...]:
    """All sets of healthy regions, the largest first; above MOST_REGIONS a fixed sample with all extremes in it."""
    if len(regions) <= MOST_REGIONS:
        sizes = range(len(regions), -1, -1)
        return tuple(frozenset(some) for size in sizes for some in combinations(regions, size))
    whole = frozenset(regions)
    found = [whole, *(whole - {name} for name in regions), *(frozenset([name]) for name in regions), frozenset[str]()]
    for number in range(SAMPLE):
        threshold = _chance(f"{number}")
        found.append(frozenset(name for name in regions if _chance(f"{number} {name}") < threshold))
    return tuple(sorted(dict.fromkeys(found), key=lambda names: -len(names)))


def _chance(text: str) -> float:
    """A ratio that looks drawn and is always the same."""
    return int.from_bytes(sha256(f"{SEED} {text}".encode()).digest()[:8], "big") / 2**64


def edge_sets(edges: Sequence[str]) -> tuple[Names, ...]:
    """All edges up, the first one alone, none."""
    return tuple(dict.fromkeys((frozenset(edges), frozenset(edges[:1]), frozenset[str]())))


def situations(regions: Sequence[str], edges: Sequence[str]) -> tuple[tuple[str, Names], ...]:
    """What a report shows: all up, each region down, none up, and the same with every edge down."""
    whole = frozenset(regions)
    found = [("all up", whole), *((f"{name} down", whole - {name}) for name in regions), ("no region", frozenset())]
    shown = [(words, names | frozenset(edges) if names else names) for words, names in found]
    return (*shown, *((EDGES_DOWN + words, names) for words, names in found if edges))


def classes(table: RoutingTable, subject: Subject) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Pairs of geography and countries that are one class to a back end; addresses of no known country come along."""
    found: dict[tuple[str, Hashable], list[str]] = {}
    geographies = dict(table.countries)
    for country in (*COUNTRIES, UNKNOWN):
        refused = country in subject.unsupported
        geography = table.default if refused else geographies.get(country, table.default)
        found.setdefault((geography, (subject.treatment(country), subject.wish(country))), []).append(country)
    return tuple((geography, tuple(countries)) for (geography, _treatment), countries in found.items())


def walk(
    table: RoutingTable,
    subjects: Iterable[Subject],
    edges: Sequence[str] = (),
    evicted: Collection[str] = (),
    waivers: Sequence[Waiver] = (),
) -> Report:
    """Compare every back end with the policy, for every class of countries and every set of healthy regions.

    `edges` are the front door's hosts; one counts as healthy only with a region behind it. `evicted` are the regions
    that a decision took out.
    """
    regions = [region.name for region in table.regions]
    alive = region_sets(regions)
    shown = situations(regions, edges)
    answers: list[Answers] = []
    divergences: list[Divergence] = []
    fallen: list[tuple[str, tuple[str, ...]]] = []
    with_edges, without = set_table(_sets(alive, edges)), set_table(alive)
    for subject in subjects:
        sets = with_edges if subject.sees_edges else without
        wanted: dict[Hashable, Wanted] = {}
        for geography, countries in classes(table, subject):
            wish = geography, subject.wish(countries[0])
            if wish not in wanted:
                wanted[wish] = _want(subject, geography, countries[0], sets)
            said = tuple(tuple(sorted(subject.answer(up, countries[0]))) for _words, up in shown)
            answers.append(Answers(backend=subject.name, geography=geography, countries=countries, answers=said))
            divergences += _compare(subject, geography, countries, sets, wanted[wish], evicted)
        if subject.unsupported:
            fallen.append((subject.name, subject.unsupported))
    merged = _merge(divergences)
    judged = tuple(_waive(found, waivers) for found in merged)
    return Report(
        situations=tuple((words, tuple(sorted(names))) for words, names in shown),
        answers=tuple(answers),
        divergences=judged,
        fallen=tuple(fallen),
        unused=tuple(waiver for waiver in waivers if not any(_covers(waiver, found) for found in merged)),
        sets=len(with_edges.sets),
        sampled=len(regions) > MOST_REGIONS,
    )


def _sets(alive: Sequence[Names], edges: Sequence[str]) -> tuple[Names, ...]:
    """Regions and edges together; without a region no edge is healthy."""
    both = (regions | (few if regions else frozenset()) for few in edge_sets(edges) for regions in alive)
    return tuple(dict.fromkeys(both))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy wants of a back end, over the sets of a table.

    Bit i of `promised` tells whether it promises anything for set i, and of `names[name]` whether it wants that name.
    """

    promised: int
    names: Mapping[str, int]

    def at(self, place: int) -> tuple[str, ...]:
        """The names that are wanted for one set, sorted."""
        return tuple(sorted(name for name, mask in self.names.items() if mask >> place & 1))


def _want(subject: Subject, geography: str, country: str, sets: SetTable) -> Wanted:
    promised, names = 0, dict[str, int]()
    for case in cases(sets, lambda up: subject.expected(up, country, geography)):
        promised |= case.mask if case.value else 0
        for name in case.value:
            names[name] = names.get(name, 0) | case.mask
    return Wanted(promised, names)


def _compare(
    subject: Subject,
    geography: str,
    countries: tuple[str, ...],
    sets: SetTable,
    wanted: Wanted,
    evicted: Collection[str],
) -> list[Divergence]:
    """The divergences of one class with the first example of each kind, the plainest first; sets come largest first."""
    found: dict[str, tuple[int, Names]] = {}
    for case in cases(sets, lambda up: subject.answer(up, countries[0])):
        for kind, mask in divide(case, sets, wanted, evicted):
            known, answered = found.get(kind, (0, case.value))
            plainer = known and first(known) < first(mask)
            found[kind] = known | mask, answered if plainer else case.value
    return [
        Divergence(
            backend=subject.name,
            kind=kind,
            geography=geography,
            country=countries[0],
            up=tuple(sorted(sets.sets[first(mask)])),
            expected=wanted.at(first(mask)),
            answered=tuple(sorted(answered)),
            countries=countries,
            sets=mask.bit_count(),
        )
        for kind, (mask, answered) in sorted(found.items(), key=lambda item: first(item[1][0]))
    ]


def divide(case: Case[Names], sets: SetTable, wanted: Wanted, evicted: Collection[str]) -> Iterator[tuple[str, int]]:
    """The kinds of divergence that one answer is, each with the sets for which it is that.

    Masks stand for all sets at once. Nothing diverges where the answer is as wanted, or nothing was promised; of
    several kinds it is the first in the order of DIVERGENCES.
    """
    answered = case.value

    def lacking(names: Iterable[str], masks: Mapping[str, int]) -> int:
        """The sets for which any of the names isn't in the masks."""
        found = 0
        for name in names:
            found |= ~masks.get(name, 0)
        return found

    differs = lacking(answered, wanted.names)
    for name, mask in wanted.names.items():
        differs |= 0 if name in answered else mask
    left = case.mask & wanted.promised & differs
    kinds = {
        NO_ANSWER: 0 if answered else left,
        DEAD: lacking(answered - {STATIC}, sets.columns),
        STATIC_EARLY: lacking(answered & {STATIC}, wanted.names),
        EVICTED: lacking(answered.intersection(evicted), wanted.names),
        OTHER: lacking(answered, wanted.names),
        SHARES: left,
    }
    for kind, mask in kinds.items():
        if left & mask:
            yield kind, left & mask
        left &= ~mask


def _merge(divergences: Iterable[Divergence]) -> tuple[Divergence, ...]:
    """One of each back end, kind and geography, with the plainest example: the most regions up."""
    found: dict[tuple[str, str], Divergence] = {}
    for item in divergences:
        key = (item.backend, item.id)
        known = found.get(key)
        if known is None:
            found[key] = item
        else:
            plainer = item if len(item.up) > len(known.up) else known
            countries = tuple(sorted({*known.countries, *item.countries}))
            found[key] = replace(plainer, countries=countries, sets=max(known.sets, item.sets))
    return tuple(found.values())


def _covers(waiver: Waiver, item: Divergence) -> bool:
    return waiver.backend == item.backend and waiver.divergence in (item.kind, item.id)


def _waive(item: Divergence, waivers: Iterable[Waiver]) -> Divergence:
    reason = next((waiver.reason for waiver in waivers if _covers(waiver, item)), "")
    return replace(item, reason=reason)
