# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts that every HAProxy configuration of the front door has alike."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from .settings import Settings

CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)

# Paths are logged without the query, which may hold secrets, and cut: a line over HAProxy's limit would end half-way.
_LOG_PATH_BYTES = 512
_LOG_LINE_BYTES = 8192
_LOG_TEXTS = {
    "request_id": "%ID",
    "client": "%[src]",
    "country": "%[var({scope}.country)]",
    "geography": "%[var({scope}.geography)]",
    "method": "%HM",
    "path": f"%[capture.req.uri,field(1,?),bytes(0,{_LOG_PATH_BYTES}),json(utf8s)]",
    "region": "%s",
    "retries": "%rc",
    "tls": "%sslv",
    "ended": "%tsc",
}
_TOLD_ID = "%[var(txn.request_id)]"
# The time is in seconds since the epoch: words cost more than all other fields together.
_LOG_NUMBERS = {
    "time": "%Ts.%ms",
    "status": "%ST",
    "milliseconds": "%Ta",
    "answer_milliseconds": "%Tr",
    "in": "%U",
    "out": "%B",
}

_ERRORS = {
    400: "bad request",
    408: "request took too long",
    429: "too many requests",
    500: "internal error",
    502: "bad answer from the region",
    503: "no region can serve this now",
    504: "the region took too long",
}
_RETRY_AFTER = {429: 10, 503: 5}


def section(title: str, lines: Iterable[str]) -> str:
    """One section of a configuration, its lines indented, a blank line after it."""
    return f"{title}\n" + "".join(f"  {line}\n" for line in lines) + "\n"


def header(what: str, generation: int | None = None) -> str:
    """The first lines of a file."""
    made = "" if generation is None else f" Routing table generation {generation}."
    return f"# {what}. Written by llm_verifier.multi_region; edits are overwritten.{made}\n\n"


def scope(networks: Collection[str]) -> str:
    """How long what is known of a client holds: for a connection, or for a request where trusted proxies tell it."""
    return "txn" if networks else "sess"


def access_log(networks: Collection[str] = (), **more: str) -> list[str]:
    """The access log of a frontend: one JSON object a line, with its own time; `more` names further texts."""
    values = {**_LOG_TEXTS, **({"request_id": _TOLD_ID} if networks else {}), **more}
    texts = [f'"{name}":"{value.replace("{scope}", scope(networks))}"' for name, value in values.items()]
    numbers = [f'"{name}":{value}' for name, value in _LOG_NUMBERS.items()]
    raw = f"log stdout len {_LOG_LINE_BYTES} format raw local0 info"
    return ["no log", raw, "log-format '{" + ",".join(texts + numbers) + "}'"]


def error_pages() -> list[str]:
    """Errors that HAProxy makes itself, as JSON."""
    pages = []
    for status, text in _ERRORS.items():
        body = json.dumps({"error": text, "status": status})
        retry = f" hdr Retry-After {_RETRY_AFTER[status]}" if status in _RETRY_AFTER else ""
        pages.append(f"http-error status {status} content-type application/json string '{body}'{retry}")
    return pages


def global_section(settings: Settings) -> str:
    """Section `global`."""
    lines = [
        "log stdout format iso local0 notice",  # servers that go and come; requests have the access log
        f"maxconn {settings.maximum_connections}",
        f"hard-stop-after {settings.drain_seconds}s",
        f"ssl-default-bind-ciphers {CIPHERS}",
        "ssl-default-bind-options ssl-min-ver TLSv1.2",
        "ssl-default-server-options ssl-min-ver TLSv1.2",
        "ssl-load-extra-del-ext",
        f"tune.bufsize {settings.maximum_header_bytes}",
        "tune.h2.max-concurrent-streams 100",
    ]
    if settings.admin_socket:
        lines.append(f"stats socket {settings.admin_socket} mode 600 level admin expose-fd listeners")
    if settings.user:
        lines += [f"user {settings.user}", f"group {settings.user}"]
    return section("global", lines)


def defaults_section(settings: Settings) -> str:
    """Section `defaults`: slow clients are cut off before a region sees them."""
    return section(
        "defaults",
        [
            "mode http",
            "log global",
            "option dontlognull",
            "option http-buffer-request",
            "option idle-close-on-response",
            "unique-id-format %H-%pid-%Ts-%rt",  # a tenth of the cost of a UUID
            "http-reuse always",
            f"timeout http-request {settings.slow_client_seconds}s",
            f"timeout http-keep-alive {settings.idle_seconds}s",
            f"timeout client {settings.answer_seconds + 5}s",
            f"timeout client-fin {settings.slow_client_seconds}s",
            f"timeout connect {settings.connect_milliseconds}ms",
            "timeout queue 1s",
            f"timeout server {settings.answer_seconds}s",
            f"timeout tunnel {settings.answer_seconds}s",
            *error_pages(),
        ],
    )


def limit_table(settings: Settings) -> str:
    """The table of addresses that the limits are counted in."""
    window = settings.rate_window_seconds
    return section(
        "backend clients",
        [f"stick-table type ipv6 size 200k expire {max(60, window)}s store conn_cur,http_req_rate({window}s)"],
    )


def connection_limits(settings: Settings) -> list[str]:
    """Rules that refuse connections of an address that holds too many.

    Proxies are told apart by their clients: of those with X-Forwarded-For none is counted; of those with the PROXY
    protocol the told client is, which is known only once the connection's first bytes have come.
    """
    if not settings.connection_limit:
        return []
    count, full = "src table clients", f"{{ sc1_conn_cur gt {settings.connection_limit} }}"
    if not settings.proxy_protocol_networks:
        track = f"tcp-request connection track-sc1 {count} unless from_proxy"
        return [track, f"tcp-request connection reject if {full}"]
    return [
        f"tcp-request connection track-sc1 {count} unless from_proxy or proxy_protocol",
        f"tcp-request connection reject if {full}",
        f"tcp-request session track-sc1 {count} unless from_proxy",
        f"tcp-request session reject if {full}",
    ]


def request_limits(
    settings: Settings, networks: Collection[str] = (), connections_tracked: bool = True
) -> list[str]:
    """Rules that answer 429 to an address with too many requests; `networks` are those of trusted proxies.

    Where `connection_limits` and `source_rules` come before, a connection's requests are counted already.
    """
    if not settings.rate_limit:
        return []
    counted, many = connections_tracked and settings.connection_limit, f"gt {settings.rate_limit}"
    by_connection = [f"http-request deny deny_status 429 if {{ sc1_http_req_rate {many} }}"]
    if counted and not networks:
        return by_connection
    told = " if { var(txn.proxied) -m found }" if counted else ""
    return [
        *(by_connection if counted else []),
        f"http-request track-sc0 src table clients{told}",
        f"http-request deny deny_status 429 if {{ sc0_http_req_rate {many} }}",
    ]


def trust_rules(networks: Iterable[str]) -> list[str]:
    """Whose word about a client counts: that of listed networks. The others' headers are replaced."""
    listed = " ".join(networks)
    acl = f"acl from_proxy src {listed}" if listed else "acl from_proxy always_false"
    return [acl]


def proxy_protocol(settings: Settings) -> list[str]:
    """Listed networks must speak the PROXY protocol; the address that they tell counts as the peer's from there on."""
    if not settings.proxy_protocol_networks:
        return []
    networks = " ".join(settings.proxy_protocol_networks)
    return [f"acl proxy_protocol src {networks}", "tcp-request connection expect-proxy layer4 if proxy_protocol"]


def country_rules(
    settings: Settings, proxies: Collection[str], networks: str, countries: str, unknown: str, default: str
) -> list[str]:
    """The client's country and geography, looked up once a connection unless `proxies` tell the client.

    Args:
        settings: their `country_map` is asked where the policy's networks know nothing.
        proxies: networks of trusted proxies.
        networks, countries: maps of the policy's networks to countries and of countries to geographies.
        unknown, default: the country and the geography of what no map has.
    """
    holds = scope(proxies)
    rule = f"{'http-request' if proxies else 'tcp-request session'} set-var({holds}."
    found = [f"{rule}country) src,map_ip({settings.country_map or networks},{unknown})"]
    if settings.country_map:  # a look-up that finds nothing sets nothing
        found.append(f"{rule}country) src,map_ip({networks})")
    return [*found, f"{rule}geography) var({holds}.country),map_str({countries},{default})"]


def source_rules(networks: Collection[str]) -> list[str]:
    """The client's address and the request's id, made here or taken from a trusted proxy where there is any."""
    own = ["http-request del-header X-Request-ID", "unique-id-header X-Request-ID"]
    believed = [
        "http-request set-var(txn.proxied) bool(true) if from_proxy",
        "http-request set-src hdr_ip(x-forwarded-for,-1) if from_proxy { req.hdr(x-forwarded-for) -m found }",
        "http-request set-var(txn.request_id) req.hdr(x-request-id) "
        "if { var(txn.proxied) -m bool } { req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{8,128}$ }",
        "http-request set-var(txn.request_id) unique-id unless { var(txn.request_id) -m found }",
        "http-request set-header X-Request-ID %[var(txn.request_id)]",
    ]
    return [
        *(believed if networks else own),
        "http-request set-header X-Forwarded-For %[src]",
        "http-request set-header X-Forwarded-Proto https",
    ]


def plain_frontend(settings: Settings, rules: list[str], unless: str = "") -> str:
    """Port 80: what `rules` answer and ACME, everything else (but what `unless` says) is sent to TLS."""
    acme = "path_beg /.well-known/acme-challenge/"
    if settings.acme_thumbprint:
        token = f'lf-string "%[path,field(-1,/)].{settings.acme_thumbprint}"'
        challenge = f"http-request return status 200 content-type text/plain {token} if {{ {acme} }}"
    else:
        challenge = f"http-request return status 404 content-type text/plain string none if {{ {acme} }}"
    redirect = "http-request redirect scheme https code 308" + (f" unless {unless}" if unless else "")
    return section("frontend plain", [f"bind :{settings.http_port}", *access_log(), *rules, challenge, redirect])


def metrics_frontend(settings: Settings, rules: Iterable[str] = (), backend: str = "") -> str:
    """The metrics port, for listed networks; what `rules` call by the name of `backend` goes there."""
    unless, use = (f" unless {backend}", [f"use_backend {backend} if {backend}"]) if backend else ("", [])
    return section(
        "frontend metrics",
        [
            f"bind :{settings.metrics_port}",
            "no log",
            f"tcp-request connection reject unless {{ src {' '.join(settings.metrics_networks)} }}",
            *rules,
            "http-request use-service prometheus-exporter if { path /metrics }",
            f"http-request return status 200 content-type text/plain string ready{unless}",
            *use,
        ],
    )


def tls_bind(settings: Settings) -> str:
    """The `bind` line of the TLS port."""
    return f"bind :{settings.https_port} ssl crt {settings.certificate} alpn h2,http/1.1"


# What an answer gets that doesn't say it itself (OWASP's HTTP headers cheat sheet).
_PROTECTIVE = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


GATEWAY = "1.1 llm-verifier-gateway"
"""`Via` of an answer to an edge whose headers a region's gateway has set already."""

SAY_GATEWAY = f'http-after-response set-header Via "{GATEWAY}"'
"""How a gateway says so."""


def answer_headers(settings: Settings, networks: Collection[str] = (), finished: str = "") -> list[str]:
    """Headers of every answer, those that HAProxy makes itself too, but of one whose `Via` is `finished`."""
    told = "%[var(txn.request_id)] if { var(txn.request_id) -m found }"
    return [
        *([f'http-after-response allow if {{ res.hdr(via) -m str "{finished}" }}'] if finished else []),
        *(
            f'http-after-response set-header {name} "{value}" unless {{ res.hdr({name}) -m found }}'
            for name, value in _PROTECTIVE.items()
        ),
        "http-after-response del-header Server",
        f'http-after-response set-header Strict-Transport-Security "max-age={settings.hsts_seconds}; '
        'includeSubDomains"',
        f"http-after-response set-header X-Request-ID {told if networks else '%[unique-id]'}",
    ]
