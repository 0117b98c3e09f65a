#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_host
short_description: Check that this machine can hold nodes, and raise its limits
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Looks for everything that nodes need of the machine and reports all that is missing at once,
    each with the command that mends it.
  - Raises kernel limits that are too low and remembers what they were, so that they can be put back.
  - Makes the state folder, marked as the instance's and for root alone. A folder that holds anything else is refused.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Checks, and reports the limits that would be raised.
    support: full
  diff_mode:
    description: Shows the limits before and after.
    support: full
options:
  minimum_memory_mib:
    description: Memory that the kernel must tell of, in MiB. A machine of 8 GiB tells of up to some 500 MiB less.
    type: int
    default: 7600
  minimum_disk_mib:
    description: Free disk that is needed while the cache is empty, in MiB. With a filled cache a quarter of it.
    type: int
    default: 25600
  providers:
    description: Providers of the selected regions, whose commands must be on the path.
    type: list
    elements: str
    default: []
  builds_image:
    description: Whether an image is built with what the path has, buildah or docker 20.10 with buildx.
    type: bool
    default: false
  prepare:
    description: Whether to make the state folder and to raise limits, too; else the machine is only checked.
    type: bool
    default: true
  sysctls:
    description: Kernel limits, with slashes, and their least values.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Check the machine
  llm_verifier.multi_region.local_host:
    instance: "{{ local_instance }}"
    sysctls:
      fs/inotify/max_user_instances: 1024
"""

RETURN = r"""
sysctls:
  description: The limits that were (in check mode would be) changed, and their new values.
  returned: success
  type: dict
  sample: {fs/inotify/max_user_instances: 1024}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.host import (
    MEMORY_MIB,
    missing,
    raise_limits,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.state import claim
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tools import (
    missing_image_tools,
    missing_tools,
)


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "instance": INSTANCE,
            "minimum_memory_mib": {"type": "int", "default": MEMORY_MIB},
            "minimum_disk_mib": {"type": "int", "default": 25600},
            "providers": {"type": "list", "elements": "str", "default": []},
            "builds_image": {"type": "bool", "default": False},
            "prepare": {"type": "bool", "default": True},
            "sysctls": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        instance = Instance.from_dict(params["instance"])
        found = missing(instance, params["minimum_memory_mib"], params["minimum_disk_mib"])
        found += missing_tools(params["providers"])
        found += missing_image_tools() if params["builds_image"] else []
        if found:
            module.fail_json(msg="This machine lacks what the run needs:\n" + "\n".join(f"- {line}" for line in found))
        if not params["prepare"]:
            module.exit_json(changed=False, sysctls={})
        claimed = claim(instance, check=module.check_mode)
        wanted = {key: int(value) for key, value in params["sysctls"].items()}
        changes = raise_limits(instance, wanted, check=module.check_mode)
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    before = "".join(f"{key} = {old}\n" for key, (old, _new) in changes.items())
    after = "".join(f"{key} = {new}\n" for key, (_old, new) in changes.items())
    module.exit_json(
        changed=bool(changes) or claimed, sysctls={key: new for key, (_old, new) in changes.items()},
        diff={"before": before, "after": after, "before_header": "this machine", "after_header": "this machine"},
    )


if __name__ == "__main__":
    main()
