# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of addresses as whole numbers: merged, and cut into networks. IPv4 addresses are those below 2**32."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

Range = tuple[int, int, str]
"""First address, last address, country."""

IPV4_END = 1 << 32
_LARGEST = 1 << 127  # so that the whole of IPv6 is two networks, which a search tree can hold


def merged(ranges: Iterable[Range]) -> Iterator[Range]:
    """Join adjacent ranges of one country. Raises ValueError when they aren't sorted or overlap."""
    first, last, country = -1, -1, ""
    for begin, end, name in ranges:
        if begin <= last:
            raise ValueError(f"networks overlap or aren't sorted at {text(begin, 128 if begin >= IPV4_END else 32)}")
        if name == country and begin == last + 1 and begin != IPV4_END:
            last = end
            continue
        if country:
            yield first, last, country
        first, last, country = begin, end, name
    if country:
        yield first, last, country


def networks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The fewest networks that are a range, each as its first address and its number of addresses."""
    while first <= last:
        size = min(first & -first or _LARGEST, 1 << ((last - first + 1).bit_length() - 1), _LARGEST)
        yield first, size
        first += size


def text(first: int, length: int) -> str:
    """A network as people write it; length in bits of its own family."""
    if first < IPV4_END:
        return f"{first >> 24}.{first >> 16 & 255}.{first >> 8 & 255}.{first & 255}/{length}"
    return f"{socket.inet_ntop(socket.AF_INET6, first.to_bytes(16, 'big'))}/{length}"
