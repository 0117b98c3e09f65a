#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin a deployment's run record and write a region's outcome into it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deploy_run
short_description: Begin a deployment's run record and write a region's outcome into it
version_added: 0.1.0
description:
  - A run over regions keeps one JSON file with an outcome per region, written whole under a lock after each.
    M(llm_verifier.multi_region.deploy_verdict) decides from it.
  - A region that was begun and has no outcome tells that the process died; the next run names it.
author:
  - LLM Verifier DevOps (@llm-verifier)
options:
  runs_dir:
    description: Folder of the run records, made (0700) where it isn't there.
    type: path
    required: true
  state:
    description: V(begun) makes a record, the others write the outcome of O(region).
    type: str
    choices: [begun, passed, failed, rolled_back]
    required: true
  run_id:
    description: The run, as V(begun) returned it. Needed by every other state.
    type: str
    default: ''
  image:
    description: The image that is deployed.
    type: str
    default: ''
  primary:
    description: The primary region. It decides on the others when it is one of O(regions).
    type: str
    default: ''
  regions:
    description: All regions of the run.
    type: list
    elements: str
    default: []
  alive:
    description: Those of them that no earlier stage failed for.
    type: list
    elements: str
    default: []
  region:
    description: The region whose outcome it is.
    type: str
    default: ''
  reason:
    description: Why it failed.
    type: str
    default: ''
  seconds:
    description: How long its gate took.
    type: float
  keep:
    description: How many records are kept.
    type: int
    default: 50
attributes:
  check_mode:
    support: full
    description:
      - Writes no record; the run is called V(check). As no verdict can read it then, O(state=failed) fails at once.
  diff_mode:
    support: none
    description: The record is of the run itself.
  idempotent:
    support: none
    description: Every run is another one; it never counts as a change.
"""

EXAMPLES = r"""
- name: Begin a run
  llm_verifier.multi_region.deploy_run:
    runs_dir: /var/lib/llm-verifier/llmv/runs
    state: begun
    image: registry.example.com/llm-verifier@sha256:6b0f1a8e3c1c1d7b7f4bb5f5a5c0a2f0f5d9d3e8f7a6b5c4d3e2f1a0b9c8d7e6
    primary: us-east-1
    regions: [us-east-1, us-west-2]
    alive: [us-east-1, us-west-2]
  register: run

- name: Note a region's outcome
  llm_verifier.multi_region.deploy_run:
    runs_dir: /var/lib/llm-verifier/llmv/runs
    run_id: "{{ run.id }}"
    state: passed
    region: us-east-1
"""

RETURN = r"""
id:
  description: The run.
  returned: always
  type: str
  sample: deploy-20260901T120000-1a2b3c
interrupted:
  description: Regions that the run before left without an outcome.
  returned: when O(state=begun)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs import store

ARGUMENT_SPEC = {
    "runs_dir": {"type": "path", "required": True},
    "state": {"type": "str", "required": True, "choices": ["begun", "passed", "failed", "rolled_back"]},
    "run_id": {"type": "str", "default": ""},
    "image": {"type": "str", "default": ""},
    "primary": {"type": "str", "default": ""},
    "regions": {"type": "list", "elements": "str", "default": []},
    "alive": {"type": "list", "elements": "str", "default": []},
    "region": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
    "seconds": {"type": "float"},
    "keep": {"type": "int", "default": 50},
}


def main() -> None:
    """Write and report; a dry run has the id `check` and no file, so a failure of its plan is told here."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    if module.check_mode:
        if given["state"] == "failed":
            module.fail_json(msg=f"{given['region']}: deploy: the plan fails: {given['reason']}")
        module.exit_json(changed=False, id="check", interrupted=[])
    try:
        if given["state"] == "begun":
            record, left = store.begin(
                given["runs_dir"], given["image"], given["primary"], given["regions"], given["alive"], given["keep"]
            )
            if left:
                module.warn(f"the run before ended without an outcome for {', '.join(left)}: this one resumes it")
            module.exit_json(changed=False, id=record["id"], interrupted=left)
        outcome = {name: given[name] for name in ("state", "image", "seconds")} | {"message": given["reason"]}
        store.note(given["runs_dir"], given["run_id"], given["region"], outcome)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{given['region'] or 'deploy'}: the run record can't be written: {error}")
    module.exit_json(changed=False, id=given["run_id"])


if __name__ == "__main__":
    main()
