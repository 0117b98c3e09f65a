# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators order: taken only when the safety gate lets it, always with an end, a name and a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from math import isfinite

from .capacity import movable
from .errors import InvalidError, Problem
from .health import latest_traffic
from .model import Policy, Region
from .observations import Observations
from .state import DRAIN, FLEET, FORCE_DOWN, FORCE_UP, FREEZE, ORDERS, Order, State
from .verdicts import SICK, load_of

OUT = (FORCE_DOWN, DRAIN)
"""Orders that take a region out."""


class RefusedOrderError(InvalidError):
    """An order that isn't taken; `problems` holds every reason."""


def live(orders: Iterable[Order], names: Iterable[str], now: float) -> tuple[Order, ...]:
    """The orders that haven't expired and whose region exists: of a region one freeze and one other, the latest."""
    known = set(names)
    latest: dict[tuple[str, bool], Order] = {}
    for order in orders:
        key = (order.region, order.kind == FREEZE)
        concerns = order.region in known if order.region != FLEET else order.kind == FREEZE
        counts = concerns and (order.until <= 0 or order.until > now)
        if counts and (key not in latest or _age(order) > _age(latest[key])):
            latest[key] = order
    return tuple(latest[key] for key in sorted(latest))


def _age(order: Order) -> tuple[float, str, str, str, float, bool]:
    return order.at, order.kind, order.by, order.reason, order.until, order.force


def moving(orders: Iterable[Order]) -> dict[str, Order]:
    """Region to the order that says where it must be."""
    return {order.region: order for order in orders if order.kind != FREEZE}


def frozen(policy: Policy, orders: Iterable[Order]) -> dict[str, str]:
    """Region (FLEET for all) to the reason why nothing moves by itself."""
    found = {order.region: f"frozen by {order.by}: {order.reason}" for order in orders if order.kind == FREEZE}
    return {**found, FLEET: "frozen by the policy"} if policy.safety.freeze else found


def refusals(
    state: State,
    order: Order,
    policy: Policy,
    regions: Iterable[Region],
    now: float,
    observations: Observations | None = None,
) -> tuple[Problem, ...]:
    """Every reason against an order, those included that `force` overrules. Loads come from `observations`."""
    fleet = {region.name: region for region in regions}
    return (*_form(order, fleet, now), *_gate(state, order, policy, fleet, now, observations))


def with_order(
    state: State,
    order: Order,
    policy: Policy,
    regions: Iterable[Region],
    now: float,
    observations: Observations | None = None,
) -> State:
    """The state with an order in it, in the place of the region's former one; the next decision carries it out.

    Raises RefusedOrderError with every reason. An order with `force`, a name and a reason overrules the safety gate,
    never a wrong form.
    """
    fleet = {region.name: region for region in regions}
    problems = tuple(_form(order, fleet, now))
    if not problems and not order.force:
        problems = tuple(_gate(state, order, policy, fleet, now, observations))
    if problems:
        raise RefusedOrderError(problems, f"the order {order.kind} {order.region}".rstrip())
    kept = [item for item in state.orders if (item.region, item.kind == FREEZE) != (order.region, order.kind == FREEZE)]
    return replace(state, orders=live([*kept, order], fleet, now))


def without_order(
    state: State, region: str, regions: Iterable[Region], kinds: Iterable[str] = (FORCE_DOWN, DRAIN, FORCE_UP)
) -> State:
    """The state without the orders of these kinds for a region (FLEET for all), as failback and unfreeze want it.

    The region then comes back by the ramp, as soon as it is healthy and without a hold-down. Raises RefusedOrderError
    for a region that can't have such orders.
    """
    kinds = tuple(kinds)
    problems = tuple(_place(region, kinds, {item.name for item in regions}))
    if problems:
        raise RefusedOrderError(problems, f"the end of orders {region}".rstrip())
    gone = [order for order in state.orders if order.region == region and order.kind in kinds]
    lifted = {order.region for order in gone if order.kind in OUT}
    return replace(
        state,
        orders=tuple(order for order in state.orders if order not in gone),
        regions=tuple(replace(item, hold_until=0.0) if item.name in lifted else item for item in state.regions),
    )


def _refused(key: str, id: str, wrong: str, allowed: str, mend: str) -> Problem:
    return Problem("", f"order.{key}", id, wrong, allowed, mend)


def _form(order: Order, fleet: Mapping[str, Region], now: float) -> Iterator[Problem]:
    if order.kind not in ORDERS:
        yield _refused("kind", "order-kind", f"{order.kind!r} is unknown", ", ".join(ORDERS), "name one of these")
    yield from _place(order.region, (order.kind,), fleet)
    if not order.by.strip() or not order.reason.strip():
        yield _refused("by", "order-unsigned", "who and why is missing", "a name and a reason", "say both")
    if not isfinite(order.until) or 0 < order.until <= now or order.until < 0:
        wrong = f"{order.until} has passed"
        yield _refused("until", "order-expired", wrong, "a time to come, or 0", "give a later end")


def _place(region: str, kinds: Collection[str], names: Collection[str]) -> Iterator[Problem]:
    if region not in names and not (region == FLEET and FREEZE in kinds):
        wrong = f"{region!r} is no region"
        yield _refused("region", "order-region", wrong, ", ".join(sorted(names)), "only freeze concerns all regions")


def _gate(
    state: State,
    order: Order,
    policy: Policy,
    fleet: Mapping[str, Region],
    now: float,
    observations: Observations | None,
) -> Iterator[Problem]:
    if order.kind not in OUT or order.region not in fleet:
        return
    gone = {item.region for item in live(state.orders, fleet, now) if item.kind in OUT} | {order.region}
    states = {name: state.region(name) for name in fleet}
    serving = [
        name for name, region in fleet.items() if region.weight > 0 and name not in gone and states[name].admission > 0
    ]
    well = [name for name in serving if states[name].verdict not in SICK]
    mend = "bring another region back first, or overrule it by force with a name and a reason"
    if not well:
        wrong = f"no healthy region would serve without {order.region}"
        yield _refused("region", "last-region", wrong, "at least one healthy region", mend)
    if len(well) < policy.safety.minimum_serving:
        wrong = f"{len(well)} healthy regions would serve without {order.region}"
        allowed = f"at least {policy.safety.minimum_serving} (safety.minimum_serving)"
        yield _refused("region", "minimum-serving", wrong, allowed, mend)
    admissions = {name: 0.0 if name in gone - {order.region} else item.admission for name, item in states.items()}
    if observations is None or not serving or admissions[order.region] <= 0:
        return
    traffic = latest_traffic(policy, observations.traffic, now)
    loads = {name: load_of(traffic.get(name, {})) for name in fleet}
    part = movable(policy, fleet, admissions, loads, order.region)
    if part < admissions[order.region]:
        wrong = f"its receivers can take {max(0.0, part):.0%} of its requests"
        allowed = f"all of them, with {policy.safety.capacity_headroom:.0%} of their capacity left free"
        yield _refused("region", "capacity", wrong, allowed, mend)
