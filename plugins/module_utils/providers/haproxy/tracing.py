# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces by W3C Trace Context (https://www.w3.org/TR/trace-context/): HAProxy marks a request and logs its span.

HAProxy sends no spans: `module_utils/tracing` reads them from the access log.
"""

from __future__ import annotations

from collections.abc import Collection

from .settings import Settings

CARRIERS = ("traceparent", "tracestate", "b3")
"""Headers that would carry a stranger's trace, or a stranger's wish to be traced, into the workload."""

_MILLION = 1_000_000
_SAMPLED = "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"


def log_fields(settings: Settings) -> dict[str, str]:
    """The access log's field `trace`: `trace-span-parent-microseconds`, `-` of a request that isn't traced.

    Ids are in hexadecimal digits, the parent is empty at the root; it began at that time since the epoch.
    """
    return {"trace": "%[var(txn.span)]"} if settings.trace_ratio else {}


def rules(settings: Settings, networks: Collection[str] = (), begins: bool = True) -> list[str]:
    """Rules that trace a request, after `source_rules`; none when `settings.trace_ratio` is 0.

    Args:
        settings: the ratio of requests (0-1) that are traced.
        networks: those of trusted proxies, whose traces go on here.
        begins: whether traces begin here, too.
    """
    if not settings.trace_ratio:
        return []
    traced, proxied = "{ var(txn.trace) -m found }", "{ var(txn.proxied) -m bool }"
    carried = f"if {proxied} {{ req.hdr(traceparent) -m reg {_SAMPLED} }}"
    drawn = f"if !{traced} {{ rand({_MILLION}) lt {round(settings.trace_ratio * _MILLION)} }}"
    return [
        *([f"http-request set-var(txn.parent) req.hdr(traceparent),field(3,-) {carried}",
           "http-request set-var(txn.trace) req.hdr(traceparent),field(2,-) if { var(txn.parent) -m found }"]
          if networks else []),
        *([f"http-request set-var(txn.trace) uuid,regsub(-,,g) {drawn}"] if begins else []),
        *(f"http-request del-header {name}" for name in CARRIERS),
        f"http-request set-var(txn.own) uuid,regsub(-,,g),bytes(0,16) if {traced}",
        f"http-request set-header traceparent 00-%[var(txn.trace)]-%[var(txn.own)]-01 if {traced}",
        "http-request set-var-fmt(txn.span) "
        f"%[var(txn.trace)]-%[var(txn.own)]-%[var(txn.parent)]-%[date(0,us)] if {traced}",
    ]
