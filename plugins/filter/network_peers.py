# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as peers of a NetworkPolicy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube import peers

DOCUMENTATION = r"""
name: network_peers
short_description: Networks as peers of a NetworkPolicy
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes an C(ipBlock) of every network. Fails with every one that is wrong.
positional: _input
options:
  _input:
    description: Networks, as C(192.0.2.0/24).
    type: list
    elements: str
    required: true
  public:
    description:
      - Whether only public addresses are meant. Private and other special ranges inside a network are then cut out,
        and a network that holds no public address is refused.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the whole Internet without private networks
  ansible.builtin.debug:
    msg: "{{ ['0.0.0.0/0'] | llm_verifier.multi_region.network_peers(public=true) }}"
"""

RETURN = r"""
_value:
  description: The peers.
  type: list
  elements: dict
"""


def network_peers(networks: list[str], public: bool = False) -> list[dict[str, Any]]:
    """The filter."""
    try:
        return peers.network_peers(networks, public=public)
    except ValueError as error:
        raise AnsibleFilterError(f"network_peers: {error}") from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"network_peers": network_peers}
