# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reason why an inventory and a policy can't be used, at once and without touching anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Problem
from .inventory_checks import check_inventory, members
from .model import Policy, form_problems
from .policy_checks import check_policy


def validate(hosts: Mapping[str, Mapping[str, Any]], policy: object) -> tuple[Problem, ...]:
    """All problems, sorted by host and key; none when everything can be used.

    `hosts` is the value `hosts` of the filter `routing_inputs`: each host's selected variables, with `groups` (names),
    `undefined` (variable to reason), `unknown` (mistyped variables) and `secrets` (name to whether it is given).
    `policy` is the variable `routing_policy` as it stands.
    """
    readable = Policy.salvage(policy)
    problems = {
        *form_problems(policy),
        *check_policy(readable, members(hosts, "regions")),
        *check_inventory(hosts, readable),
    }
    return tuple(sorted(problems))
