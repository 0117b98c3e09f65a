# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what the selected regions' providers need is asked for, and old versions are told from new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tools import (
    PROVIDER_TOOLS,
    missing_image_tools,
    missing_tools,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import PROVIDERS

SAID = {
    "kubectl": "Client Version: v1.24.0\nKustomize Version: v4.5.4",
    "aws": "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64",
    "gcloud": "Google Cloud SDK 470.0.0\nbq 2.1.3",
    "gke-gcloud-auth-plugin": "Kubernetes v1.28.2-alpha+hash",
    "docker": "Docker version 20.10.24+dfsg1, build 297e128",
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
    assert len(both) == 4 and "needed for regions of aws, gcp" in both[0]


@pytest.mark.parametrize(
    ("command", "said", "code", "words"),
    [
        ("kubectl", "Client Version: v1.9.7", 0, "kubectl is 1.9, 1.24 or newer is needed for regions of aws"),
        ("aws", "aws-cli/1.32.1 Python/3.11.8", 0, "aws is 1.32, 2.0 or newer is needed for regions of aws"),
        ("kubectl", "unknown", 0, "kubectl is of an unknown version"),
        ("aws", "broken", 3, "`aws --version` doesn't work, needed for regions of aws: exit 3"),
    ],
)
def test_what_is_old_or_broken_is_told(path: Path, command: str, said: str, code: int, words: str) -> None:
    put(path, command, said, code)
    (told,) = missing_tools(["aws"])
    assert words in told


def test_an_image_is_built_with_buildah_or_with_docker_and_buildx(path: Path) -> None:
    assert missing_image_tools() == []
    (path / "docker").unlink()
    (told,) = missing_image_tools()
    assert told.startswith("docker is not there, needed for building the image: apt-get install buildah")
    put(path, "buildah", "buildah version 1.28.2")
    assert missing_image_tools() == []


@pytest.mark.parametrize(
    ("version", "buildx", "words"),
    [
        ("Docker version 20.10.0, build x", 0, []),
        ("Docker version 27.3.1, build x", 0, []),
        ("Docker version 19.03.15, build x", 0, ["docker is 19.03, 20.10 or newer is needed for building the image"]),
        ("Docker version 20.10.0, build x", 1, ["`docker buildx version` doesn't work, needed for building the image"]),
    ],
)
def test_docker_is_new_enough_and_has_buildx(path: Path, version: str, buildx: int, words: list[str]) -> None:
    (path / "docker").write_text(f"#!/bin/sh\n[ $1 = buildx ] && exit {buildx}\necho '{version}'\n")
    found = missing_image_tools()
    assert len(found) == len(words)
    assert all(word in line and "https://docs.docker.com/" in line for word, line in zip(words, found))
