# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run records on disk: one file a run, written after every outcome."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .private import locked, read_json, write_json
from .record import begun, interrupted, noted


def stamp() -> str:
    """Now, as it stands in a record."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(folder: str, run_id: str) -> Path:
    """The file of a run."""
    return Path(folder) / f"{run_id}.json"


def load(folder: str, run_id: str) -> dict[str, Any]:
    """The record of a run; FileNotFoundError when there is none."""
    record = read_json(path_of(folder, run_id))
    if record is None:
        raise FileNotFoundError(f"there is no record of run {run_id} in {folder}")
    return record


def begin(
    folder: str, image: str, primary: str, regions: Iterable[str], alive: Iterable[str], keep: int
) -> tuple[dict[str, Any], list[str]]:
    """Begin a run; returns its record and the regions that the run before it left without an outcome."""
    run_id = f"deploy-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"
    record = begun(run_id, stamp(), image, primary, regions, alive)
    path = path_of(folder, run_id)
    with locked(Path(folder) / "deploy"):
        older = sorted(Path(folder).glob("deploy-*.json"))
        left = interrupted(read_json(older[-1]) or {"regions": {}}) if older else []
        for gone in older[: max(len(older) - keep + 1, 0)]:
            gone.unlink(missing_ok=True)
        write_json(path, record)
    return record, left


def note(folder: str, run_id: str, region: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Write a region's outcome into the record of a run and return the record."""
    with locked(Path(folder) / "deploy"):
        record = noted(load(folder, run_id), region, {"at": stamp(), **outcome})
        write_json(path_of(folder, run_id), record)
    return record
