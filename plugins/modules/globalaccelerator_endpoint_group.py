#!/usr/bin/python
# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: globalaccelerator_endpoint_group
short_description: Manage endpoint groups of AWS Global Accelerator
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Creates, changes and deletes the endpoint group that a listener has in a region, with its endpoints.
  - What isn't said stays as it is, weights of endpoints too, so that a weight which somebody else sets survives.
  - Take an endpoint out by the weight 0. A traffic dial of 0 doesn't do that, since AWS ignores the dial on failover.
extends_documentation_fragment:
  - llm_verifier.multi_region.aws
  - llm_verifier.multi_region.aws.owned
attributes:
  check_mode:
    description: Tells what would change and calls nothing that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
options:
  listener_arn:
    description: The listener.
    type: str
    required: true
  endpoint_group_region:
    description: The AWS region of the group; a listener has one group in a region.
    type: str
    required: true
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
  endpoints:
    description: Its endpoints, 10 at most.
    type: list
    elements: dict
    suboptions:
      endpoint_id:
        description: ARN of an application or network load balancer, allocation of an Elastic IP, or an instance.
        type: str
        required: true
      weight:
        description: Its weight, 0 to 255; 128 for a new one. 0 takes it out.
        type: int
      client_ip_preservation:
        description: Whether it sees the client's address; AWS decides for a new one by its kind.
        type: bool
  purge_endpoints:
    description: Whether other endpoints are taken away where O(endpoints) is given.
    type: bool
    default: true
  traffic_dial:
    description: Percentage of the traffic for this region that it takes, 0 to 100; 100 for a new one.
    type: float
  health_check_port:
    description: Port of the health check; the listener's first one for a new group.
    type: int
  health_check_protocol:
    description: Protocol of the health check; V(TCP) for a new group.
    type: str
    choices: [TCP, HTTP, HTTPS]
  health_check_path:
    description: Path that is asked for.
    type: str
  health_check_interval:
    description: Seconds between health checks; 30 for a new group.
    type: int
    choices: [10, 30]
  threshold_count:
    description: Checks in a row that change an endpoint's health, 1 to 10; 3 for a new group.
    type: int
  port_overrides:
    description: Ports of the listener that are another one at the endpoints, 10 at most.
    type: list
    elements: dict
    suboptions:
      listener_port:
        description: Port of the listener.
        type: int
        required: true
      endpoint_port:
        description: Port of the endpoints.
        type: int
        required: true
"""

EXAMPLES = r"""
- name: Serve from Ireland
  llm_verifier.multi_region.globalaccelerator_endpoint_group:
    listener_arn: "{{ listener.listener.listener_arn }}"
    endpoint_group_region: eu-west-1
    endpoints:
      - endpoint_id: arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/llm-verifier/0123456789abcdef
    health_check_protocol: HTTPS
    health_check_port: 443
    health_check_path: /api/health
    health_check_interval: 10

- name: Take an endpoint out and leave the others as they are
  llm_verifier.multi_region.globalaccelerator_endpoint_group:
    listener_arn: "{{ listener.listener.listener_arn }}"
    endpoint_group_region: eu-west-1
    purge_endpoints: false
    endpoints:
      - endpoint_id: arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/llm-verifier/0123456789abcdef
        weight: 0
"""

RETURN = r"""
endpoint_group:
  description: The group, empty when it isn't there; in check mode as it would be.
  returned: success
  type: dict
  sample:
    endpoint_group_arn: arn:aws:globalaccelerator::111122223333:accelerator/12ab/listener/02/endpoint-group/03
    endpoint_group_region: eu-west-1
    traffic_dial: 100.0
    health_check_port: 443
    health_check_protocol: HTTPS
    health_check_path: /api/health
    health_check_interval: 10
    threshold_count: 3
    port_overrides: []
    endpoints: [{endpoint_id: eipalloc-0123456789abcdef0, weight: 128, client_ip_preservation: false}]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import manage
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator.api import Api
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import Access
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.wiring import ACCESS, OWNED, STATE, run

ENDPOINT = {
    "endpoint_id": {"type": "str", "required": True},
    "weight": {"type": "int"},
    "client_ip_preservation": {"type": "bool"},
}
PORTS = {"listener_port": {"type": "int", "required": True}, "endpoint_port": {"type": "int", "required": True}}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            **ACCESS, **OWNED, "state": STATE,
            "listener_arn": {"type": "str", "required": True},
            "endpoint_group_region": {"type": "str", "required": True},
            "endpoints": {"type": "list", "elements": "dict", "options": ENDPOINT},
            "purge_endpoints": {"type": "bool", "default": True},
            "traffic_dial": {"type": "float"},
            "health_check_port": {"type": "int"},
            "health_check_protocol": {"type": "str", "choices": ["TCP", "HTTP", "HTTPS"]},
            "health_check_path": {"type": "str"},
            "health_check_interval": {"type": "int", "choices": [10, 30]},
            "threshold_count": {"type": "int"},
            "port_overrides": {"type": "list", "elements": "dict", "options": PORTS},
        },
        supports_check_mode=True,
    )  # fmt: skip

    def act(access: Access) -> dict[str, Any]:
        found = manage.endpoint_group(Api(access), module.params, check=module.check_mode)
        return {"changed": found.changed, "endpoint_group": found.after, "before": found.before, "after": found.after}

    run(module, act)


if __name__ == "__main__":
    main()
