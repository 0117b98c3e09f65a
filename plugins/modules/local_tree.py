#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_tree
short_description: Build the Debian tree that all nodes share
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Builds a Debian tree with mmdebstrap into the cache, once for a suite and a list of packages,
    and points a link at it. Nothing is installed on the host.
attributes:
  check_mode:
    description: Reports what would be built and writes nothing.
    support: full
  diff_mode:
    description: There is nothing to show but the link.
    support: none
options:
  cache_dir:
    description: Folder of what is built once.
    type: path
    required: true
  link:
    description: Symbolic link that points at the tree.
    type: path
    required: true
  suite:
    description: Debian's release.
    type: str
    default: bookworm
  packages:
    description: Packages besides the essential ones.
    type: list
    elements: str
    required: true
  progress_file:
    description: File that gets a line for each step.
    type: path
"""

EXAMPLES = r"""
- name: Build the tree of the nodes
  llm_verifier.multi_region.local_tree:
    cache_dir: /var/cache/llm-verifier
    link: /var/lib/llm-verifier/llmv/tree
    packages: [containerd, runc, runit]
"""

RETURN = r"""
path:
  description: The tree in the cache.
  returned: success
  type: str
  sample: /var/cache/llm-verifier/tree/0a1b2c3d4e5f6071
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tree import build_tree, point, tree_path


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "cache_dir": {"type": "path", "required": True},
            "link": {"type": "path", "required": True},
            "suite": {"type": "str", "default": "bookworm"},
            "packages": {"type": "list", "elements": "str", "required": True},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params = module.params
    path, link = tree_path(Path(params["cache_dir"]), params["suite"], params["packages"]), Path(params["link"])
    changed = not path.is_dir()
    try:
        if not module.check_mode:
            if changed:
                build_tree(path, params["suite"], params["packages"], params["progress_file"])
            changed |= point(link, path)
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed or link.resolve() != path, path=str(path))


if __name__ == "__main__":
    main()
