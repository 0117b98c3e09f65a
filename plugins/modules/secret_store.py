#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a generated key ring on the control host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_store
short_description: Keep a generated key ring on the control host
version_added: 0.1.0
description:
  - Makes a random key where there is none and turns the ring of a current and a previous key, in a JSON file that its
    owner alone can read, written whole or not at all.
  - Values never leave the file; M(llm_verifier.multi_region.region_apply) reads them with C(path#current).
  - Replacing a key takes three steps, with all regions brought to each, so that no token is refused meanwhile.
    A step already made changes nothing, so an interrupted rotation goes on where it stopped.
author:
  - LLM Verifier DevOps (@llm-verifier)
options:
  path:
    description: The file. Its folder is made (0700) where it isn't there.
    type: path
    required: true
  state:
    description:
      - V(present) makes a key where there is none.
      - V(introduced) adds a new key that is accepted and signs nothing.
      - V(promoted) makes that key the current one; the old one is still accepted.
      - V(settled) ends the rotation.
    type: str
    choices: [present, introduced, promoted, settled]
    default: present
  length:
    description: Random bytes of a key.
    type: int
    default: 48
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: none
    description: The file holds nothing but secrets.
  idempotent:
    support: full
    description: A second run changes nothing.
"""

EXAMPLES = r"""
- name: Make a JWT key where there is none
  llm_verifier.multi_region.secret_store:
    path: /var/lib/llm-verifier/llmv/secrets/jwt-ring.json
"""

RETURN = r"""
phase:
  description: Where the ring stands.
  returned: always
  type: str
  choices: [steady, introduced, promoted]
"""

import secrets
from functools import partial
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs.private import (
    locked,
    read_json,
    write_json,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs.ring import RingError, turned

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "introduced", "promoted", "settled"]},
    "length": {"type": "int", "default": 48},
}


def main() -> None:
    """Turn the ring and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    path = Path(module.params["path"])
    new_key = partial(secrets.token_urlsafe, module.params["length"])
    try:
        if module.check_mode:
            before = read_json(path)
            after = turned(before, module.params["state"], new_key)
        else:
            with locked(path):
                before = read_json(path)
                after = turned(before, module.params["state"], new_key)
                if before != after:
                    write_json(path, after)
                path.chmod(0o600)
    except (OSError, ValueError, RingError) as error:
        # A decoder's error tells a place in the file, no content.
        module.fail_json(msg=f"{path}: {error}")
    module.exit_json(changed=before != after, phase=after["phase"])


if __name__ == "__main__":
    main()
