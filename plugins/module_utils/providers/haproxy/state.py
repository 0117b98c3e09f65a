# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's servers as its runtime interface lists them, and the file that gives them their weights back. Pure.

The file is HAProxy's own form (version 1), but its weights are all that it says: every server is up and in no
maintenance there, whatever it was when the file was written, because old news of that kind would cost a healthy region
its traffic after a restart. Checks tell the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BACKEND = "regions"

_HEADER = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord"
)
_GENERATION = re.compile(r"^# generation (\d+)$", re.MULTILINE)
_FIELDS = 20
_RUNNING, _CHECKED = 2, 6  # SRV_ST_RUNNING; CHK_ST_CONFIGURED | CHK_ST_ENABLED
_STOPPED = 0
_NOT_CHECKED_YET = 1  # HCHK_STATUS_INI; with 0, unknown, HAProxy 2.6 forgets what checks say from then on
_MAINTENANCE, _DRAIN = 0x23, 0x18  # forced, inherited or by name resolution; forced or inherited


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server: its weight now and as configured, its port, what an operator did to it ("", "drain" or "maint")."""

    name: str
    weight: int
    configured: int
    port: int
    up: bool = True
    operator: str = ""


def parse(text: str) -> dict[str, Server]:
    """The servers of the regions in the answer of `show servers state` or in a state file, by name.

    Lines of no server are passed over. Raises ValueError for a line that is cut off or holds no numbers.
    """
    servers = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith("#") or words[1] != BACKEND:
            continue
        if len(words) < _FIELDS:
            raise ValueError(f"not a server's state: {line[:80]}")
        admin = int(words[6])
        servers[words[3]] = Server(
            name=words[3], weight=int(words[7]), configured=int(words[8]), port=int(words[18]),
            up=int(words[5]) != _STOPPED,
            operator="maint" if admin & _MAINTENANCE else "drain" if admin & _DRAIN else "",
        )
    return servers


def generation(text: str) -> int:
    """The generation that a state file says; 0 for none."""
    found = _GENERATION.search(text)
    return int(found[1]) if found else 0


def state_file(number: int, servers: Iterable[Server], weights: Mapping[str, int]) -> str:
    """The file: what `weights` says of each of the running `servers`; those that it doesn't name are left out."""
    lines = [
        f"1 {BACKEND} {index} {server.name} - {_RUNNING} 0 {weights[server.name]} {server.configured} "
        f"0 {_NOT_CHECKED_YET} 0 0 {_CHECKED} 0 0 0 - {server.port} -"
        for index, server in enumerate(sorted(servers, key=lambda server: server.name), 1)
        if server.name in weights
    ]
    return "\n".join(["1", _HEADER, f"# generation {number}", *lines]) + "\n"
