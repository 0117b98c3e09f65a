# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed wait leaves to look at: last events, last log lines, the next command. No values of Secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .client import KubeError
from .gate import Trouble
from .objects import Key, Kind

_KINDS = ("Pod", "ReplicaSet", "Deployment")
_SHORTEST = 6
_NO_LOG = "unable to retrieve container logs"


def last_events(events: Iterable[Mapping[str, Any]], names: Iterable[str], count: int = 5) -> list[str]:
    """The last events about objects whose names begin with one of these; warnings alone where there are any."""
    starts = tuple(names)
    objects = [(event.get("involvedObject") or {}, event) for event in events]
    about = [event for item, event in objects if item.get("name", "").startswith(starts) and item.get("kind") in _KINDS]
    about = [event for event in about if event.get("type") == "Warning"] or about
    about.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return [
        f"{event['involvedObject'].get('kind')} {event['involvedObject'].get('name')}: "
        f"{event.get('reason')}: {event.get('message', '').strip()}"
        for event in about[-count:]
    ]


def hidden(text: str, values: Iterable[str]) -> str:
    """The text without these values; ones too short to be secrets stay."""
    for value in sorted(set(values), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, "********")
    return text


def evidence(api: Any, subject: str, trouble: Trouble | None, secrets: Iterable[str]) -> tuple[list[str], list[str]]:
    """Events and log lines about a failed object (`Deployment namespace/name`); empty where the API gives none."""
    namespace, _unused, name = subject.rpartition(" ")[2].partition("/")
    try:
        events = last_events(api.list(Kind("v1", "Event"), namespace), [trouble.pod] if trouble else [name])
        lines = _log(api, trouble) if trouble else []
        values = [value for secret in secrets for value in _values(api, secret)]
    except KubeError as error:
        return [f"(none to be had: {error})"], []
    return [hidden(line, values) for line in events], [hidden(line, values) for line in lines]


def _log(api: Any, trouble: Trouble, count: int = 8) -> list[str]:
    path = f"/api/v1/namespaces/{trouble.namespace}/pods/{trouble.pod}/log"
    for previous in ("false", "true"):
        query = [("container", trouble.container), ("tailLines", str(count)), ("previous", previous)]
        try:
            text = api.request("get", path, query_params=query)
        except KubeError:
            continue
        text = text.strip() if isinstance(text, str) else json.dumps(text)
        if text and not text.startswith(_NO_LOG):
            return text.splitlines()
    return []


def _values(api: Any, secret: str) -> list[str]:
    namespace, _unused, name = secret.partition("/")
    item = api.read(Key(Kind("v1", "Secret"), namespace, name)) or {}
    return [base64.b64decode(value).decode("utf-8", "replace") for value in (item.get("data") or {}).values()]
