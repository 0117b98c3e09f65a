# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name."""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.llm_verifier.multi_region.plugins.modules import region_release
from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils.in_process import InProcess

with suppress(ImportError):  # a second of every task that would load it itself; without it, the module says so
    import kubernetes.dynamic  # noqa: F401


class ActionModule(InProcess):
    """See the module."""

    MODULE = region_release
