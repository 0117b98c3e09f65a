#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: component_build
short_description: Get a component's programs into the cache
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Downloads the release's binaries with their published checksums where the release server can be reached,
    and builds the others as Go modules. Both ways leave the same files in the same place.
  - What lies in the cache is checked by checksum on every run. An interrupted build goes on where it stopped.
attributes:
  check_mode:
    description: Reports what would be built and writes nothing.
    support: full
  diff_mode:
    description: Programs have no readable difference.
    support: none
options:
  name:
    description: The component's name.
    type: str
    required: true
  source:
    description: Folder with the Go module whose C(tool) block names the programs.
    type: path
    required: true
  programs:
    description: Names of the programs.
    type: list
    elements: str
    required: true
  ldflags:
    description: Linker flags.
    type: str
    default: -s -w
  release_url:
    description: Address of a release's binary with C({program}) in it. Its checksum is there with C(.sha256) behind.
    type: str
    default: ""
  released:
    description: The programs that the release has.
    type: list
    elements: str
    default: []
  images:
    description: Programs of which an image archive is made beside them, and the image's reference.
    type: dict
    default: {}
  files:
    description: Files that are taken from a module's source, as C(module//path), by the name that they get.
    type: dict
    default: {}
  obtain:
    description: V(auto) downloads where the release server can be reached.
    type: str
    choices: [auto, release, build]
    default: auto
  go:
    description: The Go command.
    type: str
    default: go
  cache_dir:
    description: Folder of what is built once.
    type: path
    required: true
  link:
    description: Symbolic link that points at the programs.
    type: path
    required: true
  progress_file:
    description: File that gets a line for each step.
    type: path
"""

EXAMPLES = r"""
- name: Get Kubernetes
  llm_verifier.multi_region.component_build:
    name: kubernetes
    source: roles/region_cluster/files/kubernetes
    programs: [kube-apiserver, kubelet]
    cache_dir: /var/cache/llm-verifier
    link: /var/lib/llm-verifier/llmv/opt/kubernetes
"""

RETURN = r"""
path:
  description: The programs' folder in the cache.
  returned: success
  type: str
  sample: /var/cache/llm-verifier/bin/kubernetes/0a1b2c3d4e5f6071
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.components import (
    Component,
    complete,
    obtain,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tree import point

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "source": {"type": "path", "required": True},
    "programs": {"type": "list", "elements": "str", "required": True},
    "ldflags": {"type": "str", "default": "-s -w"},
    "release_url": {"type": "str", "default": ""},
    "released": {"type": "list", "elements": "str", "default": []},
    "images": {"type": "dict", "default": {}},
    "files": {"type": "dict", "default": {}},
    "obtain": {"type": "str", "choices": ["auto", "release", "build"], "default": "auto"},
    "go": {"type": "str", "default": "go"},
    "cache_dir": {"type": "path", "required": True},
    "link": {"type": "path", "required": True},
    "progress_file": {"type": "path"},
}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    component = Component(
        params["name"], Path(params["source"]), tuple(params["programs"]), params["ldflags"], params["release_url"],
        tuple(params["released"]), params["images"], params["files"],
    )
    cache_dir, link = Path(params["cache_dir"]), Path(params["link"])
    folder = component.folder(cache_dir)
    changed = not complete(folder)
    try:
        if not module.check_mode:
            if changed:
                obtain(component, cache_dir, params["obtain"], params["go"], params["progress_file"])
            changed |= point(link, folder)
    except (LocalError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed or link.resolve() != folder, path=str(folder))


if __name__ == "__main__":
    main()
