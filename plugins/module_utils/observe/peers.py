# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions probe which: rendezvous hashing, few pairs change with a region and cost stays linear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

PEERS = 4
"""Regions that probe a region."""


def peers(region: str, regions: Iterable[str], count: int = PEERS) -> tuple[str, ...]:
    """The regions that probe `region`: the `count` others with the highest weights, best first.

    The weight of a pair is the SHA-256 of both names (Thaler and Ravishankar, "A Name-Based Mapping Scheme for
    Rendezvous", 1996), so every host works the same out of the same inventory, whatever its order.
    """
    others = {name for name in regions if name != region}
    return tuple(sorted(others, key=lambda name: (_weight(region, name), name), reverse=True)[:count])


def probed(vantage: str, regions: Iterable[str], count: int = PEERS) -> tuple[str, ...]:
    """The regions that `vantage`, a region too, probes, by name."""
    names = sorted(set(regions))
    return tuple(name for name in names if vantage in peers(name, names, count))


def _weight(region: str, peer: str) -> bytes:
    return hashlib.sha256(f"{region}\n{peer}".encode()).digest()
