#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide from a run record whether a region may begin, and whether it ended well."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deploy_verdict
short_description: Decide from a run record whether a region may begin, and whether it ended well
version_added: 0.1.0
description:
  - The only place where a deployment over regions decides to go on. It reads the outcomes that
    M(llm_verifier.multi_region.deploy_run) wrote and nothing else; that a task was rescued counts for nothing.
  - No region begins after the primary region failed or more than O(max_failed_regions) did.
author:
  - LLM Verifier DevOps (@llm-verifier)
options:
  runs_dir:
    description: Folder of the run records.
    type: path
    required: true
  run_id:
    description: The run. V(latest) is the last one that began.
    type: str
    required: true
  region:
    description: The region that asks.
    type: str
    required: true
  at:
    description:
      - V(begin) answers in RV(go) whether the region's turn may begin, and notes in the record that it does.
      - V(end) fails for a region that didn't pass, and for every region of a run that was halted.
    type: str
    choices: [begin, end]
    required: true
  image:
    description: The image that the region begins with, for the record.
    type: str
    default: ''
  max_failed_regions:
    description: How many regions may fail, as a number, before no further one is touched.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: A run in check mode has no record and may always go on.
  diff_mode:
    support: none
    description: The record is of the run itself.
  idempotent:
    support: full
    description: Changes nothing but the run's own record.
"""

EXAMPLES = r"""
- name: Ask whether this region may begin
  llm_verifier.multi_region.deploy_verdict:
    runs_dir: /var/lib/llm-verifier/llmv/runs
    run_id: deploy-20260901T120000-1a2b3c
    region: us-west-2
    at: begin
    image: registry.example.com/llm-verifier@sha256:6b0f1a8e3c1c1d7b7f4bb5f5a5c0a2f0f5d9d3e8f7a6b5c4d3e2f1a0b9c8d7e6
    max_failed_regions: 1
"""

RETURN = r"""
go:
  description: Whether the region may go on.
  returned: always
  type: bool
reason:
  description: Why not.
  returned: when O(at=begin)
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs import record, store

ARGUMENT_SPEC = {
    "runs_dir": {"type": "path", "required": True},
    "run_id": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "at": {"type": "str", "required": True, "choices": ["begin", "end"]},
    "image": {"type": "str", "default": ""},
    "max_failed_regions": {"type": "int", "default": 0},
}


def main() -> None:
    """Decide and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    if module.check_mode:
        module.exit_json(changed=False, go=True, reason="")
    try:
        run_id = given["run_id"]
        if run_id == "latest":
            run_id = max((path.stem for path in Path(given["runs_dir"]).glob("deploy-*.json")), default="latest")
        held = store.load(given["runs_dir"], run_id)
        judge = record.may_begin if given["at"] == "begin" else record.closing
        decision = judge(held, given["region"], given["max_failed_regions"])
        if given["at"] == "begin" and decision.go:
            outcome = {"state": "started", "image": given["image"], "seconds": None, "message": ""}
            store.note(given["runs_dir"], run_id, given["region"], outcome)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{given['region']}: deploy: no verdict without the run record: {error}")
    if given["at"] == "end" and not decision.go:
        hint = f"Record: {store.path_of(given['runs_dir'], run_id)}. Mend it and run again: it resumes."
        module.fail_json(msg=f"deploy: {decision.reason}\n  {hint}", go=False)
    module.exit_json(changed=False, go=decision.go, reason=decision.reason)


if __name__ == "__main__":
    main()
