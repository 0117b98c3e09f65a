# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AWS modules share: their options, and the one place where an error becomes a failed module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .owner import NotOursError
from .session import Access, AwsError

ACCESS: Mapping[str, Any] = {
    "profile": {"type": "str"},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
    "session_token": {"type": "str", "no_log": True},
    "endpoint_url": {"type": "str"},
}
OWNED: Mapping[str, Any] = {
    "owner": {"type": "str", "default": "llm-verifier"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}
STATE: Mapping[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}


def access(params: Mapping[str, Any]) -> Access:
    """Whose account is used."""
    return Access(**{name: params[name] for name in ACCESS if params[name]})


def run(module: AnsibleModule, act: Callable[[Access], dict[str, Any]]) -> None:
    """Do what a module is for and end it; `act` gives its result, with `before` and `after` for diff mode."""
    try:
        result = act(access(module.params))
    except (AwsError, NotOursError, ValueError) as error:
        module.fail_json(msg=str(error))
    shown = {side: result.pop(side, {}) for side in ("before", "after")}
    if module._diff and shown["before"] != shown["after"]:
        result["diff"] = shown
    module.exit_json(**result)
