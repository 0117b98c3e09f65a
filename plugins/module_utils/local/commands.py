# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs: one way, with an error that says what failed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from .instance import LocalError


def run(
    argv: Sequence[str], *, stdin: str | None = None, check: bool = True, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its result; no shell.

    Raises LocalError when it can't be started, exits non-zero (unless check is False) or takes longer than
    timeout (seconds).
    """
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise LocalError(f"{argv[0]} is not installed: run `make setup`") from error
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"no answer within {timeout:.0f} s: {' '.join(argv)}") from error
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing said")[-2000:]
        raise LocalError(f"exit {done.returncode} of `{' '.join(argv)}`: {said}")
    return done
