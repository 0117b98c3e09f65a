# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region's resources cost, as an inventory says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .model import MonitoringError


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Prices of one region in one currency, the same for all: of a processor for an hour, of a GiB of memory for an
    hour, and of a GiB that leaves the region."""

    region: str
    core_hour: float
    gib_hour: float
    egress_gib: float


KEYS = tuple(field.name for field in fields(Price))[1:]


def prices(given: Mapping[str, Any]) -> tuple[Price, ...]:
    """Prices by region, of plain data. Raises MonitoringError with every reason."""
    problems = list(_problems(given))
    if problems:
        raise MonitoringError("; ".join(problems))
    return tuple(
        Price(region=str(region), **{key: float(given[region][key]) for key in KEYS}) for region in sorted(given)
    )


def _problems(given: Mapping[str, Any]) -> list[str]:
    found = []
    for region, item in given.items():
        if not isinstance(item, Mapping) or set(item) != set(KEYS):
            found.append(f"prices.{region}: {', '.join(KEYS)} are wanted")
            continue
        found += [f"prices.{region}.{key} is {item[key]!r}: a number of at least 0 is wanted"
                  for key in KEYS if not _amount(item[key])]  # fmt: skip
    return found


def _amount(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0
