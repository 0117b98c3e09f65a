#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_debug
short_description: Look at everything of a site that is in trouble, and keep it without secrets
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Asks every region for pods, events, logs, endpoints and resource use, every node for its services and logs, every
    edge for routing, load balancer and measurements, every client for the answers of all name servers, and every server
    for its certificate.
  - Keeps the answers in a bundle (C(.tar.gz), mode 0600) and sums them up on a page.
  - What doesn't answer is told and left out. It never fails because something is down, and its time is bounded.
  - No question asks for a secret. Known values, and what looks like a private key or a token, are taken out of all
    answers.
extends_documentation_fragment:
  - llm_verifier.multi_region.instance
  - llm_verifier.multi_region.routing
  - llm_verifier.multi_region.routing.policy
attributes:
  check_mode:
    description: Asks and sums up, but keeps no bundle.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  regions:
    description: The kubeconfig of every region.
    type: dict
    default: {}
  nodes:
    description: Nodes of this machine.
    type: list
    elements: str
    default: []
  clients:
    description: Client nodes and the country of each.
    type: dict
    default: {}
  namespaces:
    description: Namespaces of the workload, whose logs are kept.
    type: list
    elements: str
    default: [llm-verifier, llm-verifier-gateway]
  kubectl:
    description: The program.
    type: str
    default: kubectl
  ca_file:
    description: Root certificates that the service's certificate is verified by.
    type: path
    required: true
  certificates:
    description: Patterns of certificates in files.
    type: list
    elements: str
    default: []
  secrets:
    description: Patterns of files whose values may be in no bundle.
    type: list
    elements: str
    default: []
  dest_dir:
    description: Folder of the bundles.
    type: path
    required: true
  deadline:
    description: Seconds after which nothing more is asked.
    type: int
    default: 90
"""

EXAMPLES = r"""
- name: Look at everything
  llm_verifier.multi_region.site_debug:
    instance: "{{ local_instance }}"
    policy: "{{ routing_policy }}"
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    nodes: "{{ groups['local_nodes'] }}"
    regions: {us-east-1: /var/lib/llm-verifier/llmv/kubeconfigs/us-east-1}
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
    secrets: ["{{ local_state_dir }}/secrets/**"]
    dest_dir: "{{ local_state_dir }}/debug"
"""

RETURN = r"""
bundle:
  description: The bundle; empty in check mode.
  returned: success
  type: str
problems:
  description: A line for everything that isn't as it should be.
  returned: success
  type: list
  elements: str
text:
  description: The page.
  returned: success
  type: str
"""

import json
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import INSTANCE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import status
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug import certificates, look
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.plan import Places, questions
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.summary import (
    Found,
    problems,
    summary,
)

ARGUMENTS: dict[str, Any] = {
    "instance": INSTANCE,
    "policy": {"type": "dict", "required": True},
    "site": {"type": "dict", "required": True},
    "regions": {"type": "dict", "default": {}},
    "nodes": {"type": "list", "elements": "str", "default": []},
    "clients": {"type": "dict", "default": {}},
    "namespaces": {"type": "list", "elements": "str", "default": ["llm-verifier", "llm-verifier-gateway"]},
    "kubectl": {"type": "str", "default": "kubectl"},
    "ca_file": {"type": "path", "required": True},
    "certificates": {"type": "list", "elements": "str", "default": []},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "dest_dir": {"type": "path", "required": True},
    "deadline": {"type": "int", "default": 90},
}


def look_at(params: dict[str, Any], now: float) -> Found:
    """Ask everything."""
    instance, policy, site = Instance.from_dict(params["instance"]), Policy.from_dict(params["policy"]), params["site"]
    front, roots = Site.from_dict(site), Path(params["ca_file"])
    edges = {edge.name: edge.address for edge in front.edges}
    places = Places(
        name=f"api.{policy.domain}", path=policy.health.path, roots=roots.read_text() if roots.exists() else "",
        kubectl=params["kubectl"], regions=params["regions"], nodes=params["nodes"], edges=edges,
        clients=params["clients"], namespaces=params["namespaces"],
    )  # fmt: skip
    servers = {region.name: region.endpoint for region in map(Region.from_dict, site["regions"])} | edges
    nodes = status.survey(instance, places.nodes)
    running = [item for item in questions(places, now) if not item.node or nodes.get(item.node, {}).get("running")]
    answers = look.ask_all(instance, running, look.secrets_of(params["secrets"]), params["deadline"])
    left = certificates.shown(servers, places.name, roots) | certificates.files(params["certificates"])
    return Found(places=places, nodes=nodes, answers=answers, certificates=left, now=now, seconds=time.time() - now)


def bundled(found: Found, params: dict[str, Any], page: str) -> dict[str, str]:
    """The files of a bundle."""
    told = {name: left.trouble or f"{left.days:.1f} days left" for name, left in found.certificates.items()}
    return {
        **look.files(found.answers),
        "summary.txt": page,
        "nodes.json": json.dumps(found.nodes, indent=1),
        "certificates.json": json.dumps(told, indent=1),
        "inventory.json": json.dumps({"policy": params["policy"], "site": params["site"]}, indent=1),
    }


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params, now, bundle = module.params, time.time(), ""
    try:
        found = look_at(params, now)
        page = summary(found)
        if not module.check_mode:
            name = time.strftime("debug-%Y%m%dT%H%M%SZ", time.gmtime(now))
            bundle = str(look.keep(Path(params["dest_dir"]), name, bundled(found, params, page), now))
    except (LocalError, RoutingError, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"the site could not be looked at: {error}")
    text = f"{page}\n  kept  {bundle}\n" if bundle else page
    module.exit_json(changed=False, bundle=bundle, problems=list(dict.fromkeys(problems(found))), text=text)


if __name__ == "__main__":
    main()
