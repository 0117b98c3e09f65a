#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: routing_takeover
short_description: Make another edge the active one
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - The edge takes the newest state that it or any reached edge has, and runs the loop from then on.
  - Reached edges are told first and stop deciding. One that isn't reached is refused when it comes back, and follows.
  - The choice lies on the edges, so that the role C(routing) keeps it.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Says whether the active edge would change and writes nothing.
    support: full
  diff_mode:
    description: Shows the active edge before and after.
    support: full
options:
  edge:
    description: The edge that becomes active.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Let the second edge decide
  llm_verifier.multi_region.routing_takeover:
    instance: "{{ local_instance }}"
    edge: edge-2
"""

RETURN = r"""
active:
  description: The active edge.
  returned: success
  type: str
  sample: edge-2
epoch:
  description: How often an edge was chosen; of two that count themselves active the greater one counts.
  returned: success
  type: int
  sample: 1
unreached:
  description: Edges that could not be told, with the reason.
  returned: success
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import Remote, RemoteError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={"instance": INSTANCE, "edge": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    edge = module.params["edge"]
    try:
        remote = Remote(Instance.from_dict(module.params["instance"]), [edge])
        before = remote.ask(edge, "status")["role"]
        answer = remote.ask(edge, "takeover", {"write": not module.check_mode})
    except (RemoteError, LocalError) as error:
        module.fail_json(msg=str(error))
    role = answer["role"]
    diff = {"before": f"{before['active']}\n", "after": f"{role['active']}\n"}
    result = {"active": role["active"], "epoch": role["epoch"], "unreached": answer["unreached"]}
    if answer["tick"] and answer["tick"]["failures"]:
        module.fail_json(msg="; ".join(answer["tick"]["failures"]), changed=answer["changed"], **result)
    module.exit_json(changed=answer["changed"], diff=diff if answer["changed"] else {}, **result)


if __name__ == "__main__":
    main()
