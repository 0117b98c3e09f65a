#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply all objects of a region in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: region_apply
short_description: Apply all objects of a region in one task
version_added: 0.1.0
description:
  - Server-side applies a list of Kubernetes objects in the order they depend on each other, as field manager
    C(llm-verifier), labels them with their owner, and takes away what the same owner applied before and doesn't
    name now.
  - Waits for nothing; M(llm_verifier.multi_region.region_gate) does.
  - All errors are reported at once. One object's error doesn't keep the others from being applied, but nothing is
    pruned after one.
  - A workload with the annotation C(llm-verifier.com/roll-on), a list like C(Secret/name,ConfigMap/name), gets a keyed
    digest of their contents into its pod template, so that its pods are replaced when one changes.
author:
  - LLM Verifier DevOps (@llm-verifier)
requirements:
  - kubernetes (Python)
options:
  stage:
    description: The stage's name, for messages.
    type: str
    default: apply
  owner:
    description: Who owns the objects, the value of the label C(llm-verifier.com/owner). One a stage.
    type: str
    required: true
  objects:
    description: The objects. Secrets come without their values, see O(secret_values).
    type: list
    elements: dict
    default: []
  ensure_namespaces:
    description: Namespaces made before all else when they don't exist; existing ones are left as they are.
    type: list
    elements: str
    default: []
  secret_values:
    description: Values of Secrets by C(namespace/name), then by key. Empty ones count as not given.
    type: dict
    default: {}
  secret_environment:
    description: Names of environment variables by C(namespace/name), then by key, for keys with no value given.
    type: dict
    default: {}
  secret_files:
    description:
      - Paths of files by C(namespace/name), then by key, for keys given neither as value nor in the environment.
      - C(path#key) takes one key of a JSON file. A file that doesn't exist counts as not given.
    type: dict
    default: {}
  secret_required:
    description: Lists of keys by C(namespace/name) that must come from somewhere.
    type: dict
    default: {}
  load_balancer_address:
    description:
      - Address that every LoadBalancer Service among the objects gets into its status where it differs.
      - For regions where nobody else hands out addresses. Empty leaves the status alone.
    type: str
    default: ''
  load_balancer_addresses:
    description:
      - Lists of addresses by C(namespace/name) of Services whose addresses are served outside the region.
    type: dict
    default: {}
  prune:
    description: Whether to take away what this owner applied before and doesn't name now.
    type: bool
    default: true
  prune_kinds:
    description:
      - Kinds, as C(apps/v1/Deployment), that are looked through besides those among the objects.
      - Namespaces, custom resource definitions and volumes are never pruned.
      - The usual kinds of namespaces, RBAC and admission when not given.
    type: list
    elements: str
  prune_namespaces:
    description:
      - Namespaces that are looked through, for an identity that may list nothing outside them. Cluster-wide kinds must
        then not be among O(prune_kinds). All when empty.
    type: list
    elements: str
    default: []
  optional_kinds:
    description: Kinds, as in O(prune_kinds), whose objects are left out where the region doesn't know the kind.
    type: list
    elements: str
    default: []
  force_conflicts:
    description: Whether to take over fields that another manager set to something else.
    type: bool
    default: false
  release:
    description:
      - A ConfigMap, as C(namespace/name), in which M(llm_verifier.multi_region.region_release) keeps the last good
        objects.
      - RV(released) says whether the objects are those.
    type: str
    default: ''
  rollback:
    description: Apply what O(release) holds instead of O(objects).
    type: bool
    default: false
  timeout:
    description: Seconds for one request to the API.
    type: int
    default: 15
  deadline:
    description: Seconds for all of them together.
    type: int
    default: 180
extends_documentation_fragment: [llm_verifier.multi_region.region]
attributes:
  check_mode:
    support: full
    description:
      - The server judges every object in a dry run.
      - Where no API answers, the result says what would be made and RV(reachable) is false.
  diff_mode:
    support: full
    description: One diff an object; of Secrets only digests that mean nothing outside the run.
  idempotent:
    support: full
    description: A second run changes nothing.
"""

EXAMPLES = r"""
- name: Apply a region's objects
  llm_verifier.multi_region.region_apply:
    kubeconfig: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    region: us-east-1
    owner: regional_deploy
    load_balancer_address: 10.77.1.10
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: llm-verifier-config, namespace: llm-verifier}
        data: {LOG_HEALTH: "0"}

- name: Apply a Secret whose values come from the environment, or else from a file
  llm_verifier.multi_region.region_apply:
    kubeconfig: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1
    owner: secrets
    ensure_namespaces: [llm-verifier]
    objects:
      - apiVersion: v1
        kind: Secret
        metadata: {name: llm-verifier-secrets, namespace: llm-verifier}
    secret_environment:
      llm-verifier/llm-verifier-secrets: {jwt-secret: JWT_SECRET}
    secret_files:
      llm-verifier/llm-verifier-secrets: {jwt-secret: /var/lib/llm-verifier/llmv/secrets/jwt-ring.json#current}
"""

RETURN = r"""
created:
  description: Objects that were or would be made.
  returned: always
  type: list
  elements: str
  sample: [ConfigMap llm-verifier/llm-verifier-config]
updated:
  description: Objects that were or would be changed.
  returned: always
  type: list
  elements: str
pruned:
  description: Objects that were or would be taken away.
  returned: always
  type: list
  elements: str
left_out:
  description: Objects of O(optional_kinds) that the region doesn't know.
  returned: always
  type: list
  elements: str
errors:
  description: Every error.
  returned: always
  type: list
  elements: str
reachable:
  description: Whether the region's API answered.
  returned: always
  type: bool
released:
  description: Whether the objects are those of the last good release; false where O(release) isn't given.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.stage import apply_stage

ARGUMENT_SPEC = {
    "kubeconfig": {"type": "path", "required": True},
    "context": {"type": "str"},
    "region": {"type": "str", "default": ""},
    "stage": {"type": "str", "default": "apply"},
    "owner": {"type": "str", "required": True},
    "objects": {"type": "list", "elements": "dict", "default": []},
    "ensure_namespaces": {"type": "list", "elements": "str", "default": []},
    "secret_values": {"type": "dict", "default": {}, "no_log": True},
    "secret_environment": {"type": "dict", "default": {}, "no_log": False},
    "secret_files": {"type": "dict", "default": {}, "no_log": False},
    "secret_required": {"type": "dict", "default": {}, "no_log": False},
    "load_balancer_address": {"type": "str", "default": ""},
    "load_balancer_addresses": {"type": "dict", "default": {}},
    "prune": {"type": "bool", "default": True},
    "prune_kinds": {"type": "list", "elements": "str"},
    "prune_namespaces": {"type": "list", "elements": "str", "default": []},
    "optional_kinds": {"type": "list", "elements": "str", "default": []},
    "force_conflicts": {"type": "bool", "default": False},
    "release": {"type": "str", "default": ""},
    "rollback": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 15},
    "deadline": {"type": "int", "default": 180},
}


def main() -> None:
    """Apply and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    result = apply_stage(module.params, check_mode=module.check_mode, hide=module.no_log_values.update)
    if not module._diff:
        del result["diff"]
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
