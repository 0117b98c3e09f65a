#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a door to a program of the site on loopback of this machine until Ctrl-C: `scripts/open.py prometheus [port]`.

The instance is $LLM_VERIFIER_INSTANCE (llmv), its state $LLM_VERIFIER_STATE (/var/lib/llm-verifier/<instance>).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "collections"))

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.door import Place, serve

DOORS = "nodes/*/node/etc/monitoring/doors.json"
"""Written by the role monitoring on edges and the collector's host: address and port by program."""
PORTS = {"prometheus": 9090, "alertmanager": 9093, "zipkin": 9411}
"""Where each is looked for by habit."""
PAGES = {"prometheus": ("dashboards", "consoles/index.html"), "zipkin": ("traces", "zipkin/")}
"""What to open there first."""


def places(state: Path) -> Iterator[tuple[str, Place]]:
    """Every door's name and where it leads to, by the hosts' names."""
    for path in sorted(state.glob(DOORS)):
        host_of, folder = path.relative_to(state / "nodes").parts[0], state / "routing-ca"
        for name, address in json.loads(path.read_text()).items():
            host, _colon, port = address.rpartition(":")
            yield name, Place(name=host_of, host=host, port=int(port), ca=folder / "ca.crt",
                              certificate=folder / f"{host_of}.crt", key=folder / f"{host_of}.key")  # fmt: skip


def main(argv: list[str]) -> int:
    """Serve until a signal; returns an exit status."""
    if not argv or argv[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    name, port = argv[0], int(argv[1]) if argv[1:] else PORTS.get(argv[0], 0)
    instance = os.environ.get("LLM_VERIFIER_INSTANCE", "llmv")
    state = Path(os.environ.get("LLM_VERIFIER_STATE", f"/var/lib/llm-verifier/{instance}"))
    known = list(places(state))
    chosen = [place for door, place in known if door == name]
    if not chosen:
        there = ", ".join(sorted({door for door, _place in known})) or "none; run `make site` as root"
        print(f"no {name} in {state}: there are {there}", file=sys.stderr)
        return 1

    def opened(number: int) -> None:
        edges = ", else ".join(place.name for place in chosen)
        print(f"http://127.0.0.1:{number}/ leads to {name} of {edges} until Ctrl-C", flush=True)
        if name in PAGES:
            print(f"{PAGES[name][0]}: http://127.0.0.1:{number}/{PAGES[name][1]}", flush=True)

    try:
        asyncio.run(serve(chosen, port, opened))
    except OSError as error:
        print(f"the door can't be opened: {error}; choose another PORT", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
