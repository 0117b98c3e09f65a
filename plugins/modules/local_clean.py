#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_clean
short_description: Remove an instance of the local provider
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Ends every process of the instance and removes its namespaces, links, control groups, kernel limits and files,
    whatever state it is in. The cache stays.
  - Touches nothing when the state folder isn't marked as this instance's, and fails when something stays behind.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Reports what is there and removes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Remove everything but the cache
  llm_verifier.multi_region.local_clean:
    instance: "{{ local_instance }}"
"""

RETURN = r"""
removed:
  description: What was (in check mode would be) removed.
  returned: success
  type: list
  elements: str
  sample: [node us-east-1, wide-area network, /var/lib/llm-verifier/llmv]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.clean import clean
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec={"instance": INSTANCE}, supports_check_mode=True)
    try:
        removed = clean(Instance.from_dict(module.params["instance"]), check=module.check_mode)
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
