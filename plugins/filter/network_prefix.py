# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of an instance by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import network_prefix

DOCUMENTATION = r"""
name: network_prefix
short_description: First two octets of an instance's network
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Chooses a /16 of 10.64.0.0 to 10.127.0.0 by the name of an instance of the local provider, always the same one.
positional: _input
options:
  _input:
    description: The instance's name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the network of the default instance
  ansible.builtin.debug:
    msg: "{{ 'llmv' | llm_verifier.multi_region.network_prefix }}.0.0/16"
"""

RETURN = r"""
_value:
  description: The octets, such as C(10.77).
  type: str
"""


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"network_prefix": network_prefix}
