# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cloud DNS can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="cloud_dns",
    layer="dns",
    ordered=False,
    shares=False,
    weights_runtime=False,
    native_checks=True,
    degraded_ttl=False,
    source="Cloud DNS: DNS routing policies and health checks; dns v1 discovery document (RRSetRoutingPolicy)",
)

LEAST_INTERVAL = 30
"""Seconds between two health checks of an external endpoint."""
