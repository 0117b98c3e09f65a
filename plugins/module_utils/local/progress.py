# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long step is doing, as the last line of a file that the board shows."""

from __future__ import annotations

from pathlib import Path


def report(progress_file: str | None, what: str) -> None:
    """Append one line; without a file nothing happens."""
    if progress_file:
        path = Path(progress_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as output:
            output.write(what.replace("\n", " ") + "\n")
