#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: program_bundle
short_description: Build a program that runs on nodes as one file
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Packs a program of this collection and all that it imports into a zipapp that needs Python 3.11 and nothing else.
  - The same sources make the same bytes, so that a second run changes nothing.
attributes:
  check_mode:
    description: Says whether the file would change and writes nothing.
    support: full
  diff_mode:
    description: Shows digests.
    support: full
options:
  path:
    description: The file.
    type: path
    required: true
  program:
    description: The program.
    type: str
    choices: [routing-agent, span-sender]
    required: true
"""

EXAMPLES = r"""
- name: Build the agent
  llm_verifier.multi_region.program_bundle:
    path: /var/lib/llm-verifier/llmv/routing/agent.pyz
    program: routing-agent
"""

RETURN = r"""
sha256:
  description: The file's digest.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

import hashlib
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# Imported so that it and everything that it imports travels with the module: that is what is packed.
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import main as agent_main
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.bundle import BundleError, bundle
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.durable import write_atomically
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.tracing import sender as span_sender

PROGRAMS = {"routing-agent": agent_main.__name__, "span-sender": span_sender.__name__}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "program": {"type": "str", "choices": [*PROGRAMS], "required": True},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    try:
        content = bundle(PROGRAMS[module.params["program"]])
        before = path.read_bytes() if path.is_file() else b""
        changed = before != content
        if changed and not module.check_mode:
            write_atomically(path, content, 0o644)
    except (BundleError, OSError) as error:
        module.fail_json(msg=f"{module.params['program']} can't be built: {error}")
    digests = [hashlib.sha256(item).hexdigest() if item else "" for item in (before, content)]
    shown = {"before_header": str(path), "after_header": str(path)}
    diff = {**shown, "before": f"{digests[0]}\n", "after": f"{digests[1]}\n"}
    module.exit_json(changed=changed, sha256=digests[1], diff=diff if changed else {})


if __name__ == "__main__":
    main()
