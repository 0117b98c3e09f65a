# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdnsd can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="gdnsd",
    layer="dns",
    ordered=True,
    shares=False,
    weights_runtime=True,
    native_checks=True,
    degraded_ttl=True,
    maximum_regions=126,  # 254 datacenters: two a region, the load balancer, the static site
    source="gdnsd 3.8 manual pages gdnsd.config(5), gdnsd-plugin-geoip(8); tests/conformance",
)
