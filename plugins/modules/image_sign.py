#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_sign
short_description: Signs an image's digest in its registry
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Signs the digest of an image, and of every architecture in it, with an ECDSA P-256 key, in the form of cosign
    (simple signing, tag C(sha256-….sig)), unless this key has signed it already. Signatures of others are kept.
  - Makes the key pair where there is none.
extends_documentation_fragment:
  - llm_verifier.multi_region.image.access
options:
  images:
    description: Images as C(registry/name@sha256:…).
    type: list
    elements: str
    required: true
  renew:
    description: Whether to make a new key pair. It replaces the old one after it has signed all of O(images).
    type: bool
    default: false
  private_key:
    description: The private key, as PEM without a password. Made, readable by its owner alone, where it isn't there.
    type: path
    required: true
  public_key:
    description: The public key, as PEM. Written from O(private_key) where it isn't there.
    type: path
    required: true
requirements:
  - cryptography (Python)
attributes:
  check_mode:
    description: Says whether the image would be signed; writes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Sign what was built
  llm_verifier.multi_region.image_sign:
    images: ["{{ image_build_found.image }}"]
    registry: 10.77.210.2:5000
    registry_insecure: true
    private_key: /var/lib/llm-verifier/llmv/signing/cosign.key
    public_key: /var/lib/llm-verifier/llmv/signing/cosign.pub
"""

RETURN = r"""
images:
  description: The images.
  returned: success
  type: list
  elements: str
  sample: ["10.77.210.2:5000/llm-verifier@sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3"]
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import arguments, build, signature
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **arguments.ACCESS, "images": {"type": "list", "elements": "str", "required": True},
            "renew": {"type": "bool", "default": False},
            "private_key": {"type": "path", "required": True, "no_log": False},
            "public_key": {"type": "path", "required": True, "no_log": False},
        },
        supports_check_mode=True,
    )  # fmt: skip
    images, renew, check = module.params["images"], module.params["renew"], module.check_mode
    private, public = Path(module.params["private_key"]), Path(module.params["public_key"])
    try:
        changed = renew or signature.provide(private, public, check)
        if not (changed and check):
            pair = signature.new_pair() if renew else signature.read_pair(private, public)
            for image in images:
                reference, registry = build.access(image, module.params)
                changed = signature.ensure(registry, reference, pair, check) or changed
            if renew:
                signature.write_pair(private, public, pair)
    except (ImageError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, images=images)


if __name__ == "__main__":
    main()
