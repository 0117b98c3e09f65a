# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACME DNS-01 answers as gdnsd takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PREFIX = "_acme-challenge."


def command(records: Mapping[str, Iterable[str]]) -> list[str]:
    """The command that publishes `_acme-challenge.<domain>` -> values. Raises ValueError for other names, or none."""
    pairs = [(name, value) for name, values in sorted(records.items()) for value in values]
    if not pairs:
        raise ValueError("no challenge to publish")
    strange = [name for name, _value in pairs if not name.startswith(PREFIX)]
    if strange:
        raise ValueError(f"no name of a challenge: {strange[0]}")
    words = [word for name, value in pairs for word in (name.removeprefix(PREFIX), value)]
    return ["gdnsdctl", "-c", "/node/etc/gdnsd", "-t", "10", "acme-dns-01", *words]
