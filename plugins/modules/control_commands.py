#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: control_commands
short_description: Look for the commands that regions in clouds need
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Looks on the path of the control host for the commands that the providers of the selected regions need, and reports
    all that are missing or too old at once, each with what mends it.
  - For a control host that runs no nodes; M(llm_verifier.multi_region.local_host) looks for the same and for more.
attributes:
  check_mode:
    description: It never changes anything.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  providers:
    description: Providers of the selected regions.
    type: list
    elements: str
    default: []
  builds_image:
    description: Whether an image is built with what the path has, buildah or docker 20.10 with buildx.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look for the commands that AWS needs
  llm_verifier.multi_region.control_commands:
    providers: [aws]
"""

RETURN = r"""
# It fails, or says nothing.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tools import (
    missing_image_tools,
    missing_tools,
)


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "providers": {"type": "list", "elements": "str", "default": []},
            "builds_image": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    found = missing_tools(module.params["providers"])
    found += missing_image_tools() if module.params["builds_image"] else []
    if found:
        module.fail_json(msg="This machine lacks what the run needs:\n" + "\n".join(f"- {line}" for line in found))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
