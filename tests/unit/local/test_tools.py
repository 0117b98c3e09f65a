# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what the selected regions' providers need is asked for, and old versions are told from new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tools import PROVIDER_TOOLS, missing_tools
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import PROVIDERS

SAID = {
    "kubectl": "Client Version: v1.24.0\nKustomize Version: v4.5.4",
    "aws": "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64",
    "gcloud": "Google Cloud SDK 470.0.0\nbq 2.1.3",
    "gke-gcloud-auth-plugin": "Kubernetes v1.28.2-alpha+hash",
    "az": '{\n  "azure-cli": "2.58.0"\n}',
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path with every command in it, and nothing else."""
    for command, said in SAID.items():
        put(tmp_path, command, said)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, command: str, said: str, code: int = 0) -> None:
    (folder / command).write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}'\nexit {code}\n")
    (folder / command).chmod(0o755)


def test_every_provider_has_its_line_and_finds_what_it_needs(path: Path) -> None:
    assert set(PROVIDER_TOOLS) == set(PROVIDERS)
    assert missing_tools(PROVIDERS) == []


def test_nothing_is_asked_for_that_no_region_needs(path: Path) -> None:
    for command in SAID:
        (path / command).unlink()
    assert missing_tools(["local", ""]) == []
    told = missing_tools(["local", "azure"])
    assert [line.split(" is not there")[0] for line in told] == ["kubectl", "az"]
    assert all(": https://" in line for line in told)
    both = missing_tools(["gcp", "aws", "gcp"])
    assert len(both) == 4 and "regions of aws, gcp need" in both[0]


@pytest.mark.parametrize(
    ("command", "said", "code", "words"),
    [
        ("kubectl", "Client Version: v1.9.7", 0, "kubectl is 1.9, regions of aws need 1.24 or newer"),
        ("aws", "aws-cli/1.32.1 Python/3.11.8", 0, "aws is 1.32, regions of aws need 2.0 or newer"),
        ("kubectl", "unknown", 0, "kubectl is of an unknown version"),
        ("aws", "broken", 3, "aws doesn't work: exit 3"),
    ],
)
def test_what_is_old_or_broken_is_told(path: Path, command: str, said: str, code: int, words: str) -> None:
    put(path, command, said, code)
    (told,) = missing_tools(["aws"])
    assert words in told
