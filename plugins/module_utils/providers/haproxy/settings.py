# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator may set about HAProxy besides the policy: limits, times and places of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of edges, gateways and the static site alike.

    Attributes:
        https_port, http_port, metrics_port: TCP ports that are listened on.
        certificate: PEM with chain and key, or a chain `x.crt` beside its key `x.key`.
        ca_file: roots that the regions' certificates are verified by.
        admin_socket: UNIX socket of the runtime interface, for root alone; empty for none.
        ask_socket: UNIX socket that only root may ask an edge by, as a client of any geography; empty for none.
        state_file: the weights of an edge's servers, for after a reload or restart; empty for none.
        user: account to run as once ports and certificates are open; empty stays as started.
        proxy_protocol_networks: networks that must open connections with the PROXY protocol.
        country_map: map of networks to countries, made of a country database; empty for none.
        metrics_networks: networks that may read the metrics port and the status page on it.
        status_port: the routing agent's port on loopback, which has the status page; 0 for none.
        connect_milliseconds: TCP connect and TLS handshake with a region.
        unacknowledged_milliseconds: how long a region's kernel may leave sent data unacknowledged.
        quick_milliseconds: first byte of the answer to a repeatable request (GET, HEAD, OPTIONS, PUT, DELETE, or with
            Idempotency-Key) whose client asks for haste by `Prefer: wait=1` or `wait=2`; after it another region is
            tried. Other repeatable requests have the policy's `health.latency_seconds`.
        answer_seconds: first byte of every other answer, of slow paths, and of requests with a longer `Prefer: wait`.
        slow_paths: beginnings of paths that may take `answer_seconds` even when they could be tried again.
        errors_in_a_row: failed connections of real requests that take a region out without waiting for its check.
        retries: further attempts, each on another region.
        slow_client_seconds: time a client has to send its whole request.
        idle_seconds: time an idle client connection is kept.
        rate_window_seconds, rate_limit: at most so many requests of one address in so many seconds; 0 for no limit.
        connection_limit: connections of one address at once; 0 for no limit.
        maximum_connections: of the whole process.
        maximum_header_bytes: buffer of one request; longer bodies aren't tried again.
        drain_seconds: time the old process has to finish its requests after a reload.
        hsts_seconds: how long browsers insist on TLS.
        trace_ratio: ratio (0-1) of requests that are traced; 0 for none, and without the fields of traces in the log.
        acme_thumbprint: thumbprint of an ACME account, to answer HTTP-01 without state; empty answers 404.
    """

    https_port: int = 443
    http_port: int = 80
    metrics_port: int = 8404
    certificate: str = "/node/etc/haproxy/tls.crt"
    ca_file: str = "/node/etc/haproxy/ca.pem"
    admin_socket: str = "/run/haproxy-admin.sock"
    ask_socket: str = "/run/haproxy-ask.sock"
    state_file: str = "/node/data/haproxy/servers.state"
    user: str = "haproxy"
    proxy_protocol_networks: tuple[str, ...] = ()
    country_map: str = ""
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    status_port: int = 9469
    connect_milliseconds: int = 1000
    unacknowledged_milliseconds: int = 1000
    quick_milliseconds: int = 1000
    answer_seconds: int = 60
    slow_paths: tuple[str, ...] = ()
    errors_in_a_row: int = 20
    retries: int = 2
    slow_client_seconds: int = 5
    idle_seconds: int = 60
    rate_window_seconds: int = 10
    rate_limit: int = 10000
    connection_limit: int = 2000
    maximum_connections: int = 8000
    maximum_header_bytes: int = 16384
    drain_seconds: int = 65
    hsts_seconds: int = 31536000
    trace_ratio: float = 0.0
    acme_thumbprint: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read a role's variable. Raises ValueError for a key that isn't a setting."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"unknown HAProxy settings: {', '.join(unknown)}")
        values: dict[str, Any] = {key: tuple(item) if isinstance(item, list) else item for key, item in data.items()}
        return cls(**values)
