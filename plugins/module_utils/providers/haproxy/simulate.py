# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edges' HAProxy does, read from the configuration that it is given. Pure.

- `use-server` rules are taken top down; one whose server is down is passed over.
- Without a rule that fits, `balance` goes by the weights, and a server of weight 0 gets nothing.
- With no region up the static site answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping

from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Item, Resolver, pack, under, unpack
from . import edge
from .settings import Settings
from .weights import weights

_RULE = re.compile(r"^  use-server (\S+) if (.*)$", re.M)
_TERM = re.compile(r"(!?)\{ (.*?) \}")
_GEOGRAPHY = re.compile(r"var\(\w+\.geography\) -m str (\S+)")
_WEIGHT = re.compile(r"srv_uweight\(regions/(\S+?)\)(,sub\(txn\.draw\))? gt 0")
_DRAW = re.compile(r"set-var\(txn\.draw\) rand\((\d+)\)")
_DEFAULT = re.compile(r"map_str\(\S+?,(\S+?)\)$", re.M)

Term = tuple[bool, str]
"""Whether a condition is negated, and the condition."""


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The files that an edge is given, and its servers' weights under a decision."""
    files = edge.render(table, site, Settings())
    items: dict[str, Item] = {f"file/{path}": {"text": text} for path, text in files.items()}
    items |= {f"weight/{name}": {"weight": weight} for name, weight in weights(table, admissions).items()}
    return pack(table.generation, items)


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    countries, default = _geographies(records)
    return countries.get(country, default)


def resolver(records: Records) -> Resolver:
    """The regions of which one serves a client of a country; it raises ValueError for a condition that is unknown."""
    items = unpack(records)
    text = items[f"file/{edge.CONFIGURATION}"]["text"]
    running = {name: item["weight"] for name, item in under(items, "weight").items()}
    countries, default = _geographies(records)
    rules, draws = _rules(text), list(_draws(text, running))

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        geography, served = countries.get(country, default), set()
        own = [(name, terms) for name, place, terms in rules if place == geography]
        for draw in draws:
            chosen = next((name for name, terms in own if name in up and _hold(terms, running, up, draw)), None)
            served.update([chosen] if chosen else [name for name, weight in running.items() if weight and name in up])
        if not served and not any(name in up for name in running):
            return frozenset([STATIC])
        return frozenset(served)

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)


def _geographies(records: Records) -> tuple[dict[str, str], str]:
    """Countries' geographies, and the one of all others."""
    files = under(unpack(records), "file")
    found = _DEFAULT.search(files[edge.CONFIGURATION]["text"])
    countries = dict(line.split() for line in files[edge.COUNTRIES]["text"].splitlines())
    return countries, found[1] if found else ""


def _rules(text: str) -> list[tuple[str, str, tuple[Term, ...]]]:
    """Server, geography and further conditions of every rule, top down."""
    found = []
    for name, condition in _RULE.findall(text):
        terms = [(bool(no), term) for no, term in _TERM.findall(condition)]
        places = [place[1] for _no, term in terms if (place := _GEOGRAPHY.fullmatch(term))]
        rest = tuple((no, term) for no, term in terms if not _GEOGRAPHY.fullmatch(term))
        found.append((name, places[0], rest))
    return found


def _draws(text: str, running: Mapping[str, int]) -> Iterator[int]:
    """One draw for each outcome: 0, and every weight that a draw can reach."""
    found = _DRAW.search(text)
    span = int(found[1]) if found else 1
    yield from sorted({0, *(weight for weight in running.values() if weight < span)})


def _hold(terms: Collection[Term], running: Mapping[str, int], up: Collection[str], draw: int) -> bool:
    return all(_true(term, running, up, draw) is not negated for negated, term in terms)


def _true(term: str, running: Mapping[str, int], up: Collection[str], draw: int) -> bool:
    if found := _WEIGHT.fullmatch(term):
        return running[found[1]] - (draw if found[2] else 0) > 0
    if term == "nbsrv eq 0":
        return not any(weight and name in up for name, weight in running.items())
    if term == "stopping":
        return False
    raise ValueError(f"a condition of HAProxy isn't understood here: {term}")
