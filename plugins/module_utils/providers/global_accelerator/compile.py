# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Global Accelerator holds it: one accelerator, an endpoint group a location, an endpoint a region. Pure.

It steers to the nearest location and knows no lists. An evicted region has the endpoint weight 0: a traffic dial of 0
alone would not keep failover traffic away. A ramp is the dial of the location's group.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...routing.model import Policy, RoutingTable, Site
from ...routing.records import Records
from ..flat import NOTHING, Item, addresses, admitted, pack, served
from ..places import location

_INTERVALS = (10, 30)
_WEIGHT = 128  # of 255: the service's own default


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for a region that lies nowhere known."""
    known, ratios = addresses(table, site), served(admitted(table, admissions))
    places = {region.name: location(region) for region in table.regions}
    items: dict[str, Item] = {
        "accelerator": {"name": table.policy.domain, "enabled": True, "ip_address_type": "IPV4"},
        "listener": {"protocol": "TCP", "ports": [80, 443], "client_affinity": "NONE"},
    }
    for code in sorted(set(places.values())):
        items[f"endpoint_group/{code}"] = _group(table.policy, code, _best(ratios, places, code))
    for name, code in places.items():
        best = _best(ratios, places, code)
        weight = max(1, round(_WEIGHT * ratios[name] / best)) if ratios[name] > 0 else 0
        items[f"endpoint/{name}"] = {"group": code, "endpoint": known[name], "weight": weight}
    return pack(table.generation, items)


def _best(ratios: Mapping[str, float], places: Mapping[str, str], code: str) -> float:
    """The greatest admission of a location's regions; 1 when all of them are evicted: their weights say so."""
    return max(ratios[name] for name, place in places.items() if place == code) or 1.0


def _group(policy: Policy, code: str, ratio: float) -> Item:
    health = policy.health
    return {
        "region": code,
        "traffic_dial": max(1, round(ratio * 100)),
        "health_check": {
            "protocol": "HTTPS",
            "port": 443,
            "path": health.path,
            "interval": next((step for step in _INTERVALS if step >= health.interval_seconds), _INTERVALS[-1]),
            "threshold": health.failures,
        },
    }
