# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run tells what it did."""

from __future__ import annotations

from typing import Any

from .build import Found


def result(found: Found) -> dict[str, Any]:
    """Return a module's result."""
    after = found.image or (f"{found.repository}:{found.key} (digest known after the build)" if found.changed else "")
    return {
        "changed": found.changed, "image": found.image, "digest": found.digest, "repository": found.repository,
        "key": found.key, "platforms": list(found.platforms), "built": found.built,
        "diff": {"before": "" if found.changed else f"{after}\n", "after": f"{after}\n"},
    }
