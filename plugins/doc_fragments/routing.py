# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which modules take the policy, what the inventory says, and the edges."""

from __future__ import annotations


class ModuleDocFragment:
    """One option each: C(routing) has O(site), C(routing.policy) O(policy), C(routing.edges) O(edges)."""

    POLICY = r"""
options:
  policy:
    description: The variable C(routing_policy).
    type: dict
    required: true
"""

    EDGES = r"""
options:
  edges:
    description: Hosts of the front door in the inventory's order, the group C(edge).
    type: list
    elements: str
    required: true
"""

    DOCUMENTATION = r"""
options:
  site:
    description: What the filter P(llm_verifier.multi_region.routing_inputs#filter) gives.
    type: dict
    required: true
"""
