#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module local_logs."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_logs
short_description: Show the last log lines of a node of the local provider
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Reads the logs of a node's supervised services on this machine, also those of a node that is down. Changes nothing.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Does the same.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  name:
    description: The node.
    type: str
    required: true
  service:
    description: The service. Empty means all.
    type: str
    default: ""
  lines:
    description: How many lines of each service.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Show what the API server said
  llm_verifier.multi_region.local_logs:
    instance: "{{ local_instance }}"
    name: eu-west-1
    service: kube-apiserver
"""

RETURN = r"""
services:
  description: Services and their last lines, the newest last.
  returned: success
  type: dict
text:
  description: The same for people.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import logs
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "instance": INSTANCE,
            "name": {"type": "str", "required": True},
            "service": {"type": "str", "default": ""},
            "lines": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        node = Node(Instance.from_dict(params["instance"]), params["name"])
        found = logs.last_lines(node, params["service"], params["lines"])
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, services=found, text=logs.text(node.name, found))


if __name__ == "__main__":
    main()
