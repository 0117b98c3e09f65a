# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Google's load balancer holds it: one backend service with a backend a region. Pure.

It steers to the nearest location with a healthy backend and knows no lists. An evicted region has the capacity scaler
0; a ramp lowers the capacity that a region takes before the next nearest gets the rest. The static site is a bucket,
shown for the balancer's own 503, when no backend is left.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..flat import NOTHING, Item, addresses, admitted, pack, served
from ..places import location
from .card import LEAST_SCALER


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for a region that lies nowhere known."""
    known, ratios = addresses(table, site), served(admitted(table, admissions))
    health = table.policy.health
    items: dict[str, Item] = {
        "health_check": {
            "type": "HTTPS",
            "port": 443,
            "request_path": health.path,
            "host": f"api.{table.policy.domain}",
            "check_interval": health.interval_seconds,
            "timeout": health.timeout_seconds,
            "healthy_threshold": health.successes,
            "unhealthy_threshold": health.failures,
        },
        "backend_service": {"protocol": "HTTPS", "scheme": "EXTERNAL_MANAGED", "health_check": "health_check"},
        "certificate": {"domains": [f"api.{table.policy.domain}", f"*.{table.policy.domain}"]},
        "target_proxy": {"url_map": "url_map", "certificate": "certificate"},
        "forwarding_rule": {"target": "target_proxy", "ports": "443", "scheme": "EXTERNAL_MANAGED"},
        "url_map": _url_map(site),
    }
    if site.static_site:
        items["backend_bucket/static"] = {"bucket": f"static.{table.policy.domain}"}
    for region in table.regions:
        items[f"backend/{region.name}"] = {
            "location": location(region),
            "endpoint": known[region.name],
            "balancing_mode": "RATE",
            "max_rate": region.capacity_rps or None,
            "capacity_scaler": _scaler(ratios[region.name]),
        }
    return pack(table.generation, items)


def _scaler(ratio: float) -> float:
    """0, or 0.1 to 1."""
    return round(max(LEAST_SCALER, ratio), 3) if ratio > 0 else 0.0


def _url_map(site: Site) -> Item:
    if not site.static_site:
        return {"default_service": "backend_service"}
    page = {"codes": ["503"], "path": "/index.html", "service": "backend_bucket/static"}
    return {"default_service": "backend_service", "custom_error_response": page}
