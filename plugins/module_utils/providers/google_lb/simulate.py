# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Google's load balancer does from its records, its traps included. Pure.

- The nearest location with a healthy backend whose capacity scaler is above 0 serves; a lowered scaler lets requests
  beyond that capacity go to the next nearest.
- A backend of scaler 0 gets nothing, not even as the last one alive.
- With no backend left the balancer answers 503 itself, or what the custom error response says.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from ...routing.records import Records
from ..expectation import STATIC
from ..flat import Resolver, under, unpack
from ..places import by_distance


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return by_distance(country, (item["location"] for item in under(unpack(records), "backend").values()))


def resolver(records: Records) -> Resolver:
    """What serves a client of a country: the regions of which one does, or the static site."""
    items = unpack(records)
    scalers: dict[str, dict[str, float]] = {}
    for name, item in under(items, "backend").items():
        scalers.setdefault(item["location"], {})[name] = item["capacity_scaler"]
    nothing = frozenset([STATIC] if "custom_error_response" in items["url_map"] else [])

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        served: set[str] = set()
        for code in by_distance(country, scalers):
            here = [name for name, scaler in scalers[code].items() if scaler > 0 and name in up]
            served.update(here)
            if any(scalers[code][name] >= 1 for name in here):
                break
        return frozenset(served) or nothing

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)
