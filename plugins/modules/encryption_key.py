#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of replacing the key that an API server encrypts Secrets with."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: encryption_key
short_description: One step of replacing the key that an API server encrypts Secrets with
version_added: 0.1.0
description:
  - Turns the keys of an EncryptionConfiguration that M(llm_verifier.multi_region.local_pki) made. The file is readable
    by its owner alone and written whole or not at all; keys never leave it.
  - Each step is brought to every API server that reads the file before the next, and
    M(llm_verifier.multi_region.secrets_rewrite) comes between V(promoted) and V(settled).
  - A step already made changes nothing, so an interrupted rotation goes on where it stopped.
author:
  - LLM Verifier DevOps (@llm-verifier)
options:
  path:
    description: The file.
    type: path
    required: true
  state:
    description:
      - V(introduced) adds a new key that decrypts and encrypts nothing.
      - V(promoted) lets that key encrypt; the old one still decrypts.
      - V(settled) drops the old key.
    type: str
    choices: [introduced, promoted, settled]
    required: true
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: none
    description: The file holds nothing but secrets.
  idempotent:
    support: full
    description: A step already made changes nothing.
"""

EXAMPLES = r"""
- name: Add a key that decrypts
  llm_verifier.multi_region.encryption_key:
    path: /var/lib/llm-verifier/llmv/pki/us-east-1/encryption.yaml
    state: introduced
"""

RETURN = r"""
phase:
  description: Where the rotation stands.
  returned: success
  type: str
  choices: [settled, introduced, promoted]
"""

import secrets
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.encryption import (
    INTRODUCED,
    PROMOTED,
    SETTLED,
    EncryptionError,
    encoded,
    phase,
    turned,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.runs.private import locked

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "required": True, "choices": [INTRODUCED, PROMOTED, SETTLED]},
}


def main() -> None:
    """Make the step and report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    path = Path(module.params["path"])
    try:
        with locked(path):
            before = path.read_text()
            after = turned(before, module.params["state"], lambda: encoded(secrets.token_bytes(32)))
            if before != after and not module.check_mode:
                write_atomically(path, after, 0o600)
    except (OSError, EncryptionError) as error:
        module.fail_json(msg=f"{path}: {error}")
    module.exit_json(changed=before != after, phase=phase(after))


if __name__ == "__main__":
    main()
