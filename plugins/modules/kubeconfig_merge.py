#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kubeconfig_merge
short_description: Merge the regions' kubeconfigs into one
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Writes one kubeconfig (mode 0600) with a context for every region that has one, and for each of its aliases.
attributes:
  check_mode:
    description: Reports whether the file would change.
    support: full
  diff_mode:
    description: A kubeconfig holds keys and is not shown.
    support: none
options:
  path:
    description: The file to write.
    type: path
    required: true
  regions:
    description: The regions' kubeconfigs by the region's name.
    type: dict
    required: true
  aliases:
    description: Further names of a region's context by the region's name.
    type: dict
    default: {}
  current:
    description: The region of the current context.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Merge the kubeconfigs
  llm_verifier.multi_region.kubeconfig_merge:
    path: /var/lib/llm-verifier/llmv/kubeconfig
    regions:
      us-east-1: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    current: us-east-1
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /var/lib/llm-verifier/llmv/kubeconfig
missing:
  description: Regions whose kubeconfig is not there.
  returned: success
  type: list
  elements: str
  sample: []
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.kubeconfig import merge

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "regions": {"type": "dict", "required": True},
            "aliases": {"type": "dict", "default": {}},
            "current": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params, target = module.params, Path(module.params["path"])
    there = {name: Path(path) for name, path in params["regions"].items() if Path(path).exists()}
    try:
        configs = {name: yaml.safe_load(path.read_text()) for name, path in there.items()}
        text = yaml.safe_dump(merge(configs, params["aliases"], params["current"]), sort_keys=False)
    except (OSError, ValueError, yaml.YAMLError) as error:
        module.fail_json(msg=str(error))
    changed = not target.exists() or target.read_text() != text or bool(target.stat().st_mode & 0o077)
    if changed and not module.check_mode:
        write_atomically(target, text, 0o600)
    module.exit_json(changed=changed, path=str(target), missing=sorted(set(params["regions"]) - set(there)))


if __name__ == "__main__":
    main()
