# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Google Cloud's global external Application Load Balancer can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="google_lb",
    layer="load_balancer",
    ordered=False,
    shares=True,
    share_step=0.1,  # of a region's capacity: only load beyond it goes to the next nearest
    weights_runtime=False,
    native_checks=True,
    degraded_ttl=False,
    source="Google Cloud Load Balancing: external Application Load Balancer overview, backend services overview "
    "(capacity scaler), custom error response overview; compute v1 discovery document",
)

LEAST_SCALER = 0.1
"""A capacity scaler is 0 or at least this."""
