#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_report
short_description: Ask the front door from every client and report what the site is
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Asks the service from inside every client node, by its own resolver and over verified TLS, until each geography is
    served by a region that the policy names for it or the time is over.
  - Reports addresses, the time of each stage, the failover budget and the commands to look further,
    as text and as a file of JSON.
  - Fails when a geography is not served as the policy says.
extends_documentation_fragment:
  - llm_verifier.multi_region.instance
  - llm_verifier.multi_region.routing
  - llm_verifier.multi_region.routing.policy
attributes:
  check_mode:
    description: Asks nobody and writes nothing; the report is about the inventory alone.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  clients:
    description: Client nodes and the country of each.
    type: dict
    required: true
  ca_file:
    description: Root certificates that the service's certificate is verified by.
    type: path
    required: true
  kubeconfig:
    description: The merged kubeconfig, for the commands to look further.
    type: path
    required: true
  kubectl:
    description: The program that those commands name.
    type: str
    default: kubectl
  dest:
    description: The JSON file.
    type: path
    required: true
  timeout:
    description: Seconds for all geographies to be served.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Report
  llm_verifier.multi_region.site_report:
    instance: "{{ local_instance }}"
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    clients:
      client-eu: IE
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
    kubeconfig: "{{ local_state_dir }}/kubeconfig"
    dest: "{{ local_state_dir }}/report.json"
"""

RETURN = r"""
report:
  description: Addresses, answers by geography, stages, budget, commands and problems.
  returned: always
  type: dict
text:
  description: The same for people.
  returned: always
  type: str
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import report as closing
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.questions import Answer, ask, decided

ARGUMENTS: dict[str, Any] = {
    "instance": INSTANCE,
    "policy": {"type": "dict", "required": True},
    "site": {"type": "dict", "required": True},
    "clients": {"type": "dict", "required": True},
    "ca_file": {"type": "path", "required": True},
    "kubeconfig": {"type": "path", "required": True},
    "kubectl": {"type": "str", "default": "kubectl"},
    "dest": {"type": "path", "required": True},
    "timeout": {"type": "int", "default": 60},
}


Rows = list[dict[str, Any]]
Admissions = dict[str, float]


def answers(
    decision: Callable[[], Admissions],
    wanted: Callable[[Admissions], Rows],
    answer: Callable[[str], Answer],
    timeout: int,
) -> tuple[Rows, Admissions]:
    """Ask from every client until all are served as decided; return the last answers and the decision behind them."""
    until = time.monotonic() + timeout
    with ThreadPoolExecutor(max_workers=4) as pool:
        while True:
            admissions = decision()
            rows = wanted(admissions)
            for row, found in zip(rows, pool.map(answer, [row["client"] for row in rows])):
                row["answer"] = found.as_dict()
            if not closing.problems(rows) or time.monotonic() > until:
                return rows, admissions
            time.sleep(1)


def stage_times(path: Path) -> list[dict[str, Any]]:
    """The seconds of the stages so far, as the board left them; empty without a board."""
    try:
        return list(json.loads(path.read_text()))
    except (OSError, ValueError):
        return []


def make_report(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Ask, put everything together and write the file."""
    instance = Instance.from_dict(params["instance"])
    policy, site = Policy.from_dict(params["policy"]), Site.from_dict(params["site"])
    regions = [Region.from_dict(region) for region in params["site"]["regions"]]
    edges = [edge.name for edge in site.edges]

    def decision() -> Admissions:
        return decided(instance, edges, policy.domain)

    if params["clients"] and not check:
        roots = Path(params["ca_file"]).read_text()
        rows, admissions = answers(
            decision,
            lambda admissions: closing.questions(policy, regions, params["clients"], admissions),
            lambda client: ask(instance, client, f"api.{policy.domain}", policy.health.path, roots),
            params["timeout"],
        )
    else:
        rows, admissions = [], decision()
    places = {key: params[key] for key in ("ca_file", "kubeconfig", "kubectl")}
    times = stage_times(instance.state_dir / "progress" / "stages.json")
    report = closing.data(policy, site, regions, rows, times, places, admissions)
    if not check:
        write_atomically(Path(params["dest"]), json.dumps(report, indent=2) + "\n", 0o600)
    return report


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        report = make_report(module.params, module.check_mode)
    except (LocalError, RoutingError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"the site could not be asked: {error}")
    text = closing.text(report)
    if report["problems"]:
        module.fail_json(msg="the site does not answer as the policy says:\n" + "\n".join(report["problems"]),
                         text=text, next_command="make status")
    module.exit_json(changed=False, report=report, text=text)


if __name__ == "__main__":
    main()
