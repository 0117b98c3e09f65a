#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every Secret of a region anew."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: secrets_rewrite
short_description: Write every Secret of a region anew, so that the key of now encrypts it
version_added: 0.1.0
description:
  - Replaces every Secret by itself. Its content stays; the API server stores it encrypted with the first key of its
    EncryptionConfiguration, and leaves alone what already is.
  - Values are read and written in memory and show nowhere.
author:
  - LLM Verifier DevOps (@llm-verifier)
requirements:
  - kubernetes (Python)
options:
  timeout:
    description: Seconds for one request to the API.
    type: int
    default: 15
extends_documentation_fragment: [llm_verifier.multi_region.region]
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: none
    description: Nothing of a Secret's content changes.
  idempotent:
    support: none
    description: Whether a Secret has to be encrypted anew is known to the API server alone.
"""

EXAMPLES = r"""
- name: Encrypt every Secret with the new key
  llm_verifier.multi_region.secrets_rewrite:
    kubeconfig: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    region: us-east-1
"""

RETURN = r"""
secrets:
  description: How many Secrets there are.
  returned: success
  type: int
  sample: 7
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.client import Cluster, KubeError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.rewrite import SECRET, rewrite_secrets

ARGUMENT_SPEC = {
    "kubeconfig": {"type": "path", "required": True},
    "context": {"type": "str"},
    "region": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 15},
}


def main() -> None:
    """Rewrite and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    try:
        cluster = Cluster(params["kubeconfig"], params["context"], params["timeout"])
        count = len(cluster.list(SECRET)) if module.check_mode else rewrite_secrets(cluster)
    except KubeError as error:
        module.fail_json(msg=f"{params['region'] or params['kubeconfig']}: rewrite secrets: {error}")
    module.exit_json(changed=count > 0, secrets=count)


if __name__ == "__main__":
    main()
