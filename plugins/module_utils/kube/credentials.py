# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the regions' kubeconfigs need of this machine: a command that makes their credentials, where they name one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..local.tools import PROVIDER_TOOLS
from ..routing.errors import Problem
from .kubeconfig import current_user

MENDS = {
    **{tool.command: tool.mend for tools in PROVIDER_TOOLS.values() for tool in tools},
    "aws-iam-authenticator": "https://docs.aws.amazon.com/eks/latest/userguide/install-aws-iam-authenticator.html",
    "kubelogin": "az aks install-cli",
}
"""Commands that clouds' own kubeconfigs name, to what gets them."""

ALLOWED = "a kubeconfig with a current context whose credentials this machine can make"


def problems(hosts: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """What is wrong with the kubeconfigs that are there already; one that isn't is made by the run, or told by it."""
    found = []
    for host, facts in hosts.items():
        given = facts.get("region_kubeconfig")
        path = Path(os.path.expanduser(given)) if isinstance(given, str) and given else None
        if path and path.is_file():
            wrong, mend = _fault(path)
            if wrong:
                found.append(Problem(host, "region_kubeconfig", "kubeconfig", f"{given} {wrong}", ALLOWED, mend))
    return found


def _fault(path: Path) -> tuple[str, str]:
    """What is wrong with a kubeconfig and what mends it; empty texts when nothing is."""
    import yaml

    try:
        user = current_user(yaml.safe_load(path.read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        told = f"lacks {error}" if isinstance(error, KeyError) else "is no kubeconfig that can be read"
        return told, "get it anew from the region's provider, or name another file"
    plugin = user.get("exec") or {}
    command = str(plugin.get("command", ""))
    known = command if os.path.isabs(command) or "/" not in command else str(path.parent / command)
    if not command or shutil.which(known):
        return "", ""
    hint = str(plugin.get("installHint") or MENDS.get(Path(command).name, "")).strip()
    return f"takes its credentials from the command {command}, which is not there", hint or f"put {command} on the path"
