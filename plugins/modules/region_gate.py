#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a region and judge it by its own answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: region_gate
short_description: Wait for a region and judge it by its own answers
version_added: 0.1.0
description:
  - Waits until the rollouts of Deployments are complete, then asks the region's endpoint for a while and judges status,
    version and error ratio. A deadline always ends it.
  - Fails early on crash loops, on images that can't be pulled, on configuration that is missing, and on answers that
    stay bad.
  - A failure names region, stage, object, last events, last log lines and the next command.
author:
  - LLM Verifier DevOps (@llm-verifier)
requirements:
  - kubernetes (Python)
extends_documentation_fragment: [llm_verifier.multi_region.region]
options:
  stage:
    description: The stage's name, for messages.
    type: str
    default: gate
  deployments:
    description: Deployments, as C(namespace/name), whose rollout must be complete. The first one runs O(digest).
    type: list
    elements: str
    required: true
  digest:
    description: Digest, as C(sha256:...), of the image that the first Deployment must run. Empty for any.
    type: str
    default: ''
  endpoint:
    description: Address of the region's endpoint. Without one only the rollouts are waited for.
    type: str
    default: ''
  port:
    description: Its port.
    type: int
    default: 443
  tls:
    description: Whether to speak HTTPS.
    type: bool
    default: true
  host:
    description: Name that is asked for, in TLS and in the request. The endpoint itself when empty.
    type: str
    default: ''
  ca_file:
    description: Certificates of the authorities to trust. The system's when empty.
    type: path
    default: ''
  paths:
    description: Paths asked in turn.
    type: list
    elements: str
    default: [/api/health]
  headers:
    description: Answer headers and the values that they must have where they are sent.
    type: dict
    default: {}
  headers_required:
    description: Whether the O(headers) must be sent.
    type: bool
    default: false
  soak_seconds:
    description: How long the answers are watched. With 0, one good answer is enough.
    type: float
    default: 5
  interval_seconds:
    description: Pause between two questions.
    type: float
    default: 0.1
  minimum_sample:
    description: How many answers the soak time must have seen.
    type: int
    default: 20
  error_ratio:
    description: Ratio (0-1) of them that may be bad.
    type: float
    default: 0.05
  patience_seconds:
    description: How long answers may stay bad after the rollout.
    type: float
    default: 30
  stuck_seconds:
    description: How long an image or a configuration may be missing.
    type: float
    default: 20
  max_restarts:
    description: Restarts of one container that count as a crash loop.
    type: int
    default: 3
  deadline_seconds:
    description: When waiting ends in any case.
    type: float
    default: 180
  mask_secrets:
    description: Secrets, as C(namespace/name), whose values are taken out of log lines and events.
    type: list
    elements: str
    default: []
  progress_dir:
    description: Folder where a file named after the region says what is being waited for.
    type: path
    default: ''
attributes:
  check_mode:
    support: full
    description: One look without waiting; never fails.
  diff_mode:
    support: none
    description: Changes nothing.
  idempotent:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Wait for a region
  llm_verifier.multi_region.region_gate:
    kubeconfig: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    region: us-east-1
    deployments: [llm-verifier/llm-verifier, llm-verifier-gateway/llm-verifier-gateway]
    digest: sha256:6b0f1a8e3c1c1d7b7f4bb5f5a5c0a2f0f5d9d3e8f7a6b5c4d3e2f1a0b9c8d7e6
    endpoint: 10.77.1.10
    host: api.llm-verifier.com
    ca_file: /var/lib/llm-verifier/llmv/certificate/ca.crt
"""

RETURN = r"""
outcome:
  description: How it ended.
  returned: always
  type: str
  choices: [passed, failed, planned]
phase:
  description: What was looked at last.
  returned: always
  type: str
  choices: [rollout, answers]
seconds:
  description: How long it took.
  returned: always
  type: float
samples:
  description: How many answers were judged.
  returned: always
  type: int
error_ratio:
  description: Ratio (0-1) of all of them that were bad.
  returned: always
  type: float
slowest_seconds:
  description: The slowest answer.
  returned: always
  type: float
events:
  description: Last events about what failed.
  returned: always
  type: list
  elements: str
log:
  description: Last log lines of a container that crashed.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.gating import gate_stage

ARGUMENT_SPEC = {
    "kubeconfig": {"type": "path", "required": True},
    "context": {"type": "str"},
    "region": {"type": "str", "default": ""},
    "stage": {"type": "str", "default": "gate"},
    "deployments": {"type": "list", "elements": "str", "required": True},
    "digest": {"type": "str", "default": ""},
    "endpoint": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 443},
    "tls": {"type": "bool", "default": True},
    "host": {"type": "str", "default": ""},
    "ca_file": {"type": "path", "default": ""},
    "paths": {"type": "list", "elements": "str", "default": ["/api/health"]},
    "headers": {"type": "dict", "default": {}},
    "headers_required": {"type": "bool", "default": False},
    "soak_seconds": {"type": "float", "default": 5},
    "interval_seconds": {"type": "float", "default": 0.1},
    "minimum_sample": {"type": "int", "default": 20},
    "error_ratio": {"type": "float", "default": 0.05},
    "patience_seconds": {"type": "float", "default": 30},
    "stuck_seconds": {"type": "float", "default": 20},
    "max_restarts": {"type": "int", "default": 3},
    "deadline_seconds": {"type": "float", "default": 180},
    "mask_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "progress_dir": {"type": "path", "default": ""},
}


def main() -> None:
    """Wait and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    result = gate_stage(module.params, check_mode=module.check_mode)
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
