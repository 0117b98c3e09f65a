# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans of requests, read from HAProxy's access log; pure.

A span is as Zipkin's API of version 2 takes it (https://zipkin.io/zipkin-api/), which Jaeger takes as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

UNTRACED = b'"trace":"-"'
"""What a line of a request that isn't traced holds."""

_TRACE = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{16})?-([0-9]{16})")
_TAGS = {
    "request_id": "request_id", "method": "http.method", "path": "http.path", "status": "http.status_code",
    "geography": "geography", "country": "country", "region": "region", "retries": "retries",
}  # fmt: skip
_NOTHING = (None, "", "-", "<NOSRV>")
_WELL_ENDED = "----"


def span_of(line: bytes, service: str, tags: Mapping[str, str]) -> dict[str, Any] | None:
    """The span of one request; None of a line without any.

    Args:
        line: a line of the access log, with or without what a container's runtime writes before it.
        service: who wrote it, such as `edge`.
        tags: further tags; they win over the line's.
    """
    begins = line.find(b"{")
    if begins < 0 or UNTRACED in line:
        return None
    try:
        entry = json.loads(line[begins:])
    except ValueError:
        return None
    found = _TRACE.fullmatch(str(entry.get("trace", ""))) if isinstance(entry, dict) else None
    if found is None:
        return None
    trace, own, parent, began = found.groups()
    return {
        "traceId": trace, "id": own, **({"parentId": parent} if parent else {}), "kind": "SERVER",
        "name": str(entry.get("method", "")).lower() or "request",
        "timestamp": int(began), "duration": max(1, round(float(entry.get("milliseconds", 0)) * 1000)),
        "localEndpoint": {"serviceName": service}, "tags": _tags(entry, tags),
    }  # fmt: skip


def _tags(entry: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, str]:
    """What the line says, by the names that Zipkin and OpenTelemetry have for it where they have one."""
    made = {tag: str(entry[field]) for field, tag in _TAGS.items() if entry.get(field) not in _NOTHING}
    status = made.get("http.status_code", "")
    if status.startswith("5") or entry.get("ended", _WELL_ENDED) != _WELL_ENDED:
        made["error"] = f"{status} {entry.get('ended', '')}".strip()
    return made | dict(more)
