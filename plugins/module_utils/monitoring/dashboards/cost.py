# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the workload uses, and what that costs by the inventory's prices."""

from __future__ import annotations

from ..costs import HOURS_A_MONTH
from ..settings import Settings
from .model import (
    BYTES,
    BYTES_PER_SECOND,
    MONEY,
    REGION,
    SECONDS,
    STAT,
    Dashboard,
    Panel,
    Row,
    of_regions,
    one,
)

_COST, _CORES = of_regions("region:cost_per_hour:rate5m"), of_regions("region:workload_cpu_cores:rate5m")


def dashboard(settings: Settings) -> Dashboard:
    """The dashboard. Without prices it says nothing of money."""
    money = (Row(title="Money", panels=_money()),) if settings.prices else ()
    return Dashboard(
        uid="llm-verifier-cost",
        title="LLM Verifier / Cost",
        description="What the workload uses; what it costs by the inventory's prices. What nodes idle isn't in it.",
        rows=(*money, Row(title="Use", panels=_use())),
    )


def _money() -> tuple[Panel, ...]:
    rate = of_regions("region:http_requests:rate5m")
    by_resource = f"sum by (resource) (region_resource:cost_per_hour:rate5m{REGION})"
    return (
        Panel(kind=STAT, width=8, height=5, title="A month at this rate", unit=MONEY,
              targets=one(f"sum({_COST}) * {HOURS_A_MONTH}", "chosen regions")),
        Panel(kind=STAT, width=16, height=5, title="A month at this rate by region", unit=MONEY,
              targets=one(f"{_COST} * {HOURS_A_MONTH}")),
        Panel(width=8, title="An hour by region", unit=MONEY, stacked=True, targets=one(_COST)),
        Panel(width=8, title="An hour by resource", unit=MONEY, stacked=True, targets=one(by_resource, "{{resource}}")),
        Panel(width=8, title="A million requests", unit=MONEY, bounds=(0, None),
              description="Dear where there is little traffic: pods that wait cost as well.",
              targets=one(f"{_COST} / ({rate} * 3600 > 0) * 1e6")),
    )  # fmt: skip


def _use() -> tuple[Panel, ...]:
    memory, bytes_out = of_regions("region:workload_memory_bytes:sum"), of_regions("region:edge_answers_bytes:rate5m")
    rate = of_regions("region:http_requests:rate5m")
    return (
        Panel(title="Processors", stacked=True, targets=one(_CORES)),
        Panel(title="Memory", unit=BYTES, stacked=True, targets=one(memory)),
        Panel(title="Answers that leave a region", unit=BYTES_PER_SECOND, stacked=True, targets=one(bytes_out)),
        Panel(title="Processor time of a request", unit=SECONDS, bounds=(0, None),
              targets=one(f"{_CORES} / ({rate} > 0)")),
    )  # fmt: skip
