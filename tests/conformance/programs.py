# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the Debian tree that need no network and no rights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))


def program(name: str) -> str:
    """Where a program is: in the tree, else in PATH; skips the test without it."""
    found = [path for path in sorted((CACHE / "tree").glob(f"*/usr/bin/{name}")) if os.access(path, os.X_OK)]
    where = str(found[-1]) if found else shutil.which(name)
    if not where:
        pytest.skip(f"needs {name} of the Debian tree: `make site` as root builds it")
    return where
