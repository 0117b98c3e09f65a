# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking secrets out of what programs said: those that are known by value, and what looks like one. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

HIDDEN = "[hidden]"
SHORTEST = 8
"""A shorter value would hide words that are no secret."""

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}"),  # the same in base64
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),  # a JSON web token
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}|(?<=basic )[A-Za-z0-9+/=]{8,}"),
    re.compile(r"\bsk-[\w-]{16,}"),  # a key of an LLM provider
)


def redacted(text: str, secrets: Collection[str]) -> str:
    """The text without them; `secrets` are known values, hidden in base64 as well."""
    for value in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


def _forms(secrets: Collection[str]) -> set[str]:
    """Every secret as it is, and in base64 wherever it begins in what is encoded."""
    found = {value for value in secrets if len(value) >= SHORTEST}
    return found | {form for value in found for form in _encoded(value.encode())}


def _encoded(value: bytes) -> Iterator[str]:
    """The part of base64 that is the same whatever stands before and after the value."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value).decode().rstrip("=")
        yield text[(0, 2, 3)[before] : len(text) - (0 if (before + len(value)) % 3 == 0 else 1)]


def values(text: str) -> set[str]:
    """Values of a file of secrets: every text in its JSON, else the last word of each of its lines."""
    try:
        return set(_texts(json.loads(text)))
    except ValueError:
        return {words[-1] for line in text.splitlines() if (words := line.split())}


def _texts(item: Any) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, dict):
        for value in item.values():
            yield from _texts(value)
    elif isinstance(item, list):
        for value in item:
            yield from _texts(value)
