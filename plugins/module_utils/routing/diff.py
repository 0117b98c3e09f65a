# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a back end holds to what it should: one plan, refused when it would take away what is in force."""

from __future__ import annotations

from dataclasses import replace

from .errors import RoutingError
from .records import CREATE, DELETE, UPDATE, Plan, Records, Step


class RefusedError(RoutingError):
    """A plan that must not be applied; the text says why and what to do."""


class OlderError(RefusedError):
    """The back end holds a newer generation already."""


def diff(backend: str, existing: Records, desired: Records) -> Plan:
    """The steps that make `existing` into `desired`: new keys, changed ones, then those that go; each by key.

    Both hold the records of one owner only, so nothing of anybody else is ever deleted. The same generation with other
    items is a plan that was left half-way, or a drift, and is mended. Raises RefusedError for no desired item and for a
    key named twice, OlderError for a generation below the existing one.
    """
    refuse_older(backend, existing.generation, desired.generation)
    if not desired.items:
        raise RefusedError(f"{backend}: the plan of generation {desired.generation} would leave nothing; refused")
    before, after = _by_key(backend, existing), _by_key(backend, desired)
    created = [Step(action=CREATE, key=key, after=after[key]) for key in sorted(after.keys() - before.keys())]
    updated = [
        Step(action=UPDATE, key=key, before=before[key], after=after[key])
        for key in sorted(after.keys() & before.keys())
        if before[key] != after[key]
    ]
    deleted = [Step(action=DELETE, key=key, before=before[key]) for key in sorted(before.keys() - after.keys())]
    return Plan(backend=backend, generation=desired.generation, steps=(*created, *updated, *deleted))


def refuse_older(backend: str, existing: int, wanted: int) -> None:
    """Raise OlderError when the generation in force is above the wanted one."""
    if wanted < existing:
        raise OlderError(
            f"{backend}: generation {wanted} is older than {existing}, which is in force; refused. "
            "Read the state again and decide anew"
        )


def after_step(records: Records, step: Step) -> Records:
    """The records once a step is done, whatever they were; done twice it changes nothing more."""
    items = dict(records.items)
    items.pop(step.key, None)
    if step.action != DELETE:
        items[step.key] = step.after
    return replace(records, items=tuple(sorted(items.items())))


def after_plan(records: Records, plan: Plan) -> Records:
    """The records once a whole plan is done."""
    for step in plan.steps:
        records = after_step(records, step)
    return replace(records, generation=plan.generation)


def _by_key(backend: str, records: Records) -> dict[str, str]:
    found = dict(records.items)
    if len(found) != len(records.items):
        raise RefusedError(f"{backend}: a record is named twice; refused")
    return found
