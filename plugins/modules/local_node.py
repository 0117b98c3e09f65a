#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_node
short_description: Run a node of the local provider
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - A node is what would be a machine elsewhere, as a set of namespaces on this one, with runit as its first process.
  - Files and services that an earlier run of the same O(owner) made and this one does not name are taken away,
    so that several roles can describe parts of one node.
  - Needs root, iproute2 and util-linux on the host; everything else comes from the shared Debian tree.
extends_documentation_fragment: [llm_verifier.multi_region.instance]
attributes:
  check_mode:
    description: Reports what would change and writes nothing.
    support: full
  diff_mode:
    description: Shows the changed files; of those with a source only digests.
    support: full
options:
  name:
    description: The node's name, its inventory host.
    type: str
    required: true
  owner:
    description: Who describes these files and services, such as the role's name.
    type: str
    default: node
  tree:
    description:
      - The shared Debian tree. Without it and O(subnet) the node is one that another owner describes and starts,
        and stays as it was started.
    type: path
  subnet:
    description: Third octet of the node's network.
    type: int
  addresses:
    description: The node's addresses besides C(.2).
    type: list
    elements: str
    default: []
  resolver:
    description: Address of its name server.
    type: str
    default: ""
  binds:
    description: Folders of the host by the folder in the node where they show, read-only.
    type: dict
    default: {}
  sysctls:
    description: Kernel settings of the node's network namespace, with slashes, such as C(net/ipv4/ip_forward).
    type: dict
    default: {}
  cpu_shares:
    description:
      - The node's part of busy processors, by the ratio to the shares of other nodes (1024 for a region).
      - The default keeps what answers everyone, such as a load balancer, from waiting for a region that boots.
    type: int
    default: 4096
  files:
    description: Files below C(/node).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path below C(/node).
        type: str
        required: true
      content:
        description: The text. One of O(files[].content) and O(files[].source).
        type: str
      source:
        description: A file on the host with the content. For secrets, since the content then shows nowhere.
        type: path
      mode:
        description: Permissions, octal.
        type: str
        default: "0644"
  copies:
    description: Files of a folder of the host, with their permissions. For secrets, since their content shows nowhere.
    type: list
    elements: dict
    default: []
    suboptions:
      from:
        description: Folder on the host.
        type: path
        required: true
      to:
        description: Folder below C(/node).
        type: str
        required: true
      names:
        description: Names of the files.
        type: list
        elements: str
        required: true
  services:
    description: Programs that runit keeps running.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      command:
        description: What runs in the foreground, by a shell.
        type: str
        required: true
      files:
        description: Paths, or folders with a slash at the end, below C(/node) that it reads.
        type: list
        elements: str
        default: []
      check:
        description: Command that judges changed files before they are taken; when it fails the old ones are put back.
        type: str
        default: ""
      reload:
        description: Command that makes it read them, with its process number in E(PID). Without it, it restarts.
        type: str
        default: ""
      ready:
        description: Command that succeeds once the service serves.
        type: str
        default: ""
      log_megabytes:
        description: Size at which its log is rotated, in millions of bytes.
        type: int
        default: 1
      log_files:
        description: How many older files of its log are kept.
        type: int
        default: 5
      log_times:
        description: Whether the time is put before each line of its log. False for lines that tell their own.
        type: bool
        default: true
  serving:
    description:
      - Command that succeeds in a node that serves clients.
      - Nodes with it restart one after the other, for a new tree or other binds, each once the one before serves again,
        if it did before. One that doesn't is remembered, and no other one restarts until it does.
    type: str
    default: ""
  state:
    description: What the node should be.
    type: str
    choices: [started, stopped, absent]
    default: started
  timeout:
    description: Seconds to wait for the services to be ready.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Run an edge host
  llm_verifier.multi_region.local_node:
    instance: "{{ local_instance }}"
    name: edge-1
    tree: "{{ local_tree }}"
    subnet: 201
    files:
      - path: etc/haproxy/haproxy.cfg
        content: "{{ edge_configuration }}"
    services:
      - name: haproxy
        command: haproxy -W -db -f /node/etc/haproxy/haproxy.cfg
        files: [etc/haproxy/]
"""

RETURN = r"""
actions:
  description: What was (in check mode would be) done besides writing files.
  returned: success
  type: list
  elements: str
  sample: [start the node]
files:
  description: The changed files, below C(/node).
  returned: success
  type: list
  elements: str
  sample: [etc/haproxy/haproxy.cfg]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.arguments import NODE_ARGUMENTS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import wanted_files
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node, NodeSpec
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.reconcile import (
    Outcome,
    Reconciler,
    ensure_absent,
    ensure_stopped,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.services import Service


def reconcile(params: dict, check: bool) -> Outcome:
    """Bring the node to the wanted state."""
    instance = Instance.from_dict(params["instance"])
    if params["state"] == "absent":
        return ensure_absent(instance, params["name"], check=check)
    if params["state"] == "stopped":
        return ensure_stopped(instance, params["name"], check=check)
    node = Node(instance, params["name"])
    spec = node.started_with()
    if params["tree"]:
        spec = NodeSpec(
            params["tree"], params["subnet"], tuple(params["addresses"]), params["resolver"], params["binds"],
            params["sysctls"], params["cpu_shares"],
        )
    if spec is None and not check:
        raise LocalError(f"node {params['name']} was never started: run `make site`")
    files = wanted_files(params["files"], params["copies"], missing_ok=check)
    services = [Service.from_dict(item) for item in params["services"]]
    spec = spec or NodeSpec("", 0)
    made = Reconciler(node, params["owner"], spec, files, services, params["serving"])
    return made.run(check=check, timeout=params["timeout"])


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec=NODE_ARGUMENTS,
        supports_check_mode=True,
        required_together=[("tree", "subnet")],
    )
    try:
        outcome = reconcile(module.params, module.check_mode)
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=outcome.changed, actions=outcome.actions, files=[change.path for change in outcome.changes],
        diff=[change.shown() for change in outcome.changes],
    )


if __name__ == "__main__":
    main()
