# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vantage point has to know to observe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..routing.model import Policy, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One vantage point's view on all regions.

    Attributes:
        vantage: name of the host or region that looks.
        kind: routing.observations.EDGE or PEER.
        policy, regions: as everywhere; a region's endpoint is what is probed.
        port: TCP port of the endpoints.
        tls: whether they speak TLS; tests may do without.
        ca_file: roots that the regions' certificates are verified by; empty for the system's.
        body: text that a healthy answer holds; empty for any.
        admin_socket: HAProxy's admin socket, whose counters are read; empty for none.
        backend, slow_table: names of HAProxy's backend with a server a region and of its table of slow requests.
        prometheus: pairs of region and URL of its Prometheus, such as https://10.77.1.2:9490.
        prometheus_ca_file, certificate_file, key_file: of the mutual TLS with them.
        queries: PromQL by figure, as `prometheus.QUERIES`; what is left out is taken from there.
        deadline_seconds: when an observation ends in any case.
    """

    vantage: str
    policy: Policy
    regions: tuple[Region, ...]
    kind: str = "edge"
    port: int = 443
    tls: bool = True
    ca_file: str = "/node/etc/haproxy/ca.pem"
    body: str = ""
    admin_socket: str = "/run/haproxy-admin.sock"
    backend: str = "regions"
    slow_table: str = "slow"
    prometheus: tuple[tuple[str, str], ...] = ()
    prometheus_ca_file: str = "/node/etc/routing/ca.crt"
    certificate_file: str = "/node/etc/routing/tls.crt"
    key_file: str = "/node/etc/routing/tls.key"
    queries: tuple[tuple[str, str], ...] = ()
    deadline_seconds: float = 1.5

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], policy: Policy, regions: tuple[Region, ...]) -> Config:
        """Read everything but policy and regions, as JSON has it. Raises ValueError for a key that is no field."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)} | set(data) & {"policy", "regions"})
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(unknown)}")
        values: dict[str, Any] = {
            key: tuple(item.items()) if isinstance(item, Mapping) else item for key, item in data.items()
        }
        return cls(policy=policy, regions=regions, **values)
