#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: local_pki
short_description: Make a region's certificate authorities, certificates and keys
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes what is missing, and makes anew what has less than a third of its life left or other names than wanted.
  - Keys are P-256 and lie in files of mode 0600; their content shows nowhere.
attributes:
  check_mode:
    description: Reports what would be made and writes nothing.
    support: full
  diff_mode:
    description: Keys are not shown.
    support: none
options:
  path:
    description: Folder (0700) of the files C(<name>.crt) and C(<name>.key).
    type: path
    required: true
  authorities:
    description: Names of the certificate authorities.
    type: list
    elements: str
    required: true
  certificates:
    description: The certificates.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of its files.
        type: str
        required: true
      authority:
        description: The authority that signs it.
        type: str
        required: true
      common_name:
        description: The user's or server's name.
        type: str
        required: true
      organizations:
        description: The user's groups.
        type: list
        elements: str
        default: []
      names:
        description: Host names and addresses of a server. Without any it is a client's certificate.
        type: list
        elements: str
        default: []
  renew:
    description: Whether to make every certificate anew, with a new key. Authorities and O(keys) stay.
    type: bool
    default: false
  keys:
    description:
      - Lone files, C(<name>.key) for a signing key and C(<name>.yaml) for an EncryptionConfiguration with its own key.
    type: list
    elements: str
    default: []
  kubeconfigs:
    description: Kubeconfigs with everything in them, each a file of mode 0600.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file.
        type: path
        required: true
      user:
        description: Name of the client's certificate.
        type: str
        required: true
      server:
        description: Address of the API server.
        type: str
        required: true
      context:
        description: Name of its context.
        type: str
        required: true
"""

EXAMPLES = r"""
- name: Make the certificates of a region
  llm_verifier.multi_region.local_pki:
    path: /var/lib/llm-verifier/llmv/pki/us-east-1
    authorities: [ca]
    certificates:
      - name: admin
        authority: ca
        common_name: admin
        organizations: [system:masters]
    keys: [service-account.key]
"""

RETURN = r"""
made:
  description: Names of what was (in check mode would be) made.
  returned: success
  type: list
  elements: str
  sample: [ca, admin]
"""

import datetime as dt
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import (
    HAVE_CRYPTOGRAPHY,
    Wanted,
    ensure_pki,
    kubeconfig,
)

TEXT = {"type": "str", "required": True}
LIST = {"type": "list", "elements": "str", "default": []}
ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "authorities": {"type": "list", "elements": "str", "required": True},
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": TEXT, "authority": TEXT, "common_name": TEXT, "organizations": LIST, "names": LIST},
    },
    "renew": {"type": "bool", "default": False},
    "keys": {**LIST, "no_log": False},
    "kubeconfigs": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"path": {"type": "path", "required": True}, "user": TEXT, "server": TEXT, "context": TEXT},
    },
}


def write_kubeconfigs(folder: Path, wanted: list, check: bool) -> list:
    """Write each kubeconfig that differs; returns their paths."""
    written = []
    for item in wanted:
        target = Path(item["path"])
        if not (folder / f"{item['user']}.crt").exists():  # check mode on a bare machine
            written.append(str(target))
            continue
        text = kubeconfig(folder, item["user"], item["server"], item["context"])
        if not target.exists() or target.read_text() != text or target.stat().st_mode & 0o077:
            written.append(str(target))
            if not check:
                write_atomically(target, text, 0o600)
    return written


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not HAVE_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    params, folder = module.params, Path(module.params["path"])
    wanted = [
        Wanted(item["name"], item["authority"], item["common_name"], tuple(item["organizations"]), tuple(item["names"]))
        for item in params["certificates"]
    ]
    now = dt.datetime.now(dt.UTC)
    try:
        made = ensure_pki(folder, params["authorities"], wanted, params["keys"], now, check=module.check_mode,
                          renew=params["renew"])
        made += write_kubeconfigs(folder, params["kubeconfigs"], module.check_mode)
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
