# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a region's endpoint by its address, as a client of the public name would."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

_BODY_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect to, which name to ask for, and whom to trust (`ca_file` empty: the system's authorities)."""

    address: str
    port: int
    host: str
    tls: bool = True
    ca_file: str = ""
    timeout: float = 3.0


class _Connection(http.client.HTTPConnection):
    """Connects to an address and speaks TLS to a name."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        super().__init__(endpoint.host, endpoint.port, timeout=endpoint.timeout)
        self._endpoint = endpoint
        self._context = context

    def connect(self) -> None:
        """Open the connection."""
        raw = socket.create_connection((self._endpoint.address, self._endpoint.port), self._endpoint.timeout)
        self.sock = self._context.wrap_socket(raw, server_hostname=self._endpoint.host) if self._context else raw


def context_of(endpoint: Endpoint) -> ssl.SSLContext | None:
    """The TLS context of an endpoint, None for plain HTTP; OSError when the authority's file can't be read."""
    return ssl.create_default_context(cafile=endpoint.ca_file or None) if endpoint.tls else None


def ask(endpoint: Endpoint, path: str, context: ssl.SSLContext | None) -> tuple[int, Mapping[str, str]]:
    """One GET: its status and headers. OSError or http.client.HTTPException when there is no answer."""
    connection = _Connection(endpoint, context)
    try:
        connection.request("GET", path, headers={"Host": endpoint.host, "User-Agent": "llm-verifier-gate"})
        answer = connection.getresponse()
        answer.read(_BODY_LIMIT)
        return answer.status, dict(answer.getheaders())
    finally:
        connection.close()
