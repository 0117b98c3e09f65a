# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that clients ask the front door: the answers as they really came, and by which decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..agent.store import StateError, Store
from ..local.instance import Instance, LocalError
from ..local.node import Node

SEPARATOR = "\n--llm-verifier--\n"


@dataclass(frozen=True)
class Answer:
    """What a client got: addresses of the name, status, serving region, seconds; ``error`` says why there is none."""

    addresses: tuple[str, ...] = ()
    address: str = ""
    status: int = 0
    region: str = ""
    digest: str = ""
    seconds: float = 0.0
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "addresses": list(self.addresses)}


def parse(output: str, addresses: tuple[str, ...]) -> Answer:
    """Read what curl wrote: the headers, the separator, then status, address and seconds."""
    head, found, last = output.rpartition(SEPARATOR)
    if not found:
        return Answer(addresses, error=output.strip()[-300:] or "nothing came back")
    fields = (line.partition(":") for line in head.splitlines())
    headers = {name.strip().lower(): value.strip() for name, _colon, value in fields}
    status, address, seconds = [*last.split(), "0", "", "0"][:3]
    return Answer(addresses, address, int(status), headers.get("x-region", ""), headers.get("x-image-digest", ""),
                  float(seconds), "" if status == "200" else f"status {status}")


def curl(url: str) -> list[str]:
    """Return the command that asks for a page; the root certificates come by standard input."""
    return ["curl", "--silent", "--show-error", "--max-time", "5", "--cacert", "/dev/stdin", "--dump-header", "-",
            "--output", "/dev/null", "--write-out", SEPARATOR + "%{http_code} %{remote_ip} %{time_total}", url]


def ask(instance: Instance, client: str, name: str, path: str, roots: str) -> Answer:
    """Resolve a name and get a page of it inside a client node; never raises for what the front door does."""
    node = Node(instance, client)
    try:
        found = node.run(["dig", "+short", "+time=2", "+tries=2", name, "A"], check=False, timeout=10)
        addresses = tuple(sorted(line for line in found.stdout.split() if line[:1].isdigit()))
        done = node.run(curl(f"https://{name}{path}"), stdin=roots, check=False, timeout=15)
    except LocalError as error:
        return Answer(error=str(error))
    if done.returncode:
        return Answer(addresses, error=done.stderr.strip()[-300:] or f"curl ended with {done.returncode}")
    return parse(done.stdout, addresses)


def decided(instance: Instance, edges: Iterable[str], domain: str) -> dict[str, float]:
    """The admissions of the newest decision that any edge's agent has; none without a decision."""
    found = []
    for edge in edges:
        try:
            found.append(Store(Node(instance, edge).inside / "data/routing", domain).load())
        except (StateError, OSError):
            continue
    newest = max((kept for kept in found if kept), key=lambda kept: kept.order, default=None)
    return dict(newest.steering.admissions) if newest else {}
