# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure Front Door (Standard and Premium) can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="front_door",
    layer="load_balancer",
    ordered=False,
    shares=False,
    weights_runtime=False,
    native_checks=True,
    degraded_ttl=False,
    maximum_regions=49,
    source="Azure Front Door: traffic routing methods to origin; health probes; azure-mgmt-cdn models (AFDOrigin)",
)
