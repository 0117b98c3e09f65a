# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last look at what is about to be published: everything that is wrong with it, at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import fsum, isfinite

from .compile import country_table
from .errors import InvalidError, Problem
from .model import RoutingTable
from .records import DELETE, Plan, Records

_TOLERANCE = 1e-9
"""How far shares may be from a sum of 1: rounding of floating point, no more."""


def gate(table: RoutingTable, published: int, admissions: Mapping[str, float]) -> tuple[Problem, ...]:
    """Every reason against publishing a table: older than the `published` generation, empty answers, floors.

    `admissions` are the decision's (`dict(decision.admissions)`).
    """
    return (*_generation(table.generation, published), *gate_answers(table), *_floors(table, admissions))


def gate_answers(table: RoutingTable) -> tuple[Problem, ...]:
    """Every reason why some country would get no answer, or its requests no whole share, by a table alone."""
    return tuple(_answers(table))


def gate_plan(plan: Plan, existing: Records) -> tuple[Problem, ...]:
    """Every reason against applying a plan to what exists: an older generation, or nothing left, or an empty record."""
    left = dict(existing.items)
    for step in plan.steps:
        if step.action == DELETE:
            left.pop(step.key, None)
        else:
            left[step.key] = step.after
    problems = list(_generation(plan.generation, existing.generation))
    if not left:
        wrong = f"{plan.backend} would hold nothing"
        problems.append(_problem("steps", "empty-answer", wrong, "at least one record", "compile the policy again"))
    for key in sorted(key for key, value in left.items() if not value.strip()):
        wrong = f"{plan.backend} would hold an empty {key[:60]!r}"
        problems.append(_problem("steps", "empty-answer", wrong, "a value", "compile the policy again"))
    return tuple(problems)


def require(problems: Iterable[Problem]) -> None:
    """Raise InvalidError when there is any reason against."""
    found = tuple(problems)
    if found:
        raise InvalidError(found, "what is to be published")


def _problem(key: str, id: str, wrong: str, allowed: str, mend: str) -> Problem:
    return Problem("", key, id, wrong, allowed, mend)


def _generation(wanted: int, published: int) -> Iterator[Problem]:
    if wanted < published:
        wrong = f"{wanted} is older than {published}, which is in force"
        yield _problem(
            "generation", "older-generation", wrong, f"{published} or more", "read the state and decide anew"
        )


def _answers(table: RoutingTable) -> Iterator[Problem]:
    mend = "compile the policy again"
    names = {region.name for region in table.regions}
    if not table.routes:
        yield _problem("routes", "empty-answer", "is empty", "a route for every geography", mend)
    for route in table.routes:
        key = f"routes.{route.name}"
        if not route.regions or len(route.regions) != len(route.shares):
            wrong = f"has {len(route.regions)} regions and {len(route.shares)} shares"
            yield _problem(key, "empty-answer", wrong, "every region with its share", mend)
        elif not all(isfinite(share) and 0 <= share <= 1 for share in route.shares):
            yield _problem(key, "share-ratio", "has a share that is no ratio", "ratios from 0 to 1", mend)
        elif abs(fsum(route.shares) - 1) > _TOLERANCE:
            wrong = f"has shares that sum to {fsum(route.shares):g}"
            yield _problem(key, "share-sum", wrong, "a sum of 1", mend)
        for name in sorted({*route.regions} - names):
            yield _problem(key, "unknown-region", f"names {name[:60]!r}", "regions of the table", mend)
    places, routes = dict(table.countries), {route.name for route in table.routes}
    lost = sorted(code for code in country_table(table.policy) if places.get(code) not in routes)
    if lost:
        wrong = f"{len(lost)} countries lead nowhere: {', '.join(lost[:5])}"
        yield _problem("countries", "empty-answer", wrong, "a route for every country", mend)


def _floors(table: RoutingTable, admissions: Mapping[str, float]) -> Iterator[Problem]:
    wrong_ones = sorted(name for name, ratio in admissions.items() if not 0 <= ratio <= 1)
    if wrong_ones:
        wrong = f"is no ratio for {', '.join(wrong_ones[:5])}"
        yield _problem("admissions", "admission-ratio", wrong, "ratios from 0 to 1", "decide anew")
    serving = sum(1 for region in table.regions if region.weight > 0 and admissions.get(region.name, 1.0) > 0)
    floor = min(table.policy.safety.minimum_serving, len(table.regions))
    if serving < floor:
        wrong, allowed = f"{serving} regions would serve", f"at least {floor} (safety.minimum_serving)"
        mend = "bring a region back, or overrule it by force with a name and a reason"
        yield _problem("admissions", "minimum-serving", wrong, allowed, mend)
