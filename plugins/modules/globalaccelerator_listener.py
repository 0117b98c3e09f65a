#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: globalaccelerator_listener
short_description: Manage listeners of AWS Global Accelerator
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Creates, changes and deletes the listeners of a standard accelerator.
  - A listener is the one of O(listener_arn), else the accelerator's that has the same protocol and shares a port.
extends_documentation_fragment:
  - llm_verifier.multi_region.aws
  - llm_verifier.multi_region.aws.owned
attributes:
  check_mode:
    description: Tells what would change and calls nothing that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
options:
  accelerator_arn:
    description: The accelerator. Needed unless O(listener_arn) is given.
    type: str
  listener_arn:
    description: The listener, where all its ports are to be changed.
    type: str
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
  port_ranges:
    description: Its ports, 1 to 10 ranges. Needed unless O(listener_arn) is given.
    type: list
    elements: dict
    suboptions:
      from_port:
        description: First port.
        type: int
        required: true
      to_port:
        description: Last port.
        type: int
        required: true
  protocol:
    description: Protocol; V(TCP) for a new one. What isn't said stays as it is.
    type: str
    choices: [TCP, UDP]
  client_affinity:
    description: Whether a client keeps its endpoint; V(NONE) for a new one.
    type: str
    choices: [NONE, SOURCE_IP]
  delete_endpoint_groups:
    description: Whether V(absent) also deletes endpoint groups; else it fails when there are any.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Listen for HTTP and HTTPS
  llm_verifier.multi_region.globalaccelerator_listener:
    accelerator_arn: "{{ accelerator.accelerator.accelerator_arn }}"
    port_ranges:
      - {from_port: 80, to_port: 80}
      - {from_port: 443, to_port: 443}
  register: listener
"""

RETURN = r"""
listener:
  description: The listener, empty when it isn't there; in check mode as it would be.
  returned: success
  type: dict
  sample:
    listener_arn: arn:aws:globalaccelerator::111122223333:accelerator/12ab/listener/02
    protocol: TCP
    port_ranges: [{from_port: 80, to_port: 80}, {from_port: 443, to_port: 443}]
    client_affinity: NONE
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import manage
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator.api import Api
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import Access
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.wiring import ACCESS, OWNED, STATE, run

PORTS = {"from_port": {"type": "int", "required": True}, "to_port": {"type": "int", "required": True}}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            **ACCESS, **OWNED, "state": STATE,
            "accelerator_arn": {"type": "str"},
            "listener_arn": {"type": "str"},
            "port_ranges": {"type": "list", "elements": "dict", "options": PORTS},
            "protocol": {"type": "str", "choices": ["TCP", "UDP"]},
            "client_affinity": {"type": "str", "choices": ["NONE", "SOURCE_IP"]},
            "delete_endpoint_groups": {"type": "bool", "default": False},
        },
        required_one_of=[("accelerator_arn", "listener_arn"), ("port_ranges", "listener_arn")],
        supports_check_mode=True,
    )  # fmt: skip

    def act(access: Access) -> dict[str, Any]:
        found = manage.listener(Api(access), module.params, check=module.check_mode)
        return {"changed": found.changed, "listener": found.after, "before": found.before, "after": found.after}

    run(module, act)


if __name__ == "__main__":
    main()
