#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module inventory_validate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_validate
short_description: Tells every error of an inventory and its routing policy at once
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Checks hosts, groups, variables and the routing policy, also against each other, and fails once with the whole list.
  - Of kubeconfigs that are there, says which command for credentials this machine lacks.
  - Needs no network and no facts, and changes nothing.
extends_documentation_fragment: [llm_verifier.multi_region.routing.policy]
options:
  hosts:
    description: The value C(hosts) of the filter P(llm_verifier.multi_region.routing_inputs#filter).
    type: dict
    required: true
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Check inventory and policy
  llm_verifier.multi_region.inventory_validate:
    hosts: "{{ (hostvars | llm_verifier.multi_region.routing_inputs(groups)).hosts }}"
    policy: "{{ routing_policy }}"
"""

RETURN = r"""
budget:
  description: The failover budget, a line for each kind of loss, one for errors and slow answers. Times are in seconds.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: Kind of loss., type: str, returned: always}
    detection_seconds: {description: Until the checks agree or the engine has decided., type: float, returned: always}
    answers_seconds: {description: Until name servers answer with another region., type: float, returned: always}
    ttl_seconds: {description: How long resolvers keep an old answer., type: float, returned: always}
    total_seconds: {description: Until the last old answer has run out., type: float, returned: always}
    objective_seconds: {description: The recovery-time objective., type: float, returned: always}
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.geoip.convert import (
    problems as database_problems,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.credentials import (
    problems as credential_problems,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.budget import budget
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import report
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.validate import validate


def main() -> None:
    """Check and tell."""
    module = AnsibleModule(
        argument_spec={"hosts": {"type": "dict", "required": True}, "policy": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    hosts = module.params["hosts"]
    policy = module.params["policy"]
    problems = sorted({*validate(hosts, policy), *database_problems(hosts), *credential_problems(hosts)})
    if problems:
        module.fail_json(msg=report(problems))
    lines = budget(Policy.from_dict(policy))
    module.exit_json(changed=False, budget=[asdict(line) for line in lines])


if __name__ == "__main__":
    main()
