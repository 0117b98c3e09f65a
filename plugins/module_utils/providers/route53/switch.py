# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the evictions of Route 53 stand: a text that inverted health checks read, in two buckets. Pure.

    llm-verifier routing generation=12
    evicted=eu-west-1;

A health check of the kind HTTPS_STR_MATCH looks for `evicted=<region>;` and is inverted: it fails while the word is
there. Where the text can't be read nothing is evicted, so a lost bucket costs no region its traffic; two of them, none
in the region itself, keep an eviction in force when one is lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

READ_BYTES = 5120
"""As far as Route 53 looks for a string in an answer."""

HOMES = 2
"""Buckets that a region's eviction is written to."""

_HEAD = re.compile(r"llm-verifier routing generation=(\d+)\n")
_LINE = re.compile(r"evicted=([a-z0-9-]+);\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A bucket's location, and the host and path by which health checkers read the text."""

    location: str
    host: str
    path: str = "/llm-verifier/routing.txt"


UNNAMED = (Home(location="home-1", host="home-1.invalid"), Home(location="home-2", host="home-2.invalid"))
"""For compiling without an account: what is compared with the policy needs no buckets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a bucket holds."""

    generation: int = 0
    evicted: frozenset[str] = frozenset()


def search(region: str) -> str:
    """The word that evicts a region."""
    return f"evicted={region};"


def render(text: Text) -> str:
    """The text. Raises ValueError when health checkers would not read it to its end."""
    lines = [f"{search(region)}\n" for region in sorted(text.evicted)]
    made = "".join([f"llm-verifier routing generation={text.generation}\n", *lines])
    if len(made.encode()) > READ_BYTES:
        raise ValueError(f"{len(text.evicted)} evicted regions are more than {READ_BYTES} bytes hold")
    return made


def parse(text: str) -> Text:
    """The other way; what isn't there is generation 0. Raises ValueError for a text that isn't ours."""
    if not text:
        return Text()
    head = _HEAD.match(text)
    found = _LINE.findall(text)
    if not head or render(Text(generation=int(head[1]), evicted=frozenset(found))) != text:
        raise ValueError(f"it isn't a text of evictions: {text[:60]!r}")
    return Text(generation=int(head[1]), evicted=frozenset(found))


def homes_of(places: Collection[str], homes: Sequence[Home]) -> tuple[Home, ...]:
    """The homes of a region's eviction: the first ones that aren't in the region itself, by its names `places`."""
    return tuple(home for home in homes if home.location not in places)[:HOMES]
