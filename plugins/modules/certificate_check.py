#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_check
short_description: Tells whether a certificate is the one that the front door needs
version_added: 0.1.0
author: LLM Verifier contributors (@llm-verifier)
description:
  - Reads a certificate on the control node, and says whether it is for the names and valid for long enough. Whoever
    asks decides what follows; the role C(certificates) gets another one, or refuses what was given.
requirements:
  - cryptography (Python)
options:
  path:
    description: The certificate as PEM, or a chain that begins with it. It need not be there.
    type: path
    required: true
  names:
    description: The DNS names that it must be for, all of them and no other.
    type: list
    elements: str
    required: true
  minimum_days:
    description: For how many days more it must be valid.
    type: float
    default: 30
attributes:
  check_mode:
    description: The module never writes.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Look at the certificate
  llm_verifier.multi_region.certificate_check:
    path: /var/lib/llm-verifier/llmv/certificate/fullchain.crt
    names: [api.llm-verifier.com, "*.llm-verifier.com"]
  register: certificate
"""

RETURN = r"""
fit:
  description: Whether it is there, for these names and valid for long enough.
  returned: success
  type: bool
  sample: false
faults:
  description: What is wrong with it; empty when it is fit.
  returned: success
  type: list
  elements: str
  sample: ["it ends in 12.3 days"]
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import certificate


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "minimum_days": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    if not certificate.HAVE_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    given = module.params
    try:
        pem = Path(given["path"]).read_bytes()
    except FileNotFoundError:
        found = ["it isn't there"]
    except OSError as error:
        module.fail_json(msg=f"{given['path']} can't be read: {error.strerror}")
    else:
        found = certificate.faults(pem, given["names"], given["minimum_days"], time.time())
    module.exit_json(changed=False, fit=not found, faults=found)


if __name__ == "__main__":
    main()
