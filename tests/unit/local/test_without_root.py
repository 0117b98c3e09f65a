# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without root every target ends with one line that says so, and touches nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = sorted({*re.findall(r"^([a-z-]+):(?=.* ## )", MAKEFILE, re.M), "region-down", "region-heal"} - {"help"})
NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")


@pytest.fixture(name="copy", scope="module")
def fixture_copy() -> Iterator[Path]:
    """What a target needs first, in a folder that nobody owns and reaches."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        yield folder


def as_nobody(folder: Path, *command: str) -> tuple[int, list[str]]:
    """Exit status of a command without rights, and the lines that it printed."""
    words = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["setpriv", *words, *command], cwd=folder, env=plain, capture_output=True, text=True,
                          check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_the_targets_are_found() -> None:
    assert {"site", "status", "drill", "clean", "test", "region-logs"} <= set(TARGETS)


@pytest.mark.parametrize("command", [*(f"make {target}" for target in TARGETS), "scripts/setup.sh"])
def test_one_line_says_that_root_is_needed(copy: Path, command: str) -> None:
    before = {path: path.lstat().st_mtime_ns for path in copy.rglob("*")}
    status, lines = as_nobody(copy, *command.split(), *(["REGION=x", "GEO=eu", "NODE=x"] if "make" in command else []))
    assert status != 0
    (line,) = lines
    assert "needs root" in line and "sudo" in line
    assert {path: path.lstat().st_mtime_ns for path in copy.rglob("*")} == before
