# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that back ends keep."""

from __future__ import annotations

from pathlib import Path


def read_or_empty(path: Path) -> str:
    """A file's text, empty where there is none. Raises OSError for one that can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
