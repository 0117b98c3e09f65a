#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: globalaccelerator_accelerator
short_description: Manage accelerators of AWS Global Accelerator
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Creates, changes and deletes standard accelerators with tags and flow logs.
  - An accelerator is found by its name and its owner's tag, or by its ARN.
  - Deleting disables it first and waits until that is so everywhere, since AWS refuses anything else.
    Its addresses are gone for good then, unless they are your own.
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
  name:
    description:
      - Its name; 1 to 64 letters, digits, periods and hyphens. Needed unless O(accelerator_arn) is given.
    type: str
  accelerator_arn:
    description: The accelerator, where its name is to be changed or isn't unique.
    type: str
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description: Whether it takes traffic; true for a new one. What isn't said stays as it is.
    type: bool
  ip_address_type:
    description: Families of its addresses; V(IPV4) for a new one.
    type: str
    choices: [IPV4, DUAL_STACK]
  ip_addresses:
    description: Your own addresses, for a new one; of ranges that you brought to AWS. Ignored later.
    type: list
    elements: str
  flow_logs:
    description: Flow logs into a bucket.
    type: dict
    suboptions:
      enabled:
        description: Whether they are written.
        type: bool
      bucket:
        description: The bucket; it must allow it.
        type: str
      prefix:
        description: What names in the bucket begin with.
        type: str
  tags:
    description: Tags, besides that of the owner.
    type: dict
  purge_tags:
    description: Whether to take other tags away where O(tags) is given. Those of AWS and of this collection stay.
    type: bool
    default: true
  generation:
    description: Generation that is written into the tag C(llm-verifier:generation); one below it is refused.
    type: int
  delete_listeners:
    description: Whether V(absent) also deletes listeners and endpoint groups; else it fails when there are any.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Have an accelerator
  llm_verifier.multi_region.globalaccelerator_accelerator:
    name: llm-verifier.com
    tags: {team: ml-platform, cost-center: ai-research}
  register: accelerator

- name: Take it away with all that is below it
  llm_verifier.multi_region.globalaccelerator_accelerator:
    name: llm-verifier.com
    state: absent
    delete_listeners: true
"""

RETURN = r"""
accelerator:
  description: The accelerator, empty when it isn't there; in check mode as it would be.
  returned: success
  type: dict
  sample:
    accelerator_arn: arn:aws:globalaccelerator::111122223333:accelerator/1234abcd-0000-4000-8000-000000000001
    name: llm-verifier.com
    enabled: true
    ip_address_type: IPV4
    ip_addresses: [75.2.0.1, 99.83.0.1]
    dns_name: a1234abcd.awsglobalaccelerator.com
    dual_stack_dns_name: ""
    status: DEPLOYED
    flow_logs: {enabled: false, bucket: "", prefix: ""}
    tags: {team: ml-platform, "llm-verifier:owner": llm-verifier}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import manage
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator.api import Api
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import Access
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.wiring import ACCESS, OWNED, STATE, run

LOGS = {"enabled": {"type": "bool"}, "bucket": {"type": "str"}, "prefix": {"type": "str"}}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            **ACCESS, **OWNED, "state": STATE,
            "name": {"type": "str"},
            "accelerator_arn": {"type": "str"},
            "enabled": {"type": "bool"},
            "ip_address_type": {"type": "str", "choices": ["IPV4", "DUAL_STACK"]},
            "ip_addresses": {"type": "list", "elements": "str"},
            "flow_logs": {"type": "dict", "options": LOGS},
            "tags": {"type": "dict"},
            "purge_tags": {"type": "bool", "default": True},
            "generation": {"type": "int"},
            "delete_listeners": {"type": "bool", "default": False},
        },
        required_one_of=[("name", "accelerator_arn")],
        supports_check_mode=True,
    )  # fmt: skip

    def act(access: Access) -> dict[str, Any]:
        found = manage.accelerator(Api(access), module.params, check=module.check_mode)
        return {"changed": found.changed, "accelerator": found.after, "before": found.before, "after": found.after}

    run(module, act)


if __name__ == "__main__":
    main()
