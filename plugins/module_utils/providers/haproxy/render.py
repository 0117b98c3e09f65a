# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy as a back end of the routing table: pure renderers, one a part of the front door."""

from __future__ import annotations

from .edge import render as edge
from .gateway import render as gateway
from .settings import Settings
from .static_site import render as static_site

__all__ = ["Settings", "edge", "gateway", "static_site"]
