#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: front_door_publish
short_description: Publish the routing policy in a cloud's front door
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Compiles the routing policy, compares what it would answer with the policy, and publishes everything beforehand, so
    that traffic moves later without the control host and without the cloud's control plane.
  - A run changes neither weights nor evictions of the routing engine.
  - Refuses what the cloud would refuse before any call, with every reason, and touches nothing that has another owner.
extends_documentation_fragment: [llm_verifier.multi_region.routing, llm_verifier.multi_region.routing.policy]
requirements:
  - boto3 (C(pip install -r requirements-aws.txt))
attributes:
  check_mode:
    description: Tells what would change and calls nothing that writes.
    support: full
  diff_mode:
    description: Shows a line a change.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
options:
  backend:
    description: The cloud's back end.
    type: str
    choices: [route53, global_accelerator]
    required: true
  settings:
    description: Its settings, as docs/providers/route53.md and docs/providers/global_accelerator.md list them.
    type: dict
    default: {}
  state:
    description: Whether it is there. V(absent) takes away what is the owner's, and nothing else.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Publish the DNS
  llm_verifier.multi_region.front_door_publish:
    backend: route53
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    settings:
      switches:
        - {bucket: example-routing-euc1, location: eu-central-1}
        - {bucket: example-routing-use2, location: us-east-2}
"""

RETURN = r"""
lines:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
unsupported:
  description: Countries that the back end refuses; they are answered as the default geography.
  returned: success
  type: list
  elements: str
budget:
  description: How long clients may wait by kind of loss, with this back end's own health checks.
  returned: success
  type: list
  elements: dict
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.owner import NotOursError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import AwsError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.publishers import (
    PUBLISHED,
    DivergesError,
    publish,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str", "choices": list(PUBLISHED), "required": True},
            "policy": {"type": "dict", "required": True},
            "site": {"type": "dict", "required": True},
            "settings": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        regions = [Region.from_dict(item) for item in given["site"]["regions"]]
        table = compile_table(Policy.from_dict(given["policy"]), regions, 1)
        done = publish(
            given["backend"], table, Site.from_dict(given["site"]), given["settings"],
            present=given["state"] == "present", check=module.check_mode,
        )  # fmt: skip
    except (AwsError, NotOursError, DivergesError, RoutingError, ValueError, KeyError, TypeError) as error:
        module.fail_json(msg=f"The policy isn't published in {given['backend']}: {error}")
    for text in done.warnings:
        module.warn(text)
    result = {"changed": bool(done.lines), "lines": done.lines, "unsupported": done.unsupported,
              "budget": [asdict(line) for line in done.budget]}  # fmt: skip
    if module._diff and done.lines:
        result["diff"] = {"prepared": "".join(f"{line}\n" for line in done.lines)}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
