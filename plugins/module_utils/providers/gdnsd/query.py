# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to a name server over UDP, as a resolver with a client of an address would ask it (RFC 7871)."""

from __future__ import annotations

import secrets
import socket

from ...dns_message import decode, encode

_SECONDS, _TRIES = 1.0, 3


def ask(server: str, port: int, name: str, kind: int, client: str = "") -> tuple[str, ...]:
    """The data of a name's records, A or TXT, in order. Raises OSError when the server gives no answer that is one."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    problem = OSError("no answer")
    for _try in range(_TRIES):
        number = secrets.randbelow(1 << 16)
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            connection.settimeout(_SECONDS)
            try:
                connection.connect((server, port))
                connection.send(encode(number, name, kind, client))
                records = decode(connection.recv(4096), number)
                return tuple(record.data for record in records if record.kind == kind)
            except TimeoutError:
                problem = OSError("no answer in time")
            except ValueError as error:
                problem = OSError(str(error))
    raise problem
