# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS Global Accelerator can do."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="global_accelerator",
    layer="load_balancer",
    ordered=False,
    shares=True,
    share_step=0.01,
    weights_runtime=False,
    native_checks=True,
    degraded_ttl=False,
    last_resort=False,
    shares_kept=False,
    check_seconds=(10, 30),
    # AWS gives no figures for these; no account measured them.
    check_timeout_seconds=10,
    steer_seconds=60,
    publish_seconds=10,
    source="AWS Global Accelerator Developer Guide: how failover works for unhealthy endpoints; endpoint groups; "
    "endpoint weights; traffic dials",
)

TRIED = 3
"""Endpoint groups nearest to the client that are tried before one is answered whatever its health."""
