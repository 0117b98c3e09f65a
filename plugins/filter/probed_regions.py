# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions a region probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.peers import probed

DOCUMENTATION = r"""
name: probed_regions
short_description: Which regions a region probes
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Every region is probed by four others, chosen by rendezvous hashing, so that few pairs change with a region.
positional: _input, region
options:
  _input:
    description: All regions.
    type: list
    elements: str
    required: true
  region:
    description: The one that probes.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what this region probes
  ansible.builtin.debug:
    msg: "{{ groups['regions'] | llm_verifier.multi_region.probed_regions(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: The regions that it probes, by name.
  type: list
  elements: str
"""


def probed_regions(regions: list[str], region: str) -> list[str]:
    """The filter."""
    return list(probed(region, regions))


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"probed_regions": probed_regions}
