#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_digest
short_description: Finds the digest of the image to deploy
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Asks the registry for the image that M(llm_verifier.multi_region.image_build) makes from the same options, or for
    O(image_ref). Reads alone, so that a stage can be run without the one that builds.
extends_documentation_fragment:
  - llm_verifier.multi_region.image
options:
  required:
    description: Whether it is an error that the image isn't there or that the registry doesn't answer.
    type: bool
    default: true
attributes:
  check_mode:
    description: The module never writes.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Which image is to run?
  llm_verifier.multi_region.image_digest:
    registry: 10.77.210.2:5000
    registry_insecure: true
    context: roles/image_build/files/llm_verifier
  register: image
"""

RETURN = r"""
found:
  description: Whether the registry has the image.
  returned: success
  type: bool
  sample: true
image:
  description: The image as C(registry/name@sha256:…), empty when it wasn't found.
  returned: success
  type: str
  sample: 10.77.210.2:5000/llm-verifier@sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3
digest:
  description: Its digest, empty when it wasn't found.
  returned: success
  type: str
  sample: sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3
repository:
  description: The image without its digest.
  returned: success
  type: str
  sample: 10.77.210.2:5000/llm-verifier
key:
  description: The key over all that the image is made of. Empty with O(image_ref).
  returned: success
  type: str
  sample: 70280a3fb8f6d06f301d
platforms:
  description: What the registry has the image for, empty when it wasn't found.
  returned: success
  type: list
  elements: str
  sample: [linux/amd64]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import arguments, build
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError


def main() -> None:
    module = AnsibleModule(
        argument_spec={**arguments.IMAGE, "required": {"type": "bool", "default": True}}, supports_check_mode=True)
    try:
        found = build.discover(module.params)
    except ImageError as error:
        if module.params["required"]:
            module.fail_json(msg=str(error))
        found = build.Found("", "", "")
    module.exit_json(changed=False, found=bool(found.digest), image=found.image, digest=found.digest,
                     repository=found.repository, key=found.key, platforms=list(found.platforms))


if __name__ == "__main__":
    main()
