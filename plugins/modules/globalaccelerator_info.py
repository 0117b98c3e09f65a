#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: globalaccelerator_info
short_description: Tell what accelerators of AWS Global Accelerator there are
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Tells standard accelerators with tags, flow logs, listeners, endpoint groups and endpoints with their health.
extends_documentation_fragment:
  - llm_verifier.multi_region.aws
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: none
options:
  name:
    description: Accelerators of this name; all without it.
    type: str
  accelerator_arn:
    description: The accelerator of this ARN.
    type: str
  owner:
    description: Accelerators of this owner only, the tag C(llm-verifier:owner).
    type: str
"""

EXAMPLES = r"""
- name: What is there
  llm_verifier.multi_region.globalaccelerator_info:
    name: llm-verifier.com
  register: found
"""

RETURN = r"""
accelerators:
  description: Accelerators with C(listeners), and these with C(endpoint_groups), in the forms of the other modules.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import manage
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator.api import Api
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.wiring import ACCESS, run


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            **ACCESS, "name": {"type": "str"}, "accelerator_arn": {"type": "str"}, "owner": {"type": "str"},
        },
        supports_check_mode=True,
    )  # fmt: skip
    run(module, lambda access: {"changed": False, "accelerators": manage.info(Api(access), module.params)})


if __name__ == "__main__":
    main()
