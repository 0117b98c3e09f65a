#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_build
short_description: Builds a container image, pushes it and returns its digest
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Builds a folder with a Containerfile for one or more architectures as one manifest list and pushes it.
  - A key over the context, the base, the platforms and the arguments says whether there is anything to do. While the
    registry has the image of that key, nothing is built, pushed or changed.
  - An image that the registry lost is pushed again from this machine's storage, with the same digest.
extends_documentation_fragment:
  - llm_verifier.multi_region.image
options:
  cache_dir:
    description: The folder for base images, storage and records, shared by all instances on this machine.
    type: path
    required: true
  tree:
    description: A Debian tree with buildah in it. It isn't changed. Empty for buildah or docker of the path.
    type: path
  tags:
    description: Tags that shall name the image, for people. What runs is named by its digest.
    type: list
    elements: str
    default: []
  progress_file:
    description: A file to append a line to at each step.
    type: path
attributes:
  check_mode:
    description: Says whether the image would be built or pushed; writes nothing.
    support: full
  diff_mode:
    description: Shows the image before and after.
    support: full
"""

EXAMPLES = r"""
- name: Build the reference verifier for two architectures
  llm_verifier.multi_region.image_build:
    registry: registry.example.com
    context: roles/image_build/files/llm_verifier
    platforms: [linux/amd64, linux/arm64]
    cache_dir: /var/cache/llm-verifier
  register: built

- name: Take an image that exists
  llm_verifier.multi_region.image_build:
    image_ref: registry.example.com/llm-verifier:1.4
    cache_dir: /var/cache/llm-verifier
"""

RETURN = r"""
image:
  description: The image as C(registry/name@sha256:…). Empty in check mode when it isn't there yet.
  returned: success
  type: str
  sample: 10.77.210.2:5000/llm-verifier@sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3
digest:
  description: Its digest.
  returned: success
  type: str
  sample: sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3
repository:
  description: The image without its digest.
  returned: success
  type: str
  sample: 10.77.210.2:5000/llm-verifier
key:
  description: The key over all that the image is made of, also a tag in the registry. Empty with O(image_ref).
  returned: success
  type: str
  sample: 70280a3fb8f6d06f301d
platforms:
  description: What the image was built for.
  returned: success
  type: list
  elements: str
  sample: [linux/amd64, linux/arm64]
built:
  description: Whether it was built now.
  returned: success
  type: bool
  sample: false
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import arguments, build
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.report import result
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.progress import report


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **arguments.IMAGE,
            "cache_dir": {"type": "path", "required": True},
            "tree": {"type": "path"},
            "tags": {"type": "list", "elements": "str", "default": []},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    try:
        if module.params["image_ref"]:
            found = build.resolve(module.params["image_ref"], module.params)
        else:
            progress = partial(report, module.params["progress_file"])
            found = build.ensure(build.wish(module.params), module.check_mode, progress)
    except ImageError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result(found))


if __name__ == "__main__":
    main()
