#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a shell or run a command inside a node: `scripts/node.py edge-1 [options of ansible …] [-- command …]`.

Options, such as `-i inventories/x` or `-e local_instance_name=other`, let Ansible say which instance is meant.
Without any it is $LLM_VERIFIER_INSTANCE (llmv) in /var/lib/llm-verifier.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node


def told_by_ansible(options: list[str]) -> Instance:
    """Return the instance that a playbook with these options works on; LocalError when there is none."""
    ansible = Path(sys.executable).with_name("ansible")
    command = [str(ansible), "localhost", *options, "-m", "ansible.builtin.debug", "-a", "var=local_instance"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        return Instance.from_dict(json.loads(done.stdout.partition("=>")[2])["local_instance"])
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"no instance with {' '.join(options)}: {(done.stderr or done.stdout).strip()}") from error


def told_by_environment() -> Instance:
    """Return the instance that the environment names."""
    name = os.environ.get("LLM_VERIFIER_INSTANCE", "llmv")
    return Instance(name, "0.0", Path("/var/lib/llm-verifier") / name, Path("/var/cache/llm-verifier"))


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
    end = argv.index("--") if "--" in argv else len(argv)
    name, options, command = argv[0], argv[1:end], argv[end + 1:]
    try:
        instance = told_by_ansible(options) if options else told_by_environment()
        state = instance.state_dir
        known = sorted(entry.name for entry in (state / "nodes").glob("*") if entry.is_dir())
        if name not in known:
            raise LocalError(f"no node {name} in {state}: there are {', '.join(known) or 'none; run `make site`'}")
        enter = Node(instance, name).enter()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    shell = ["bash", "--noprofile", "--norc", "-i"]
    settings = [f"TERM={os.environ.get('TERM', 'dumb')}", rf"PS1={name}:\w\$ ", *trust(state, name)]
    words = [*enter, *settings, "env", "-C", "/", *(command or shell)]
    os.execvp(words[0], words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
