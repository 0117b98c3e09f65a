# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a GeoIP2 country database, as the MaxMind DB file format 2.0 says (https://maxmind.github.io/MaxMind-DB/).

Only what a reader of countries needs: an IPv6 tree with IPv4 at ::/96, and `continent.code` and `country.iso_code`.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping

from .ranges import Range, networks

_EMPTY = 0xFFFFFFFF
_DATA = 0x80000000  # added to a record that stands for a country's data
_SEPARATOR = 16
_MARKER = b"\xab\xcd\xefMaxMind.com"


class _Tree:
    """The search tree: two records a node, for a bit that is 0 or 1."""

    def __init__(self) -> None:
        self.records = array("I", [_EMPTY, _EMPTY])
        self._path = [0] * 128
        self._before: tuple[int, int] | None = None

    def add(self, first: int, length: int, data: int) -> None:
        """Put a network of `length` bits after all that were put before."""
        depth = 0 if self._before is None else 128 - (first ^ self._before[0]).bit_length()
        node, records = self._path[depth], self.records
        while depth < length - 1:
            child = len(records) // 2
            records.extend((_EMPTY, _EMPTY))
            records[2 * node + (first >> (127 - depth) & 1)] = child
            node, depth = child, depth + 1
            self._path[depth] = node
        records[2 * node + (first >> (128 - length) & 1)] = _DATA + data
        self._before = (first, length)


def database(ranges: Iterable[Range], continents: Mapping[str, str], build_epoch: int) -> bytes:
    """The database of sorted, disjoint ranges. `continents` maps every country to its continent's code.

    build_epoch is the time that the file tells, in seconds since 1970. Raises KeyError for a country of no continent.
    """
    tree, data, places = _Tree(), bytearray(), dict[str, int]()
    order: list[int] = []
    for first, last, country in ranges:
        if country not in places:
            places[country] = len(order)
            order.append(len(data))
            data += _encoded({"continent": {"code": continents[country]}, "country": {"iso_code": country}})
        for start, size in networks(first, last):
            tree.add(start, 129 - size.bit_length(), places[country])
    count = len(tree.records) // 2
    records = array("I", (_final(record, count, order) for record in tree.records))
    if sys.byteorder == "little":
        records.byteswap()
    return records.tobytes() + bytes(_SEPARATOR) + bytes(data) + _MARKER + _metadata(count, build_epoch)


def _final(record: int, count: int, places: list[int]) -> int:
    if record == _EMPTY:
        return count
    return record if record < _DATA else count + _SEPARATOR + places[record - _DATA]


def _metadata(count: int, build_epoch: int) -> bytes:
    numbers = [("binary_format_major_version", 2, 2), ("binary_format_minor_version", 0, 2), ("ip_version", 6, 2),
               ("record_size", 32, 2), ("node_count", count, 4), ("build_epoch", build_epoch, 8)]
    pairs = [_text(name) + _number(value, width) for name, value, width in numbers]
    pairs += [_text("database_type") + _text("LLM-Verifier-Country"), _text("languages") + b"\x00\x04"]
    pairs += [_text("description") + _encoded({"en": "Countries by network"})]
    return bytes([0xE0 | len(pairs)]) + b"".join(pairs)


def _encoded(value: Mapping[str, object]) -> bytes:
    parts = (_text(key) + (_encoded(item) if isinstance(item, Mapping) else _text(str(item)))
             for key, item in value.items())
    return bytes([0xE0 | len(value)]) + b"".join(parts)


def _text(value: str) -> bytes:
    return bytes([0x40 | len(value)]) + value.encode()  # of at most 28 bytes


def _number(value: int, width: int) -> bytes:
    kind = {2: b"\xa2", 4: b"\xc4", 8: b"\x08\x02"}[width]
    return kind + value.to_bytes(width, "big")
