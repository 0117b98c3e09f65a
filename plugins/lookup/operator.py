# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs this, for the decision log."""

from __future__ import annotations

DOCUMENTATION = r"""
name: operator
author: LLM Verifier DevOps (@llm-verifier)
version_added: 0.1.0
short_description: Who runs this, for the decision log
description:
  - The user who launched the job in AWX, or the one behind C(sudo), or the account of the process.
options:
  _terms:
    description: None are taken.
"""

EXAMPLES = r"""
- name: Take Europe's region out
  llm_verifier.multi_region.routing_order:
    instance: "{{ local_instance }}"
    edges: "{{ groups['edge'] }}"
    order: drain
    region: eu-west-1
    by: "{{ lookup('llm_verifier.multi_region.operator') }}"
    reason: a new kernel
"""

RETURN = r"""
_raw:
  description: One name.
  type: list
  elements: str
"""

import os
import pwd
from collections.abc import Mapping
from typing import Any

from ansible.plugins.lookup import LookupBase

LAUNCHED_BY = ("awx_user_name", "tower_user_name")
"""Extra variables that AWX and its predecessor give to every job."""


def operator(variables: Mapping[str, Any], environment: Mapping[str, str], account: str) -> str:
    """Return who runs this: the job's user, else the one behind sudo, else the process's `account`."""
    told = [str(variables.get(name) or "") for name in LAUNCHED_BY]
    return next(name for name in (*told, environment.get("SUDO_USER", ""), account) if name)


class LookupModule(LookupBase):  # type: ignore[misc]
    """One name, whatever is asked."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        try:
            account = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:  # a container's account without a name
            account = f"uid {os.geteuid()}"
        return [operator(variables or {}, os.environ, account)]
