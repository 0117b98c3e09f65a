#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: routing_run
short_description: Run the routing loop once on the active edge
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Observes, decides, applies and verifies once, as the routing agent does at every tick, and shares its lock.
extends_documentation_fragment: [llm_verifier.multi_region.instance, llm_verifier.multi_region.routing.edges]
attributes:
  check_mode:
    description: Returns the plan, its reasons and the budget, and writes nothing.
    support: full
  diff_mode:
    description: Shows admissions and records before and after.
    support: full
"""

EXAMPLES = r"""
- name: Run the loop once
  llm_verifier.multi_region.routing_run:
    instance: "{{ local_instance }}"
    edges: "{{ groups['edge'] }}"
"""

RETURN = r"""
text:
  description: What was decided and done, as people read it.
  returned: success
  type: str
report:
  description: The same as data.
  returned: success
  type: dict
  contains:
    generation: {description: Generation of the decision., type: int, returned: always}
    admissions: {description: Ratio of its weight that each region gets., type: dict, returned: always}
    verdicts: {description: What the observations say of each region., type: list, returned: always}
    changes: {description: Moves of regions and refused moves., type: list, returned: always}
    plans: {description: Steps by back end., type: list, returned: always}
    warnings: {description: Edges that didn't answer., type: list, returned: always}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import (
    Remote,
    RemoteError,
    shown,
    text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={"instance": INSTANCE, "edges": {"type": "list", "elements": "str", "required": True}},
        supports_check_mode=True,
    )
    try:
        remote = Remote(Instance.from_dict(module.params["instance"]), module.params["edges"])
        report = remote.ask_active("run", {"write": not module.check_mode})
    except (RemoteError, LocalError) as error:
        module.fail_json(msg=str(error))
    result = {"changed": report["changed"], "report": report, "text": text(report), "diff": shown(report)}
    if report["failures"]:
        module.fail_json(msg="; ".join(report["failures"]), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
