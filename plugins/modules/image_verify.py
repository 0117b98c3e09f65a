#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_verify
short_description: Fails unless images are signed by a listed key
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Asks the registry for the signatures of every image, in the form of cosign (tag C(sha256-….sig)), and fails with all
    images that none of the keys signed. Reads alone.
extends_documentation_fragment:
  - llm_verifier.multi_region.image.access
options:
  images:
    description: Images as C(registry/name@sha256:…).
    type: list
    elements: str
    required: true
  public_keys:
    description: Files with public keys, as PEM, ECDSA. One that signed is enough.
    type: list
    elements: path
    required: true
requirements:
  - cryptography (Python)
attributes:
  check_mode:
    description: The module never writes.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Let nothing run that nobody signed
  llm_verifier.multi_region.image_verify:
    images: ["{{ image_build_found.image }}"]
    registry: 10.77.210.2:5000
    registry_insecure: true
    public_keys: [/var/lib/llm-verifier/llmv/signing/cosign.pub]
"""

RETURN = r"""
images:
  description: The images, all of them signed.
  returned: success
  type: list
  elements: str
  sample: ["10.77.210.2:5000/llm-verifier@sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import arguments, build, signature
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **arguments.ACCESS, "images": {"type": "list", "elements": "str", "required": True},
            "public_keys": {"type": "list", "elements": "path", "required": True, "no_log": False},
        },
        supports_check_mode=True,
    )  # fmt: skip
    wrong = []
    try:
        keys = [signature.read_key(path) for path in module.params["public_keys"]]
        for image in module.params["images"]:
            reference, registry = build.access(image, module.params)
            found = signature.problem(registry, reference, keys)
            wrong += [found] if found else []
    except ImageError as error:
        module.fail_json(msg=str(error))
    if wrong:
        module.fail_json(msg="; ".join(wrong) + ". Sign it (playbooks/30_image.yml signs what it builds), or name the "
                         "key of who signed it in image_build_public_keys")
    module.exit_json(changed=False, images=module.params["images"])


if __name__ == "__main__":
    main()
