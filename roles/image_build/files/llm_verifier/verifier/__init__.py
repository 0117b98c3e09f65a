# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference verifier: small, there to be routed, scraped, traced and failed."""

from __future__ import annotations

__version__ = "1.1.0"
