#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: routing_order
short_description: Give the routing an operator's order
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Takes a region out, forces it in, freezes it, or takes such orders away; carried out at once by the active edge.
  - The safety gate refuses an order that would leave too little; O(force) overrules it, which is logged with the name.
  - Every order is in the decision log.
extends_documentation_fragment: [llm_verifier.multi_region.instance, llm_verifier.multi_region.routing.edges]
attributes:
  check_mode:
    description: Says what the order would do, or why it is refused, and writes nothing.
    support: full
  diff_mode:
    description: Shows admissions and records before and after.
    support: full
options:
  order:
    description:
      - V(force_down) takes the region out at once, V(drain) as well but as planned work, V(force_up) keeps it in.
      - V(freeze) stops automatic moves of the region, or of all regions.
      - V(lift) takes the region's V(force_down), V(drain) and V(force_up) away; it comes back by the ramp.
      - V(thaw) takes a V(freeze) away.
    type: str
    choices: [force_down, drain, force_up, freeze, lift, thaw]
    required: true
  region:
    description: The region; empty for all of them, which only V(freeze) and V(thaw) may say.
    type: str
    default: ""
  by:
    description: Who gives the order.
    type: str
    required: true
  reason:
    description: Why. Every order but V(lift) and V(thaw) needs it.
    type: str
    default: ""
  expires:
    description: How long it holds, such as V(90s), V(30m), V(2h) or V(1d); empty for until it is taken away.
    type: str
    default: ""
  force:
    description: Overrule the safety gate.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Take Europe's region out for half an hour
  llm_verifier.multi_region.routing_order:
    instance: "{{ local_instance }}"
    edges: "{{ groups['edge'] }}"
    order: force_down
    region: eu-west-1
    by: anna
    reason: its database is being mended
    expires: 30m
"""

RETURN = r"""
text:
  description: What was decided and done, as people read it.
  returned: success
  type: str
report:
  description: The same as data, as M(llm_verifier.multi_region.routing_run) returns it.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import (
    Remote,
    RemoteError,
    seconds,
    shown,
    text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError

ARGUMENTS: dict[str, Any] = {
    "instance": INSTANCE,
    "edges": {"type": "list", "elements": "str", "required": True},
    "order": {
        "type": "str",
        "choices": ["force_down", "drain", "force_up", "freeze", "lift", "thaw"],
        "required": True,
    },
    "region": {"type": "str", "default": ""},
    "by": {"type": "str", "required": True},
    "reason": {"type": "str", "default": ""},
    "expires": {"type": "str", "default": ""},
    "force": {"type": "bool", "default": False},
}


def question(params: dict[str, Any], write: bool) -> dict[str, Any]:
    """What the agent is asked. Raises RemoteError for a duration that is none."""
    kind = params["order"]
    return {
        "kind": "lift" if kind == "thaw" else kind,
        "freeze": kind == "thaw",
        "region": params["region"],
        "by": params["by"],
        "reason": params["reason"],
        "seconds": seconds(params["expires"]) if params["expires"] else 0,
        "force": params["force"],
        "write": write,
    }


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        remote = Remote(Instance.from_dict(module.params["instance"]), module.params["edges"])
        report = remote.ask_active("order", question(module.params, not module.check_mode))
    except (RemoteError, LocalError) as error:
        module.fail_json(msg=str(error))
    result = {"changed": report["changed"], "report": report, "text": text(report), "diff": shown(report)}
    if report["failures"]:
        module.fail_json(msg="; ".join(report["failures"]), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
