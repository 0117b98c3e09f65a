# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights of HAProxy's servers, one a region: what the policy begins with, and what a decision makes of them."""

from __future__ import annotations

from collections.abc import Mapping

from ...routing.model import RoutingTable

WHOLE = 200
"""The weight of a region that is admitted wholly under `geo`, of HAProxy's 256 at most: 0.5 % is the finest step."""

_LARGEST = 255


def policy_drained(table: RoutingTable) -> frozenset[str]:
    """Regions that the policy drains: they serve only when no other does. None when it drains all."""
    drained = frozenset(region.name for region in table.regions if region.weight <= 0)
    return drained if len(drained) < len(table.regions) else frozenset()


def initial_weights(table: RoutingTable) -> dict[str, int]:
    """Weights with no decision: 0 for drained regions; under `geo` all others are alike."""
    drained = policy_drained(table)
    if table.policy.algorithm == "geo":
        return {region.name: 0 if region.name in drained else WHOLE for region in table.regions}
    shares = dict(zip(table.route(table.default).regions, table.route(table.default).shares, strict=True))
    top = max(shares.values())
    return {
        region.name: 0 if region.name in drained else max(1, round(shares[region.name] / top * _LARGEST))
        for region in table.regions
    }


def weights(table: RoutingTable, admissions: Mapping[str, float]) -> dict[str, int]:
    """Weights under a decision: `admissions` are ratios by region, 1 for one that isn't named.

    Whatever is admitted at all weighs at least 1. Where a decision leaves nothing, `geo` goes by its plain order (all
    weigh 0) and the other algorithms serve from all regions alike. A policy that drains all isn't decided about.
    """
    initial = initial_weights(table)
    if all(region.weight <= 0 for region in table.regions):
        return initial
    wanted = {name: admissions.get(name, 1.0) if weight else 0.0 for name, weight in initial.items()}
    if table.policy.algorithm != "geo" and not any(ratio > 0 for ratio in wanted.values()):
        return dict.fromkeys(initial, _LARGEST)
    return {name: max(1, round(initial[name] * ratio)) if ratio > 0 else 0 for name, ratio in wanted.items()}
