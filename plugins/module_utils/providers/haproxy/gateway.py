# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway inside a region, unprivileged in a pod: the edge's certificate and limits before the region's Service."""

from __future__ import annotations

from ...routing.model import Policy, Site
from . import blocks, tracing
from .settings import Settings

CONFIGURATION = "haproxy.cfg"


def render(policy: Policy, site: Site, settings: Settings, region: str, backend: str) -> dict[str, str]:
    """The files of a region's gateway.

    Args:
        policy: names the domain and the health path.
        site: its edges are the only ones whose X-Forwarded-For and X-Request-ID count.
        settings: ports, certificate and limits of the gateway.
        region: the region's name, answered as X-Region.
        backend: host and port of the Service, such as llm-verifier.llm-verifier.svc.cluster.local:8080.
    """
    edges = [address for edge in site.edges for address in (edge.address, edge.node_address) if address]
    trusted = sorted({*edges, *site.trusted_proxies})
    parts = [
        blocks.header(f"Gateway of {region}"),
        blocks.global_section(settings),
        blocks.defaults_section(settings),
        blocks.limit_table(settings),
        _frontend(settings, region, trusted),
        _plain(policy, settings, trusted),
        blocks.metrics_frontend(settings),
        _service(backend),
    ]
    return {CONFIGURATION: "".join(parts).rstrip("\n") + "\n"}


def _frontend(settings: Settings, region: str, trusted: list[str]) -> str:
    return blocks.section(
        "frontend gateway",
        [
            blocks.tls_bind(settings),
            *blocks.trust_rules(trusted),
            *blocks.proxy_protocol(settings),
            *blocks.connection_limits(settings),
            *blocks.access_log(trusted, **tracing.log_fields(settings)),
            *blocks.source_rules(trusted),
            *tracing.rules(settings, trusted, begins=False),
            *blocks.request_limits(settings, trusted),
            *blocks.answer_headers(settings, trusted),
            f"{blocks.SAY_GATEWAY} if {{ var(txn.proxied) -m bool }}",
            f"http-after-response set-header X-Region {region}",
            "default_backend service",
        ],
    )


def _plain(policy: Policy, settings: Settings, trusted: list[str]) -> str:
    """Port 80: name servers ask here whether the region serves, so the answer is the Service's own."""
    path = policy.health.path
    limits = blocks.request_limits(settings, trusted, connections_tracked=False)
    rules = [*blocks.trust_rules(trusted), *limits, "default_backend service"]
    return blocks.plain_frontend(settings, rules, unless=f"{{ path {path} }}")


def _service(backend: str) -> str:
    """The region's Service. A kept connection would stay with a pod that is told to end: each request asks anew."""
    return blocks.section(
        "backend service",
        [
            "http-reuse never",
            "option redispatch 1",
            "retries 2",
            "retry-on conn-failure",
            "timeout connect 300ms",
            f"server service {backend} resolvers cluster init-addr last,libc,none",
        ],
    ) + blocks.section("resolvers cluster", ["parse-resolv-conf", "hold valid 10s", "hold other 30s"])
