# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the back end for tests can do: everything."""

from __future__ import annotations

from ...routing.records import Card

CARD = Card(
    name="memory",
    layer="load_balancer",
    ordered=True,
    shares=True,
    share_step=0.000001,
    weights_runtime=True,
    native_checks=True,
    degraded_ttl=True,
    source="docs/providers/memory.md",
)
