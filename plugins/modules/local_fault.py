#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_fault
short_description: Make or heal a fault of a node of the local provider
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Ends, freezes, cuts off or slows down a node, and heals it. What is in force is remembered in the state folder.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Reports whether anything would change.
    support: full
  diff_mode:
    description: Shows the node's faults before and after.
    support: full
options:
  name:
    description: The node.
    type: str
    required: true
  subnet:
    description: Third octet of its network.
    type: int
    required: true
  tree:
    description: The shared Debian tree.
    type: path
    required: true
  operation:
    description:
      - V(down) ends all its processes, V(up) starts it again with its data.
      - V(freeze) stops every process where it is (SIGSTOP), V(thaw) lets them go on.
      - V(cut) drops all packets between it and O(others), V(slow) limits its link to O(kilobits).
      - V(heal) takes away cuts, slowness and frost.
    type: str
    choices: [down, up, freeze, thaw, cut, slow, heal]
    required: true
  others:
    description: Third octets of the networks to cut it off from. Empty means everything.
    type: list
    elements: int
    default: []
  kilobits:
    description: Rate of a slow link, in kilobits per second.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Kill a region
  llm_verifier.multi_region.local_fault:
    instance: "{{ local_instance }}"
    name: eu-west-1
    subnet: 3
    tree: "{{ local_tree }}"
    operation: down
"""

RETURN = r"""
faults:
  description: The node's faults now in force.
  returned: success
  type: dict
  sample: {down: true}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.faults import (
    OPERATIONS,
    Target,
    load,
    operate,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "instance": INSTANCE,
            "name": {"type": "str", "required": True},
            "subnet": {"type": "int", "required": True},
            "tree": {"type": "path", "required": True},
            "operation": {"type": "str", "choices": list(OPERATIONS), "required": True},
            "others": {"type": "list", "elements": "int", "default": []},
            "kilobits": {"type": "int", "default": 8},
        },
        supports_check_mode=True,
    )
    params = module.params
    target = Target(params["name"], params["subnet"], tuple(params["others"]), params["kilobits"])
    try:
        instance = Instance.from_dict(params["instance"])
        before = load(instance).get(target.name, {})
        changed = operate(instance, params["tree"], params["operation"], target, check=module.check_mode)
        after = load(instance).get(target.name, {})
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, faults=after, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
