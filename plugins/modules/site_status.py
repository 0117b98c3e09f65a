#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_status
short_description: Say what every node does and what the front door answers now
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Lists the nodes of an instance with their faults and services that are down, and asks the front door once from
    every client that runs. Changes nothing and never fails because something is down.
extends_documentation_fragment:
  - llm_verifier.multi_region.instance
  - llm_verifier.multi_region.routing
  - llm_verifier.multi_region.routing.policy
attributes:
  check_mode:
    description: Does the same.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  nodes:
    description: The nodes, in the order in which they are listed.
    type: list
    elements: str
    required: true
  clients:
    description: Client nodes and the country of each.
    type: dict
    default: {}
  ca_file:
    description: Root certificates that the service's certificate is verified by.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Status
  llm_verifier.multi_region.site_status:
    instance: "{{ local_instance }}"
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    nodes: "{{ groups['local_nodes'] }}"
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
"""

RETURN = r"""
nodes:
  description: The state of every node.
  returned: success
  type: dict
answers:
  description: What every geography was answered.
  returned: success
  type: list
  elements: dict
text:
  description: The same for people.
  returned: success
  type: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import status
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.questions import ask, decided
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.report import questions

ARGUMENTS: dict[str, Any] = {
    "instance": INSTANCE,
    "policy": {"type": "dict", "required": True},
    "site": {"type": "dict", "required": True},
    "nodes": {"type": "list", "elements": "str", "required": True},
    "clients": {"type": "dict", "default": {}},
    "ca_file": {"type": "path", "required": True},
}


def look(params: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The state of the nodes, and each client's geography with the answer it got."""
    instance, policy = Instance.from_dict(params["instance"]), Policy.from_dict(params["policy"])
    nodes = status.survey(instance, params["nodes"])
    regions = [Region.from_dict(region) for region in params["site"]["regions"]]
    roots = Path(params["ca_file"])
    admissions = decided(instance, (edge.name for edge in Site.from_dict(params["site"]).edges), policy.domain)
    rows = []
    for row in questions(policy, regions, params["clients"], admissions) if roots.exists() else []:
        answer = ask(instance, row["client"], f"api.{policy.domain}", policy.health.path, roots.read_text())
        rows.append({**row, "answer": answer.as_dict()})
    return nodes, rows


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        nodes, rows = look(module.params)
    except (LocalError, RoutingError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"the site could not be looked at: {error}")
    module.exit_json(changed=False, nodes=nodes, answers=rows, text=status.text(nodes, rows))


if __name__ == "__main__":
    main()
