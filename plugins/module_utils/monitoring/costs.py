# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the workload of each region costs: what it uses, times the inventory's prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .model import GLOBAL, Group, Record
from .settings import Settings

HOURS_A_MONTH = 730
USE, PRICE, COST = "region_resource:use:rate5m", "region_resource:price:hour", "region_resource:cost_per_hour:rate5m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What is paid for: how much of it is used within an hour, in the unit of its price."""

    name: str
    expr: str
    price: str


RESOURCES = (
    Resource(name="cpu", expr="region:workload_cpu_cores:rate5m", price="core_hour"),
    Resource(name="memory", expr="region:workload_memory_bytes:sum / 2^30", price="gib_hour"),
    Resource(name="egress", expr="region:edge_answers_bytes:rate5m * 3600 / 2^30", price="egress_gib"),
)


def groups(settings: Settings) -> Iterator[Group]:
    """Costs, where there are prices."""
    if settings.prices:
        rules = (*_use(), *_prices(settings), *_costs())
        yield Group(name="cost", place=GLOBAL, interval_seconds=settings.interval_seconds, rules=rules)


def _use() -> Iterator[Record]:
    for resource in RESOURCES:
        yield Record(name=USE, expr=f"sum by (region) ({resource.expr})", labels={"resource": resource.name})


def _prices(settings: Settings) -> Iterator[Record]:
    for price in settings.prices:
        for resource in RESOURCES:
            amount = getattr(price, resource.price)
            labels = {"region": price.region, "resource": resource.name}
            yield Record(name=PRICE, expr=f"vector({amount:.10g})", labels=labels)


def _costs() -> Iterator[Record]:
    yield Record(name=COST, expr=f"{USE} * on (region, resource) {PRICE}")
    yield Record(name="region:cost_per_hour:rate5m", expr=f"sum by (region) ({COST})")
