# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance: a set of nodes on this machine, named, addressed and stored apart from every other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A link's name holds at most 15 characters (IFNAMSIZ - 1), and the host's is "<instance>-host".
INSTANCE_NAME = re.compile(r"[a-z][a-z0-9]{0,9}")
PREFIX = re.compile(r"\d{1,3}\.\d{1,3}")

KNOWN_OCTETS = {"llmv": 77, "llmt": 78, "llmm": 79}
"""Second octets of the default instance, of the end-to-end tests' and of Molecule's."""

_FREE_OCTETS = [octet for octet in range(64, 128) if octet not in KNOWN_OCTETS.values() and octet != 96]
# 10.96.0.0/16 are the Services of every region.


def network_prefix(name: str) -> str:
    """The first two octets of an instance's network, such as `10.77`: always the same for a name, of 10.64 to 10.127.

    Two names may share one by chance, one in sixty; preflight tells it then.
    """
    chosen = _FREE_OCTETS[int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(_FREE_OCTETS)]
    return f"10.{KNOWN_OCTETS.get(name, chosen)}"


class LocalError(Exception):
    """Something of the local provider failed; the message says what, where and the next command."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Names and places of one instance.

    Attributes:
        name: prefix of every namespace, link and cgroup; at most 10 characters.
        prefix: the first two octets of its /16 network, such as `10.77`.
        state_dir: folder (0700) of everything that it keeps.
        cache_dir: folder shared by all instances: what is built or downloaded once.
    """

    name: str
    prefix: str
    state_dir: Path
    cache_dir: Path

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Instance:
        """Read the `instance` parameter of a module. Raises LocalError when a value is not allowed."""
        name, prefix = str(raw["name"]), str(raw["prefix"])
        if not INSTANCE_NAME.fullmatch(name):
            raise LocalError(f"instance name {name!r}: allowed are 1 to 10 of a-z and 0-9, a letter first")
        if not PREFIX.fullmatch(prefix) or any(int(part) > 255 for part in prefix.split(".")):
            raise LocalError(f"instance prefix {prefix!r}: give the first two octets of a /16, such as 10.77")
        return cls(name, prefix, Path(str(raw["state_dir"])), Path(str(raw["cache_dir"])))

    @property
    def wan(self) -> str:
        """Network namespace of the wide-area router."""
        return f"{self.name}-wan"

    @property
    def host_link(self) -> str:
        """The host's own link into the wide-area network."""
        return f"{self.name}-host"

    def namespace(self, node: str) -> str:
        """Network namespace of a node."""
        return f"{self.name}-{node}"

    def node_dir(self, node: str) -> Path:
        """A node's folder on the host."""
        return self.state_dir / "nodes" / node
