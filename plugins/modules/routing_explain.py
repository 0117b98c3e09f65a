#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: routing_explain
short_description: Say why a country is served by its region, or what happened
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Reads state and decision log of the active edge, or of any other that is reached where that one isn't.
  - Checks the log's chain on the way.
extends_documentation_fragment: [llm_verifier.multi_region.instance, llm_verifier.multi_region.routing.edges]
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
options:
  country:
    description: An ISO 3166-1 alpha-2 code.
    type: str
    default: ""
  region:
    description: The region that is told about; empty for all of them.
    type: str
    default: ""
  since:
    description: Beginning of what is told, in ISO 8601 (UTC without a zone) or as a duration ago such as V(2h).
    type: str
    default: ""
  to:
    description: End of that time; empty for now.
    type: str
    default: ""
  replay:
    description: Decide every entry of the log again from its inputs and compare.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Why is Germany where it is?
  llm_verifier.multi_region.routing_explain:
    instance: "{{ local_instance }}"
    edges: "{{ groups['edge'] }}"
    country: DE
"""

RETURN = r"""
text:
  description: The explanation.
  returned: success
  type: str
data:
  description: The same as data, one item per question.
  returned: success
  type: list
  elements: dict
log:
  description: Whether the log is whole.
  returned: success
  type: dict
  contains:
    whole: {description: Whether every line follows the one before., type: bool, returned: always}
    lines: {description: Lines that are kept., type: int, returned: always}
    head: {description: Hash of the last line., type: str, returned: always}
    replayed: {description: Entries that were decided again., type: int, returned: always}
    problems: {description: Where the chain is broken., type: list, returned: always}
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.remote import Remote, RemoteError, moment
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "instance": INSTANCE,
            "edges": {"type": "list", "elements": "str", "required": True},
            "country": {"type": "str", "default": ""},
            "region": {"type": "str", "default": ""},
            "since": {"type": "str", "default": ""},
            "to": {"type": "str", "default": ""},
            "replay": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params, now = module.params, time.time()
    try:
        asked = {
            "country": params["country"],
            "region": params["region"],
            "history": bool(params["since"] or params["to"]),
            "since": moment(params["since"], now, 0.0),
            "until": moment(params["to"], now, now),
        }
        remote = Remote(Instance.from_dict(params["instance"]), params["edges"])
        told = remote.ask_any("explain", asked)
        log = remote.ask(told["edge"], "verify-log", {"replay": params["replay"]})
    except (RemoteError, LocalError) as error:
        module.fail_json(msg=str(error))
    if not log["whole"]:
        module.warn(f"the decision log of {told['edge']} is not whole: {'; '.join(log['problems'])}")
    module.exit_json(changed=False, text=told["text"], data=told["data"], log=log)


if __name__ == "__main__":
    main()
