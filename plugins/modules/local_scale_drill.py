#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_scale_drill
short_description: Let the load of one region grow on the local provider and report how it scales
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Sends requests at a constant rate to one region's own address, then O(factor) times as many, then as many as before.
  - Works out when the autoscaler decided, when all pods were ready and nothing moved any more, when the 99th percentile
    kept its objective again, and when the region was as before.
  - First keeps one pod busy and measures what it gets, because replicas mean nothing where no limit of CPU holds.
  - Changes nothing by itself. C(playbooks/scale_drill.yml) limits the region's pods first and takes that back.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Does nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  client:
    description: The node that sends the load.
    type: str
    required: true
  region:
    description: The region.
    type: str
    required: true
  address:
    description: Its own address, which the load goes to.
    type: str
    required: true
  kubeconfig:
    description: Kubeconfig of its administrator.
    type: path
    required: true
  namespace:
    description: Namespace of the workload.
    type: str
    required: true
  name:
    description: The workload's Deployment.
    type: str
    required: true
  domain:
    description: The service's domain; requests are for C(api.) below it.
    type: str
    required: true
  ca_file:
    description: Root certificates that the service's certificate is verified by.
    type: path
    required: true
  rate:
    description: Requests a second, half of them GETs, half POSTs that verify.
    type: float
    required: true
  factor:
    description: So many times as many make it scale.
    type: float
    default: 3
  before:
    description: Seconds at first.
    type: float
    default: 60
  during:
    description: Seconds of more load.
    type: float
    default: 180
  after:
    description: Seconds, at most, until the region is as before.
    type: float
    default: 240
  objective_seconds:
    description: Objective of the 99th percentile.
    type: float
    required: true
  stable_seconds:
    description: Seconds within which it must have scaled and be stable.
    type: float
    default: 120
  cores:
    description: Limit of CPU of one pod.
    type: float
    required: true
  report_dir:
    description: Folder for the report as text and JSON.
    type: path
    required: true
  progress_file:
    description: File that takes a line for each step.
    type: path
"""

EXAMPLES = r"""
- name: See how a region scales
  llm_verifier.multi_region.local_scale_drill:
    instance: "{{ local_instance }}"
    client: client-eu
    region: us-west-2
    address: 10.77.2.10
    kubeconfig: "{{ local_state_dir }}/kubeconfigs/us-west-2"
    namespace: llm-verifier
    name: llm-verifier
    domain: llm-verifier.com
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
    rate: 20
    cores: 0.05
    objective_seconds: 2
    report_dir: "{{ local_state_dir }}/drills"
"""

RETURN = r"""
report:
  description: The figures; times in seconds. C(wrong) is what isn't as it must be.
  returned: not in check mode
  type: dict
text:
  description: The same for people.
  returned: not in check mode
  type: str
paths:
  description: Where text and JSON are.
  returned: not in check mode
  type: dict
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scale_run import Plan, carry_out, keep
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scaling import text
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.client import KubeError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError

TEXT = {"type": "str", "required": True}
PATH = {"type": "path", "required": True}
NUMBER = {"type": "float", "required": True}
ARGUMENTS = {
    "instance": INSTANCE, "client": TEXT, "region": TEXT, "address": TEXT, "kubeconfig": PATH, "namespace": TEXT,
    "name": TEXT, "domain": TEXT, "ca_file": PATH, "rate": NUMBER,
    "factor": {"type": "float", "default": 3}, "before": {"type": "float", "default": 60},
    "during": {"type": "float", "default": 180}, "after": {"type": "float", "default": 240},
    "objective_seconds": NUMBER, "stable_seconds": {"type": "float", "default": 120}, "cores": NUMBER,
    "report_dir": PATH, "progress_file": {"type": "path"},
}  # fmt: skip
ELSEWHERE = ("instance", "report_dir", "progress_file")


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    if module.check_mode:
        module.exit_json(changed=False, msg=f"would send {params['rate']:g} requests/s and more to {params['region']}")
    own = {key: value for key, value in params.items() if key not in ELSEWHERE}
    plan = Plan(**{**own, "ca_file": Path(own["ca_file"])})
    try:
        report = carry_out(Instance.from_dict(params["instance"]), plan, params["progress_file"])
        paths = keep(plan, Path(params["report_dir"]), report, time.strftime("%Y%m%dT%H%M%S"))
    except (LocalError, KubeError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"the drill could not be carried out: {error}")
    module.exit_json(changed=True, report=report.as_dict(), text=text(report), paths=paths)


if __name__ == "__main__":
    main()
