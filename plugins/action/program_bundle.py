# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name."""

from __future__ import annotations

from ansible_collections.llm_verifier.multi_region.plugins.modules import program_bundle
from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils.in_process import InProcess


class ActionModule(InProcess):
    """See the module."""

    MODULE = program_bundle
