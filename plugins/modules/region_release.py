#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a region's objects as its last good release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: region_release
short_description: Keep a region's objects as its last good release
version_added: 0.1.0
description:
  - Writes the objects of a region that passed its gate into a ConfigMap of that region, where a later run finds what to
    return to, whichever machine it runs on. The objects hold no values of Secrets.
author:
  - LLM Verifier DevOps (@llm-verifier)
requirements:
  - kubernetes (Python)
options:
  name:
    description: The ConfigMap, as C(namespace/name).
    type: str
    required: true
  objects:
    description: The objects that M(llm_verifier.multi_region.region_apply) applied.
    type: list
    elements: dict
    required: true
  timeout:
    description: Seconds for one request to the API.
    type: int
    default: 15
extends_documentation_fragment: [llm_verifier.multi_region.region]
attributes:
  check_mode:
    support: full
    description: The server judges it in a dry run.
  diff_mode:
    support: none
    description: The objects' own diff is shown where they are applied.
  idempotent:
    support: full
    description: A second run changes nothing.
"""

EXAMPLES = r"""
- name: Keep the objects as the last good release
  llm_verifier.multi_region.region_release:
    kubeconfig: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    name: llm-verifier/llm-verifier-release
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: llm-verifier-config, namespace: llm-verifier}
"""

RETURN = r"""
digest:
  description: What tells these objects from others.
  returned: always
  type: str
  sample: 1d0c6d0a6a5e0b8c9f3d2e1a7b6c5d4e
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.stage import (
    apply_stage,
    release_digest,
    release_object,
)

ARGUMENT_SPEC = {
    "kubeconfig": {"type": "path", "required": True},
    "context": {"type": "str"},
    "region": {"type": "str", "default": ""},
    "name": {"type": "str", "required": True},
    "objects": {"type": "list", "elements": "dict", "required": True},
    "timeout": {"type": "int", "default": 15},
}


def main() -> None:
    """Write the ConfigMap and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    kept = release_object(params["name"], params["objects"])
    given = {name: params[name] for name in ("kubeconfig", "context", "region", "timeout")}
    wish = {**NO_OPTIONS, **given, "objects": [kept]}
    result = apply_stage(wish, check_mode=module.check_mode)
    answer = {"changed": result["changed"], "msg": result["msg"], "digest": release_digest(params["objects"])}
    if result["failed"]:
        module.fail_json(**answer)
    module.exit_json(**answer)


NO_OPTIONS = {
    "stage": "release", "owner": "release", "ensure_namespaces": [], "secret_values": {}, "secret_environment": {},
    "secret_files": {}, "secret_required": {}, "load_balancer_address": "", "load_balancer_addresses": {},
    "prune": False, "prune_kinds": [], "prune_namespaces": [], "optional_kinds": [], "force_conflicts": True,
    "release": "", "deadline": 60, "rollback": False,
}  # fmt: skip


if __name__ == "__main__":
    main()
