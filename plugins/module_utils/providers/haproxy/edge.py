# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge: the global load balancer before all regions.

Every region is one active server with its own check in one backend. The policy's order is a list of `use-server` rules
a geography, which HAProxy takes top down and which pass over servers that are down. A failed attempt is tried again by
`balance`, which avoids the server just tried: so a retry reaches another region before any check has spoken.

A decision is the weights of servers at run time (`adapter`), never part of this file: under `geo` a request draws
one number and the rules compare it with the weights; under the other algorithms `balance` goes by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...routing.model import RoutingTable, Site
from ..expectation import last_resort
from . import blocks, status, tracing
from .settings import Settings
from .weights import WHOLE, initial_weights, policy_drained

CONFIGURATION = "etc/haproxy/haproxy.cfg"
NETWORKS = "etc/haproxy/networks.map"
COUNTRIES = "etc/haproxy/countries.map"
UNKNOWN_COUNTRY = "ZZ"

SLOW = "slow"
"""The table of answers slower than the policy's `health.latency_seconds`: key is the region, `gpc0` counts."""


def render(table: RoutingTable, site: Site, settings: Settings) -> dict[str, str]:
    """The files of an edge below /node.

    Raises ValueError for regions without endpoints, and for a table that holds a decision: that would outlive it here.
    """
    missing = [region.name for region in table.regions if not region.endpoint]
    if missing:
        raise ValueError(f"regions without an endpoint: {', '.join(missing)}")
    if table.policy.algorithm == "geo" and any(route.shares[0] != 1 for route in table.routes):
        raise ValueError("a decision is applied at run time, not rendered")
    parts = [
        blocks.header("Global load balancer", table.generation),
        blocks.global_section(settings),
        _state_file(settings),
        blocks.defaults_section(settings),
        blocks.limit_table(settings),
        _slow_table(),
        _frontend(table, site, settings),
        blocks.plain_frontend(settings, _health_answer(table)),
        status.frontend(settings),
        _regions(table, site, settings),
        _static_site(table, site, settings),
        status.backend(settings),
    ]
    return {
        CONFIGURATION: "".join(parts).rstrip("\n") + "\n",
        NETWORKS: _lines(f"{network} {country}" for network, country in site.networks),
        COUNTRIES: _lines(f"{country} {geography}" for country, geography in table.countries),
    }


def _lines(items: Iterable[str]) -> str:
    return "".join(f"{item}\n" for item in items)


def _state_file(settings: Settings) -> str:
    """Where weights come from after a reload or restart; only their adapter writes there."""
    return blocks.section("global", [f"server-state-file {settings.state_file}"]) if settings.state_file else ""


def _slow_table() -> str:
    return blocks.section(f"backend {SLOW}", ["stick-table type string len 64 size 1k expire 24h store gpc0"])


def _alive(table: RoutingTable) -> list[str]:
    """Conditions, one of which holds when any region is up.

    Regions of weight 0, by policy or by a decision, don't count in `nbsrv`, and none does in a process that finishes
    its last requests after a reload.
    """
    return ["nbsrv(regions) gt 0", "stopping", *(f"srv_is_up(regions/{region.name})" for region in table.regions)]


def _alive_acls(table: RoutingTable) -> list[str]:
    return [f"acl any_region {condition}" for condition in _alive(table)]


def _health_answer(table: RoutingTable) -> list[str]:
    """What an edge says about itself: it is of use while it sees a region."""
    path = table.policy.health.path
    ok = "content-type application/json string '{\"status\":\"ok\"}'"
    bad = "content-type application/json string '{\"status\":\"no region\"}'"
    return [
        *_alive_acls(table),
        f"http-request return status 200 {ok} if {{ path {path} }} any_region",
        f"http-request return status 503 {bad} if {{ path {path} }}",
    ]


def _frontend(table: RoutingTable, site: Site, settings: Settings) -> str:
    lines = [
        blocks.tls_bind(settings),
        *([f"bind unix@{settings.ask_socket} mode 600 accept-proxy"] if settings.ask_socket else []),
        *blocks.trust_rules(site.trusted_proxies),
        *blocks.proxy_protocol(settings),
        *blocks.connection_limits(settings),
        *blocks.access_log(site.trusted_proxies, **tracing.log_fields(settings)),
        *_client_rules(table, site, settings),
        *tracing.rules(settings, site.trusted_proxies),
        *blocks.request_limits(settings, site.trusted_proxies),
        *blocks.answer_headers(settings, site.trusted_proxies, finished=blocks.GATEWAY),
        *_alive_acls(table),
        "use_backend regions if any_region",
        "default_backend static_site",
    ]
    return blocks.section("frontend edge", lines)


def _client_rules(table: RoutingTable, site: Site, settings: Settings) -> list[str]:
    """Who asks, and from where: at once, or when a trusted proxy has told it."""
    proxies = site.trusted_proxies
    source = blocks.source_rules(proxies)
    country = blocks.country_rules(
        settings, proxies, f"/node/{NETWORKS}", f"/node/{COUNTRIES}", UNKNOWN_COUNTRY, table.default
    )
    return [*source, *country] if proxies else [*country, *source]


def _regions(table: RoutingTable, site: Site, settings: Settings) -> str:
    health, host = table.policy.health, f"api.{table.policy.domain}"
    latency = round(health.latency_seconds * 1000)
    balance = "leastconn" if table.policy.algorithm == "least_connections" else "roundrobin"
    lines = [
        f"balance {balance}",
        *(["load-server-state-from-file global"] if settings.state_file else []),
        "option redispatch 1",
        "option srvtcpka",
        "srvtcpka-idle 1s",
        "srvtcpka-intvl 1s",
        "srvtcpka-cnt 3",
        f"retries {settings.retries}",
        "retry-on conn-failure empty-response response-timeout 502 503 504",
        "option httpchk",
        f"http-check send meth GET uri {health.path} ver HTTP/1.1 hdr Host {host}",
        "http-check expect status 200",
        f"timeout check {health.timeout_seconds}s",
        f"timeout server {latency}ms",
        f"default-server ssl verify required ca-file {settings.ca_file} sni str({host}) verifyhost {host} "
        f"check-sni {host} check inter {health.interval_seconds}s fastinter 300ms "
        f"fall {health.failures} rise {health.successes} tcp-ut {settings.unacknowledged_milliseconds} "
        f"observe layer4 error-limit {settings.errors_in_a_row} on-error mark-down",
        "acl idempotent method GET HEAD OPTIONS PUT DELETE",
        "acl keyed req.hdr(idempotency-key) -m found",
        "acl quick req.hdr(prefer) -m str -i wait=1 wait=2",
        "acl patient req.hdr(prefer) -m beg -i wait",
        *(f"acl patient path_beg {path}" for path in settings.slow_paths),
        *_attempt_limits(settings),
        "http-request disable-l7-retry if !idempotent !keyed",
        "http-response set-header X-Region %[srv_name]",
        *_slow_answers(latency),
        *_rules(table, blocks.scope(site.trusted_proxies)),
        *_servers(table),
    ]
    return blocks.section("backend regions", lines)


def _attempt_limits(settings: Settings) -> list[str]:
    """How long a request waits for one region's first byte, where that isn't the policy's latency."""
    limits = (("patient", settings.answer_seconds * 1000), ("!idempotent !keyed", settings.answer_seconds * 1000),
              ("quick idempotent", settings.quick_milliseconds), ("quick keyed", settings.quick_milliseconds))
    return [f"http-request set-timeout server {milliseconds}ms if {which}" for which, milliseconds in limits]


def _slow_answers(milliseconds: int) -> list[str]:
    """Count slow answers by region; a repeatable request that isn't patient never has one, it fails and is retried."""
    slow = f"{{ var(txn.begun) -m found }} {{ date(0,ms),sub(txn.begun) gt {milliseconds} }}"
    return [
        "http-request set-var(txn.begun) date(0,ms) if !idempotent !keyed !patient",
        f"http-response track-sc2 srv_name table {SLOW} if {slow}",
        f"http-response sc-inc-gpc0(2) if {slow}",
    ]


def _rules(table: RoutingTable, scope: str) -> list[str]:
    """The `use-server` rules: the draw, the first that is admitted at all, the plain order as last resort.

    Geographies take turns, so that a request's first region is found after as many rules as there are geographies.
    """
    if table.policy.algorithm != "geo":
        last = "{{ nbsrv eq 0 }} {here} !{{ stopping }}"
        return _in_turns({name: last_resort(table, name) for name in _geographies(table)}, scope, last)
    drained = policy_drained(table)
    serving = {route.name: [name for name in route.regions if name not in drained] for route in table.routes}
    return [
        f"http-request set-var(txn.draw) rand({WHOLE})",
        *_in_turns(serving, scope, "{here} {{ srv_uweight(regions/{region}),sub(txn.draw) gt 0 }}"),
        *_in_turns(serving, scope, "{here} {{ srv_uweight(regions/{region}) gt 0 }}"),
        *_in_turns({name: last_resort(table, name) for name in _geographies(table)}, scope, "{here}"),
    ]


def _geographies(table: RoutingTable) -> list[str]:
    return [route.name for route in table.routes]


def _in_turns(orders: Mapping[str, Sequence[str]], scope: str, condition: str) -> list[str]:
    """A rule a geography and region: every geography's first region, then every one's second, and so on."""
    longest = max(map(len, orders.values()))
    rules = []
    for place in range(longest):
        for geography, order in orders.items():
            if place < len(order):
                here = f"{{ var({scope}.geography) -m str {geography} }}"
                rules.append(f"use-server {order[place]} if {condition.format(here=here, region=order[place])}")
    return rules


def _servers(table: RoutingTable) -> list[str]:
    weights = initial_weights(table)
    return [f"server {region.name} {region.endpoint}:443 weight {weights[region.name]}" for region in table.regions]


def _static_site(table: RoutingTable, site: Site, settings: Settings) -> str:
    host = f"api.{table.policy.domain}"
    lines = ["http-response set-header X-Region static"]
    if site.static_site is None:
        lines = ["http-request return status 503 default-errorfiles"]
    else:
        tls = f"ssl verify required ca-file {settings.ca_file} sni str({host}) verifyhost {host}"
        lines.append(f"server {site.static_site.name} {site.static_site.address}:443 {tls}")
    return blocks.section("backend static_site", lines)
