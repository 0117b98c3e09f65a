# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HAProxy can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="haproxy",
    layer="load_balancer",
    ordered=True,
    shares=True,
    share_step=0.005,  # under `geo` a whole region weighs 200
    weights_runtime=True,
    native_checks=True,
    degraded_ttl=False,
    source="HAProxy 2.6 configuration and management guides; tests/conformance",
)
