#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_drill
short_description: Make a fault under load on the local provider and report what clients saw
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Sends requests at a constant rate from a client, makes a fault, takes it away and works out failed requests,
    the time until it was detected, decided, until the answers changed and until the target served again, and latencies.
  - Compares what the engine did, by its decision log, with what must come of the drill, and the time with the budget.
    An eviction of a region that the fault didn't hit is false, whatever the log says of it.
  - While it runs, the agents' way back (the policy's C(failback)) is one of seconds, so that a drill shows all of it;
    the site's own policy is put back at the end.
  - The report is kept as text, JSON and picture, and shown on the status page.
  - Half of the requests are GETs, half are POSTs with an Idempotency-Key; plain POSTs are counted apart.
  - The client does what a good client does. It follows the time to live of DNS answers, keeps connections, gives an
    address 300 ms to connect and tries idempotent requests again on the other address.
  - The fault is taken away whatever happens; then it waits up to 90 s until every region is admitted wholly again.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Does nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  tree:
    description: The shared Debian tree.
    type: path
    required: true
  client:
    description: The node that sends the load.
    type: str
    required: true
  watcher:
    description: The node that asks the name servers and the edges' metrics.
    type: str
    required: true
  scenario:
    description:
      - The drill's name. What it does and what must come of it is in C(plugins/module_utils/drill/scenarios.py).
    type: str
    default: down
  target:
    description: The node that fails. By default the drill's own.
    type: str
  regions:
    description: All regions.
    type: list
    elements: str
    required: true
  domain:
    description: The service's domain; requests go to C(api.) below it.
    type: str
    required: true
  edges:
    description: Name and address of every edge.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The edge's node.
        type: str
        required: true
      address:
        description: Its public address.
        type: str
        required: true
  ca_file:
    description: Root certificates that the service's certificate is verified by.
    type: path
    required: true
  rate:
    description: Idempotent requests a second. By default the drill's own.
    type: float
  plain_rate:
    description: Plain POSTs a second, besides.
    type: float
    default: 10
  before:
    description: Seconds before the fault.
    type: float
    default: 8
  during:
    description: Seconds of the fault. By default the drill's own.
    type: float
  after:
    description: Seconds after it. By default the drill's own.
    type: float
  report_dir:
    description: Folder for the report as text, JSON and picture.
    type: path
    required: true
  progress_file:
    description: File that takes a line for each step.
    type: path
"""

EXAMPLES = r"""
- name: Kill a region under load
  llm_verifier.multi_region.local_drill:
    instance: "{{ local_instance }}"
    tree: "{{ local_tree }}"
    client: client-eu
    watcher: client-other
    scenario: down
    target: eu-west-1
    regions: [us-east-1, us-west-2, eu-west-1, ap-southeast-1]
    domain: llm-verifier.com
    edges:
      - name: edge-1
        address: 10.77.201.10
      - name: edge-2
        address: 10.77.202.10
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
    report_dir: "{{ local_state_dir }}/drills"
"""

RETURN = r"""
report:
  description: The figures; times in seconds. C(wrong) is what came otherwise than expected, C(late) what took too long.
  returned: not in check mode
  type: dict
text:
  description: The same for people.
  returned: not in check mode
  type: str
paths:
  description: Where text, JSON and picture are.
  returned: not in check mode
  type: dict
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.run import Plan, carry_out, keep
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import scenario
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError

ARGUMENTS = {
    "instance": INSTANCE,
    "tree": {"type": "path", "required": True},
    "client": {"type": "str", "required": True},
    "watcher": {"type": "str", "required": True},
    "scenario": {"type": "str", "default": "down"},
    "target": {"type": "str"},
    "regions": {"type": "list", "elements": "str", "required": True},
    "domain": {"type": "str", "required": True},
    "edges": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}},
    },
    "ca_file": {"type": "path", "required": True},
    "rate": {"type": "float"},
    "plain_rate": {"type": "float", "default": 10},
    "before": {"type": "float", "default": 8},
    "during": {"type": "float"},
    "after": {"type": "float"},
    "report_dir": {"type": "path", "required": True},
    "progress_file": {"type": "path"},
}
OWN = ("target", "rate", "during", "after")


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        chosen = scenario(params["scenario"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    own = {key: getattr(chosen, key) if params[key] is None else params[key] for key in OWN}
    if module.check_mode:
        module.exit_json(changed=False, msg=f"would do this under load: {own['target']}, {chosen.title}")
    plan = Plan(
        name=params["scenario"], regions=tuple(params["regions"]),
        edges=tuple((edge["name"], edge["address"]) for edge in params["edges"]),
        ca_file=Path(params["ca_file"]),
        **own, **{key: params[key] for key in ("client", "watcher", "domain", "plain_rate", "before")},
    )
    try:
        instance = Instance.from_dict(params["instance"])
        found = carry_out(instance, params["tree"], plan, params["progress_file"])
        paths = keep(instance, plan, Path(params["report_dir"]), found, time.strftime("%Y%m%dT%H%M%S"))
    except (LocalError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"the drill could not be carried out: {error}")
    module.exit_json(changed=True, report=found.as_dict(), text=found.text(), paths=paths)


if __name__ == "__main__":
    main()
