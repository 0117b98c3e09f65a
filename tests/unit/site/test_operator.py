# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision log names people, not accounts of machines, wherever it can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.lookup.operator import operator

ROOT = Path(__file__).resolve().parents[3]
SUDO = {"SUDO_USER": "anna"}


@pytest.mark.parametrize(
    ("variables", "environment", "name"),
    [
        ({"awx_user_name": "berta"}, SUDO, "berta"), ({"tower_user_name": "carl"}, SUDO, "carl"),
        ({"awx_user_name": ""}, SUDO, "anna"), ({}, SUDO, "anna"), ({}, {}, "root"),
    ],
)
def test_who_runs_this(variables: dict[str, str], environment: dict[str, str], name: str) -> None:
    assert operator(variables, environment, "root") == name


def test_a_job_of_awx_names_its_user() -> None:
    command = ["ansible", "localhost", "-e", "awx_user_name=berta", "-m", "ansible.builtin.debug", "-a",
               "msg={{ lookup('llm_verifier.multi_region.operator') }}"]
    said = subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], capture_output=True, text=True,
                          check=True, cwd=ROOT, env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "minimal"})
    assert json.loads(said.stdout.partition("=>")[2])["msg"] == "berta"
