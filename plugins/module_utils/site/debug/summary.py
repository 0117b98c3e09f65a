# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page of what was found, what is wrong first. Pure; what nobody answered is a dash."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..questions import parse
from ..status import describe
from .certificates import Left
from .look import Answer
from .plan import API, Places

UNKNOWN = "-"
CERTIFICATE_DAYS = 14.0
MANY_RESTARTS = 3
NEW_SECONDS = 3600.0
"""Age up to which a warning of a region counts."""

_ADDRESS = re.compile(r"^\S+\s+\d+\s+IN\s+A\s+(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that was looked at."""

    places: Places
    nodes: Mapping[str, Mapping[str, Any]]
    answers: Mapping[str, Answer]
    certificates: Mapping[str, Left]
    now: float
    seconds: float = 0.0

    def text(self, file: str) -> str:
        """What a question was answered; empty without an answer."""
        answer = self.answers.get(file)
        return answer.text if answer and not answer.trouble else ""

    def data(self, file: str) -> Any:
        """The same as JSON; None where it is none."""
        try:
            return json.loads(self.text(file))
        except ValueError:
            return None


def summary(found: Found) -> str:
    """The page."""
    asked, silent = len(found.answers), sum(bool(item.trouble) and not item.quiet for item in found.answers.values())
    when = datetime.fromtimestamp(found.now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    troubles = list(dict.fromkeys(problems(found)))
    return "\n".join([
        "",
        f"DEBUG  {found.places.name}, {when}: {asked} questions in {found.seconds:.0f} s, {silent} unanswered",
        "",
        *(f"  LOOK AT  {line}" for line in troubles or ["nothing: all is as it should be"]),
        "",
        *_table([["region", "API", "pods ready", "restarts", "warnings", "requests/s", "errors", "P95", "probes",
                  "routing", "certificate"], *(_region(found, name) for name in found.places.regions)]),
        "",
        *_table([["edge", "active", "certificate", "fires"], *(_edge(found, name) for name in found.places.edges)]),
        "",
        *_table([["client", "country", *(f"DNS of {edge}" for edge in found.places.edges), "served by"],
                 *(_client(found, client) for client in found.places.clients)]),
    ]).rstrip() + "\n"  # fmt: skip


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]


def _region(found: Found, name: str) -> list[str]:
    pods, routed = _pods(found, name), _routing(found).get(name)
    admitted = f"{routed['phase']} {routed['admission']:.0%} {routed['verdict']}" if routed else UNKNOWN
    return [
        name,
        "ok" if found.text(API.format(name)) else "silent",
        f"{sum(ready for ready, _restarts in pods.values())}/{len(pods)}" if pods else UNKNOWN,
        str(sum(restarts for _ready, restarts in pods.values())) if pods else UNKNOWN,
        UNKNOWN if (warnings := _warnings(found, name)) is None else str(len(warnings)),
        _number(_measured(found, "requests").get(name), "{:.1f}"),
        _number(_measured(found, "errors").get(name), "{:.2%}"),
        _number(_measured(found, "p95").get(name), "{:.3f} s"),
        _number(_measured(found, "availability").get(name), "{:.0%}"),
        admitted,
        _days(found.certificates.get(name)),
    ]


def _edge(found: Found, name: str) -> list[str]:
    told = found.data(f"edges/{name}/routing.json")
    active = UNKNOWN if not isinstance(told, dict) else "yes" if told.get("active") else "no"
    fires = _fires(found, name)
    return [name, active, _days(found.certificates.get(name)), UNKNOWN if fires is None else ", ".join(fires) or "none"]


def _client(found: Found, client: str) -> list[str]:
    told = [" ".join(_addresses(found, client, edge)) or UNKNOWN for edge in found.places.edges]
    answer = parse(found.text(f"clients/{client}/answer.txt"), ())
    served = answer.error or f"{answer.region} in {answer.seconds * 1000:.0f} ms"
    return [client, found.places.clients[client], *told, served]


def _number(value: float | None, form: str) -> str:
    return UNKNOWN if value is None or math.isnan(value) else form.format(value)


def _days(left: Left | None) -> str:
    return UNKNOWN if left is None or left.days is None else f"{left.days:.0f} days"


def _addresses(found: Found, client: str, edge: str) -> list[str]:
    return sorted(_ADDRESS.findall(found.text(f"clients/{client}/dns-{edge}.txt")))


def _pods(found: Found, region: str) -> dict[str, tuple[bool, int]]:
    """Pods of the workload by name: whether each is ready, and how often its containers were started anew."""
    pods = {}
    for item in (found.data(f"regions/{region}/pods.json") or {}).get("items", ()):
        if item["metadata"]["namespace"] in found.places.namespaces:
            status = item.get("status", {})
            ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
            restarts = sum(one.get("restartCount", 0) for one in status.get("containerStatuses", ()))
            pods[f"{item['metadata']['namespace']}/{item['metadata']['name']}"] = (ready, restarts)
    return pods


def _warnings(found: Found, region: str) -> list[str] | None:
    """Warnings of the last hour."""
    told = found.data(f"regions/{region}/events.json")
    if told is None:
        return None
    lines = []
    for item in told["items"]:
        at = item.get("lastTimestamp") or item.get("eventTime") or item["metadata"].get("creationTimestamp") or ""
        if item.get("type") == "Warning" and _age(at, found.now) <= NEW_SECONDS:
            lines.append(f"{item.get('involvedObject', {}).get('name', '')}: {item.get('message', '')}".strip())
    return lines


def _age(text: str, now: float) -> float:
    try:
        return now - datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return float("inf")


def _measured(found: Found, what: str) -> dict[str, float]:
    """What the first edge whose Prometheus answers has by region."""
    for edge in found.places.edges:
        samples = _samples(found, edge, what)
        if samples:
            return {labels.get("region", ""): value for labels, value in samples}
    return {}


def _samples(found: Found, edge: str, what: str) -> list[tuple[dict[str, str], float]] | None:
    told = found.data(f"edges/{edge}/{what}.json")
    if not isinstance(told, dict) or told.get("status") != "success":
        return None
    return [(item["metric"], float(item["value"][1])) for item in told["data"]["result"]]


def _fires(found: Found, edge: str) -> list[str] | None:
    samples = _samples(found, edge, "firing")
    if samples is None:
        return None
    return sorted({" ".join(filter(None, (labels["alertname"], labels.get("region", "")))) for labels, _one in samples})


def _routing(found: Found) -> dict[str, dict[str, Any]]:
    """What the newest of the edges' status pages says of each region."""
    pages = [page for edge in found.places.edges if isinstance(page := found.data(f"edges/{edge}/status.json"), dict)]
    newest = max(pages, key=lambda page: float(page.get("generated_at", 0)), default={})
    return {region["name"]: region for region in newest.get("regions", ())}


def problems(found: Found) -> Iterator[str]:
    """A line for everything that isn't as it should be."""
    for name, state in found.nodes.items():
        if not state["running"] or state["faults"] or state["down"]:
            yield f"{name}: {describe(state)}"
    for name in found.places.regions:
        yield from _region_problems(found, name)
    for name, left in found.certificates.items():
        if left.trouble:
            yield f"certificate of {name}: {left.trouble}"
        elif left.days is not None and left.days < CERTIFICATE_DAYS:
            yield f"certificate of {name}: {left.days:.0f} days left"
    for edge in found.places.edges:
        yield from (f"{name} fires on {edge}" for name in _fires(found, edge) or ())
    for client in found.places.clients:
        yield from _client_problems(found, client)


def _region_problems(found: Found, name: str) -> Iterator[str]:
    if not found.text(API.format(name)):
        trouble = found.answers[API.format(name)].trouble if API.format(name) in found.answers else "not asked"
        yield f"{name}: its API doesn't answer ({trouble})"
    for pod, (ready, restarts) in _pods(found, name).items():
        if not ready or restarts > MANY_RESTARTS:
            yield f"{name}: {pod} is {'ready' if ready else 'not ready'}, started anew {restarts} times"
    routed = _routing(found).get(name)
    if routed and (routed["admission"] < 1 or routed["verdict"] != "OK"):
        yield f"{name}: {routed['phase']}, {routed['verdict']}, gets {routed['admission']:.0%}: {routed['reason']}"


def _client_problems(found: Found, client: str) -> Iterator[str]:
    told = {edge: tuple(_addresses(found, client, edge)) for edge in found.places.edges}
    yield from (f"{client}: the name server of {edge} gives no address" for edge in told if not told[edge])
    if len({addresses for addresses in told.values() if addresses}) > 1:
        yield f"{client}: the name servers disagree"
    if found.places.roots:
        answer = parse(found.text(f"clients/{client}/answer.txt"), ())
        said = found.answers.get(f"clients/{client}/answer.txt", Answer())
        if answer.error:
            yield f"{client} isn't served: {said.trouble or answer.error}"
