# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as Front Door holds it: one origin group with an origin a region, the static site behind all. Pure.

It steers to the origin of least latency among those of the best priority, and knows no lists. Regions have priority 1,
evicted ones 2, the static site 3: an evicted region serves when nothing else does, and never is the whole group bad.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...routing.model import RoutingTable, Site
from ...routing.records import Records
from ..expectation import STATIC
from ..flat import NOTHING, Item, addresses, pack, rounded, too_many
from ..places import location
from .card import CARD

_LEAST_INTERVAL = 5  # seconds; every point of presence probes, so volume is high


def desired(table: RoutingTable, site: Site, admissions: Mapping[str, float] = NOTHING) -> Records:
    """The records of a policy's table under a decision. Raises CompileError for too many regions or unknown places."""
    too_many(CARD.name, len(table.regions), CARD.maximum_regions, "regions")
    known, ratios = addresses(table, site), rounded(table, admissions)
    health, domain = table.policy.health, table.policy.domain
    items: dict[str, Item] = {
        "profile": {"sku": "Standard_AzureFrontDoor"},
        "endpoint": {"enabled_state": "Enabled"},
        f"custom_domain/api.{domain}": {"tls": "ManagedCertificate"},
        "route": {"origin_group": "regions", "domains": [f"api.{domain}"], "forwarding_protocol": "HttpsOnly"},
        "origin_group": {
            "sample_size": health.failures + health.successes - 1,
            "successful_samples_required": health.successes,
            "additional_latency_in_milliseconds": 0,
            "probe_path": health.path,
            "probe_protocol": "Https",
            "probe_interval_in_seconds": max(_LEAST_INTERVAL, health.interval_seconds),
        },
    }
    for region in table.regions:
        item = _origin(known[region.name], domain, 1 if ratios[region.name] > 0 else 2)
        items[f"origin/{region.name}"] = {**item, "location": location(region)}
    if site.static_site:
        items[f"origin/{STATIC}"] = _origin(known[STATIC], domain, 3)
    return pack(table.generation, items)


def _origin(address: str, domain: str, priority: int) -> Item:
    return {
        "host_name": address,
        "origin_host_header": f"api.{domain}",
        "priority": priority,
        "weight": 1000,
        "enabled_state": "Enabled",
    }
