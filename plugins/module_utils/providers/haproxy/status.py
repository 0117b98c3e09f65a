# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page on the metrics port of an edge, for networks that may read metrics; the agent has its files."""

from __future__ import annotations

from . import blocks
from .settings import Settings

BACKEND = "status"


def frontend(settings: Settings) -> str:
    """The metrics port with the page below `/status/`."""
    rules = ["acl status path /status", "acl status path_beg /status/"] if settings.status_port else []
    return blocks.metrics_frontend(settings, rules, BACKEND if rules else "")


def backend(settings: Settings) -> str:
    """The agent on loopback; nothing but reading goes there."""
    if not settings.status_port:
        return ""
    return blocks.section(
        f"backend {BACKEND}",
        [
            "http-request deny deny_status 405 unless { method GET HEAD }",
            "timeout server 5s",
            f"server agent 127.0.0.1:{settings.status_port}",
        ],
    )
