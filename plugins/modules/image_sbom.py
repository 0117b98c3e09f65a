#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_sbom
short_description: Lists what is in an image, as CycloneDX JSON
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Reads an image's layers in its registry and lists its Debian packages, by its dpkg status, and its Python libraries,
    by their metadata, for every architecture in it.
  - Attaches the list to the image in the registry (an artifact that refers to it) and keeps it in a file. Where both
    are there, no layer is read. The same image gives the same bytes.
extends_documentation_fragment:
  - llm_verifier.multi_region.image.access
options:
  image:
    description: The image as C(registry/name@sha256:…).
    type: str
    required: true
  folder:
    description: The folder for the file C(sha256-….cdx.json).
    type: path
    required: true
attributes:
  check_mode:
    description: Says whether the list would be made; writes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: List what is in the image
  llm_verifier.multi_region.image_sbom:
    image: 10.77.210.2:5000/llm-verifier@sha256:116331723ce83f71d790565825e6c431e46e30cbdbbbcc6553e53b25a9b975b3
    registry: 10.77.210.2:5000
    registry_insecure: true
    folder: /var/lib/llm-verifier/llmv/sbom
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /var/lib/llm-verifier/llmv/sbom/sha256-116331723ce8….cdx.json
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import arguments, build, sbom
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **arguments.ACCESS, "image": {"type": "str", "required": True},
            "folder": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )  # fmt: skip
    try:
        image, registry = build.access(module.params["image"], module.params)
        path = Path(module.params["folder"]) / f"{sbom.tag(image.digest)}.cdx.json"
        bill = sbom.attached(registry, image)
        kept = path.read_bytes() if path.exists() else b""
        changed = not bill or kept != bill
        if changed and not module.check_mode:
            if not bill:
                bill = sbom.read(registry, image)
                sbom.attach(registry, image, bill)
            write_atomically(path, bill, 0o644)
    except (ImageError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, path=str(path))


if __name__ == "__main__":
    main()
