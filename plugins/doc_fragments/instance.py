# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option by which modules of the local provider name their instance."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of O(instance)."""

    DOCUMENTATION = r"""
options:
  instance:
    description: Names and places of the instance of the local provider.
    type: dict
    required: true
    suboptions:
      name:
        description: Prefix of its namespaces, links and control groups, at most 10 characters.
        type: str
        required: true
      prefix:
        description: The first two octets of its network.
        type: str
        required: true
      state_dir:
        description: Folder of everything that it keeps.
        type: path
        required: true
      cache_dir:
        description: Folder of what is built or downloaded once.
        type: path
        required: true
"""
