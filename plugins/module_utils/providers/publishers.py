# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every back end that is published in a cloud beforehand: a table of imports, as that of the adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..routing.budget import BudgetLine, budget
from ..routing.model import RoutingTable, Site
from ..routing.simulate import Report
from .global_accelerator.fleet import Fleet
from .global_accelerator.settings import Settings as GlobalAcceleratorSettings
from .route53.publish import Publisher, words
from .route53.settings import Settings as Route53Settings
from .table import BACKENDS, compare


class DivergesError(Exception):
    """What would be published doesn't answer as the policy says; nothing was called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was (in check mode: would be) done, a line each; what an operator overrules; how long clients may wait."""

    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    budget: tuple[BudgetLine, ...] = ()


Act = Callable[[RoutingTable, Site, Mapping[str, Any], bool, bool], tuple[list[str], list[str]]]


def _route53(
    table: RoutingTable, site: Site, given: Mapping[str, Any], present: bool, check: bool
) -> tuple[list[str], list[str]]:
    publisher = Publisher(table, site, Route53Settings.from_dict(given), planned=check or not present)
    if not present:
        return publisher.withdraw(check=check), []
    require_policy(compare(table, publisher.site, ["route53"]))
    done = publisher.run(check=check)
    told = [f"{key} is disabled, so it is healthy whatever is decided" for key in done.disabled]
    return [*(f"+ {line}" for line in done.buckets), *words(done.plan)], told


def _global_accelerator(
    table: RoutingTable, site: Site, given: Mapping[str, Any], present: bool, check: bool
) -> tuple[list[str], list[str]]:
    fleet = Fleet(table, site, GlobalAcceleratorSettings.from_dict(given))
    if present:
        require_policy(compare(table, site, ["global_accelerator"]))
    results = fleet.publish(check=check) if present else [fleet.withdraw(check=check)]
    lines = []
    for result in results:
        shown = result.after or result.before
        name = shown.get("endpoint_group_region") or shown.get("name") or "listener"
        if result.changed:
            lines.append(f"{'~' if result.before and result.after else '+' if result.after else '-'} {name}")
    return lines, []


_ACTS: Mapping[str, Act] = {"route53": _route53, "global_accelerator": _global_accelerator}
PUBLISHED = tuple(_ACTS)
"""Names of the back ends that can be published."""


def require_policy(report: Report) -> None:
    """Raise DivergesError for what the policy doesn't waive."""
    found = [f"{item.id}: a client in {item.country} with {', '.join(item.up) or 'nothing'} up is answered "
             f"{', '.join(item.answered) or 'nothing'}, not {', '.join(item.expected)}"
             for item in report.failures]  # fmt: skip
    if found:
        raise DivergesError("it would not answer as the policy says: " + "; ".join(found))


def publish(
    name: str, table: RoutingTable, site: Site, settings: Mapping[str, Any], *, present: bool = True, check: bool
) -> Publication:
    """Publish a policy's table in a back end, or take it away. Errors as the back end's own part has them."""
    lines, warnings = _ACTS[name](table, site, settings, present, check)
    card = BACKENDS[name].card
    return Publication(
        lines=tuple(lines),
        warnings=tuple(warnings),
        unsupported=card.unsupported_countries,
        budget=budget(table.policy, card=card),
    )
