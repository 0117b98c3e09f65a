# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which modules reach a region's cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of O(kubeconfig), O(context) and O(region)."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description: Path of the region's kubeconfig.
    type: path
    required: true
  context:
    description: A context in it; its current one when not given.
    type: str
  region:
    description: The region's name, for messages.
    type: str
    default: ''
"""
