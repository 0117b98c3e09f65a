#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: front_door_render
short_description: Render a part of the front door from policy and regions
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Compiles the routing policy and the regions to a table and renders it for one part of the front door.
  - Reads nothing but its options and writes nothing; M(llm_verifier.multi_region.local_node) takes what it returns.
extends_documentation_fragment: [llm_verifier.multi_region.routing, llm_verifier.multi_region.routing.policy]
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: none
options:
  part:
    description: The part of the front door.
    type: str
    choices: [edge, gateway, static_site, dns]
    required: true
  settings:
    description: Settings of the part's program, as docs/providers/haproxy.md and docs/providers/gdnsd.md list them.
    type: dict
    default: {}
  region:
    description: The region that a gateway belongs to.
    type: str
    default: ""
  backend:
    description: Host and port of the Service that a gateway forwards to.
    type: str
    default: llm-verifier.llm-verifier.svc.cluster.local:8080
  generation:
    description: Generation of the routing table.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Render the global load balancer
  llm_verifier.multi_region.front_door_render:
    part: edge
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    policy: "{{ routing_policy }}"
  register: edge

- name: Render a region's gateway
  llm_verifier.multi_region.front_door_render:
    part: gateway
    region: us-east-1
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    policy: "{{ routing_policy }}"
    settings:
      https_port: 8443
      http_port: 8088
      certificate: /tls/tls.crt
      admin_socket: ""
      user: ""
  register: gateway
"""

RETURN = r"""
files:
  description: The files, in the form that M(llm_verifier.multi_region.local_node) takes.
  returned: success
  type: list
  elements: dict
  contains:
    path: {description: Path below C(/node); of a gateway the bare name., type: str, returned: always}
    content: {description: The text., type: str, returned: always}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import render as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site


def render(params: dict[str, Any]) -> dict[str, str]:
    """The files of the wanted part."""
    policy, site = Policy.from_dict(params["policy"]), Site.from_dict(params["site"])
    part = params["part"]
    if part == "gateway":
        settings = haproxy.Settings.from_dict(params["settings"])
        return haproxy.gateway(policy, site, settings, params["region"], params["backend"])
    if part == "static_site":
        return haproxy.static_site(policy, haproxy.Settings.from_dict(params["settings"]))
    regions = [Region.from_dict(region) for region in params["site"].get("regions", [])]
    table = compile_table(policy, regions, params["generation"])
    if part == "dns":
        return gdnsd.render(table, site, gdnsd.Settings.from_dict(params["settings"]))
    return haproxy.edge(table, site, haproxy.Settings.from_dict(params["settings"]))


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "part": {"type": "str", "choices": ["edge", "gateway", "static_site", "dns"], "required": True},
            "site": {"type": "dict", "required": True},
            "policy": {"type": "dict", "required": True},
            "settings": {"type": "dict", "default": {}},
            "region": {"type": "str", "default": ""},
            "backend": {"type": "str", "default": "llm-verifier.llm-verifier.svc.cluster.local:8080"},
            "generation": {"type": "int", "default": 1},
        },
        supports_check_mode=True,
        required_if=[("part", "gateway", ("region",))],
    )
    try:
        files = render(module.params)
    except (RoutingError, ValueError, KeyError, TypeError) as error:
        module.fail_json(msg=f"The {module.params['part']} can't be rendered: {error}")
    module.exit_json(changed=False, files=[{"path": path, "content": text} for path, text in sorted(files.items())])


if __name__ == "__main__":
    main()
