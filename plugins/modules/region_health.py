#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: region_health
short_description: Look at the health of all regions from where it runs
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Asks every region's endpoint for the policy's health path over a new connection, all at once, with the policy's
    timeout and without a second try.
  - Reads the counters of an HAProxy and every region's Prometheus where it is told how to reach them.
  - Judges nothing and never fails for a sick region.
extends_documentation_fragment: [llm_verifier.multi_region.routing, llm_verifier.multi_region.routing.policy]
options:
  vantage:
    description: Name of the place that looks.
    type: str
    default: localhost
  kind:
    description: Whether that is outside every region or one of them.
    type: str
    choices: [edge, peer]
    default: edge
  port:
    description: Port of the endpoints.
    type: int
    default: 443
  tls:
    description: Whether they speak TLS.
    type: bool
    default: true
  ca_file:
    description: Roots that their certificates are verified by. The system's when empty.
    type: path
    default: ""
  body:
    description: Text that a healthy answer holds. Empty for any.
    type: str
    default: ""
  samples:
    description: How often each region is asked. Counters are only told from the second look on.
    type: int
    default: 1
  interval_seconds:
    description: Pause between two looks.
    type: float
    default: 1
  deadline_seconds:
    description: When a look ends in any case.
    type: float
    default: 1.5
  admin_socket:
    description: HAProxy's admin socket. Empty for none.
    type: path
    default: ""
  prometheus:
    description: URL of each region's Prometheus by the region's name.
    type: dict
    default: {}
  prometheus_ca_file:
    description: Roots that these are verified by.
    type: path
    default: ""
  certificate_file:
    description: Client certificate to show them. Empty for none.
    type: path
    default: ""
  key_file:
    description: Its key.
    type: path
    default: ""
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Look at all regions three times
  llm_verifier.multi_region.region_health:
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
    policy: "{{ routing_policy }}"
    ca_file: "{{ local_state_dir }}/certificate/ca.crt"
    samples: 3
  register: health
"""

RETURN = r"""
regions:
  description: By region, what its own probes saw.
  returned: success
  type: dict
  contains:
    ok: {description: Whether the last probe was good; null when it could not be made., type: bool, returned: always}
    error: {description: Why not., type: str, returned: always}
    failures: {description: How many failed., type: int, returned: always}
    seconds: {description: How long the good ones took., type: list, elements: float, returned: always}
    certificate_days: {description: Days left of the certificate; null if unseen., type: float, returned: always}
unhealthy:
  description: Regions whose last probe failed.
  returned: success
  type: list
  elements: str
observations:
  description: Everything that the last look saw, in the form that decisions are made from.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.config import Config
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.health import look, summary
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region

PATH = {"type": "path", "default": ""}
ARGUMENT_SPEC: dict[str, Any] = {
    "site": {"type": "dict", "required": True},
    "policy": {"type": "dict", "required": True},
    "vantage": {"type": "str", "default": "localhost"},
    "kind": {"type": "str", "choices": ["edge", "peer"], "default": "edge"},
    "port": {"type": "int", "default": 443},
    "tls": {"type": "bool", "default": True},
    "ca_file": PATH,
    "body": {"type": "str", "default": ""},
    "samples": {"type": "int", "default": 1},
    "interval_seconds": {"type": "float", "default": 1},
    "deadline_seconds": {"type": "float", "default": 1.5},
    "admin_socket": PATH,
    "prometheus": {"type": "dict", "default": {}},
    "prometheus_ca_file": PATH,
    "certificate_file": PATH,
    "key_file": {**PATH, "no_log": False},
}
OTHERS = ("site", "policy", "samples", "interval_seconds")


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    try:
        regions = tuple(Region.from_dict(region) for region in params["site"].get("regions", ()))
        given = {key: value for key, value in params.items() if key not in OTHERS}
        config = Config.from_dict(given, Policy.from_dict(params["policy"]), regions)
    except (RoutingError, ValueError, TypeError) as error:
        module.fail_json(msg=f"Regions or policy can't be read: {error}")
    looks = look(config, params["samples"], params["interval_seconds"])
    found = summary(config, looks)
    module.exit_json(
        changed=False,
        regions=found,
        unhealthy=sorted(name for name, region in found.items() if region["ok"] is False),
        observations=looks[-1].to_dict(),
    )


if __name__ == "__main__":
    main()
