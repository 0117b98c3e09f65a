#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a shell or run a command inside a node: `scripts/node.py edge-1 [-- command …]`.

The instance is $LLM_VERIFIER_INSTANCE (llmv), its state $LLM_VERIFIER_STATE (/var/lib/llm-verifier/<instance>).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node


def trust(state: Path, name: str) -> list[str]:
    """Put the root certificate into the node and return the settings that make its curl trust it."""
    roots = state / "certificate/ca.crt"
    if not roots.exists():
        return []
    (state / "nodes" / name / "node/data/ca.crt").write_bytes(roots.read_bytes())
    return ["CURL_CA_BUNDLE=/node/data/ca.crt", "SSL_CERT_FILE=/node/data/ca.crt"]


def main(argv: list[str]) -> int:
    """Replace this process by the command inside the node; return an exit status only on failure."""
    if not argv or argv[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    name, command = argv[0], argv[1:]
    command = command[1:] if command[:1] == ["--"] else command
    instance = os.environ.get("LLM_VERIFIER_INSTANCE", "llmv")
    state = Path(os.environ.get("LLM_VERIFIER_STATE", f"/var/lib/llm-verifier/{instance}"))
    known = sorted(entry.name for entry in (state / "nodes").glob("*") if entry.is_dir())
    if name not in known:
        print(f"no node {name} in {state}: there are {', '.join(known) or 'none; run `make site`'}", file=sys.stderr)
        return 1
    try:
        enter = Node(Instance(instance, "0.0", state, Path("/var/cache/llm-verifier")), name).enter()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    shell = ["bash", "--noprofile", "--norc", "-i"]
    settings = [f"TERM={os.environ.get('TERM', 'dumb')}", rf"PS1={name}:\w\$ ", *trust(state, name)]
    words = [*enter, *settings, "env", "-C", "/", *(command or shell)]
    os.execvp(words[0], words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
