#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module routing_simulate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: routing_simulate
short_description: Compares what every back end would answer with the routing policy
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Compiles the routing policy for each back end, walks every country and every set of healthy regions and edges, and
    compares what the back end would answer, its documented traps included, with what the policy says.
  - Fails on every divergence that the policy doesn't waive by name in C(front_door.waivers), with a counter-example.
  - Asks no back end and needs no network. Above 12 regions the sets are a fixed sample.
extends_documentation_fragment: [llm_verifier.multi_region.routing, llm_verifier.multi_region.routing.policy]
options:
  backends:
    description: Back ends to compare; all by default.
    type: list
    elements: str
    choices:
      - haproxy
      - gdnsd
      - memory
      - route53
      - global_accelerator
      - cloud_dns
      - google_lb
      - traffic_manager
      - front_door
    default:
      - haproxy
      - gdnsd
      - memory
      - route53
      - global_accelerator
      - cloud_dns
      - google_lb
      - traffic_manager
      - front_door
  admissions:
    description: A decision to simulate, each region's admission as a ratio from 0 (evicted) to 1; 1 for the others.
    type: dict
    default: {}
  table_file:
    description: File to write the table to.
    type: path
  json_file:
    description: File to write the whole report to.
    type: path
  map_folder:
    description: Folder to write maps of the world to, one SVG a back end and situation. Other files in it stay.
    type: path
attributes:
  check_mode:
    description: Compares and fails alike, and writes no file.
    support: full
  diff_mode:
    description: Shows what changes in the files.
    support: full
"""

EXAMPLES = r"""
- name: Prove the policy for every back end
  llm_verifier.multi_region.routing_simulate:
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"

- name: See what Route 53 would answer while eu-west-1 is evicted
  llm_verifier.multi_region.routing_simulate:
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    backends: [route53]
    admissions: {eu-west-1: 0}
    json_file: /tmp/simulation.json
    map_folder: /tmp/maps
"""

RETURN = r"""
text:
  description: The table, then every divergence with a counter-example.
  returned: always
  type: str
divergences:
  description: Every kind of divergence a back end and geography; C(reason) is empty where it isn't waived.
  returned: always
  type: list
  elements: dict
  contains:
    backend: {description: Back end., type: str, returned: always}
    id: {description: Name for a waiver; its part before the slash means all geographies., type: str, returned: always}
    meaning: {description: What it is., type: str, returned: always}
    country: {description: Country of the counter-example's client., type: str, returned: always}
    up: {description: What is healthy in the counter-example., type: list, elements: str, returned: always}
    expected: {description: What the policy says., type: list, elements: str, returned: always}
    answered: {description: What the back end would answer., type: list, elements: str, returned: always}
    countries: {description: Countries that are concerned., type: list, elements: str, returned: always}
    sets: {description: In how many sets of what is up., type: int, returned: always}
    reason: {description: Why the policy waives it., type: str, returned: always}
files:
  description: Files that were written, or would be.
  returned: always
  type: list
  elements: str
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import FileChange
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.steering import BACKENDS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import simulation


def wanted(params: dict[str, Any]) -> tuple[dict[str, Any], dict[Path, str]]:
    """The result and the files that belong to it."""
    # Simulating needs no address, so a region may be simulated before it has one.
    known = [Region.from_dict(item) for item in params["site"]["regions"]]
    regions = [replace(region, endpoint=region.endpoint or f"{region.name}.invalid") for region in known]
    table = compile_table(Policy.from_dict(params["policy"]), regions, 1)
    admissions = {str(name): float(ratio) for name, ratio in params["admissions"].items()}
    report = compare(table, Site.from_dict(params["site"]), params["backends"], admissions)
    text, data, files = simulation.text(report), simulation.plain(report), {}
    if params["table_file"]:
        files[Path(params["table_file"])] = text
    if params["json_file"]:
        files[Path(params["json_file"])] = json.dumps(data, indent=1) + "\n"
    if params["map_folder"]:
        folder = Path(params["map_folder"])
        files |= {folder / name: picture for name, picture in simulation.pictures(report, table).items()}
    return {"text": text, "divergences": data["divergences"], "failed": bool(report.failures)}, files


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "policy": {"type": "dict", "required": True},
            "site": {"type": "dict", "required": True},
            "backends": {"type": "list", "elements": "str", "choices": list(BACKENDS), "default": list(BACKENDS)},
            "admissions": {"type": "dict", "default": {}},
            "table_file": {"type": "path"},
            "json_file": {"type": "path"},
            "map_folder": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        result, files = wanted(module.params)
        before = {path: path.read_bytes() if path.exists() else None for path in files}
        changes = [FileChange(str(path), before[path], text.encode()) for path, text in files.items()]
        changes = [change for change in changes if change.before != change.after]
        for change in changes if not module.check_mode else ():
            Path(change.path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Path(change.path), change.after or b"", change.mode)
    except (RoutingError, ValueError, KeyError, TypeError, OSError) as error:
        module.fail_json(msg=f"The policy can't be simulated: {error}")
    result |= {"changed": bool(changes), "files": [change.path for change in changes]}
    if module._diff:
        result["diff"] = [change.shown() for change in changes]
    if result.pop("failed"):
        module.fail_json(msg=f"Back ends would not do what the policy says.\n{result['text']}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
