#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: gdnsd_challenge
short_description: Publish ACME DNS-01 answers on every name server
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Gives each name server the answers at once; they vanish by themselves after gdnsd's C(acme_challenge_ttl).
  - Always changes something when it isn't check mode, since an answer's time begins anew.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Publishes nothing.
    support: full
  diff_mode:
    description: Answers are short-lived and not shown.
    support: none
options:
  name_servers:
    description: Nodes with a name server. At least one must take the answers.
    type: list
    elements: str
    required: true
  records:
    description: Record name, C(_acme-challenge.) and a domain, to its values, as the ACME modules return them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Publish the challenges
  llm_verifier.multi_region.gdnsd_challenge:
    instance: "{{ local_instance }}"
    name_servers: "{{ groups['edge'] }}"
    records: "{{ order.challenge_data_dns }}"
"""

RETURN = r"""
published:
  description: The name servers that took the answers.
  returned: success
  type: list
  elements: str
  sample: [edge-1, edge-2]
failed_name_servers:
  description: The others, with the reason.
  returned: success
  type: dict
  sample: {}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd.challenge import command


def publish(params: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Tell every name server; returns those that took the answers and the others' reasons."""
    instance, argv = Instance.from_dict(params["instance"]), command(params["records"])
    published, failed = [], {}
    for name in params["name_servers"]:
        try:
            Node(instance, name).run(argv)
            published.append(name)
        except LocalError as error:
            failed[name] = str(error)
    return published, failed


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "instance": INSTANCE,
            "name_servers": {"type": "list", "elements": "str", "required": True},
            "records": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=True, published=[], failed_name_servers={})
    try:
        published, failed = publish(module.params)
    except (LocalError, ValueError) as error:
        module.fail_json(msg=str(error))
    if not published:
        module.fail_json(msg=f"No name server took the challenge: {failed}. Bring the edges up with: make site")
    module.exit_json(changed=True, published=published, failed_name_servers=failed)


if __name__ == "__main__":
    main()
