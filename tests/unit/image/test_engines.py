# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What buildah and docker are asked for: against programs of that name that only take notes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import build
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.arguments import IMAGE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.buildah import Buildah
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.buildx import Buildx
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.engine import Job
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.registry import Registry

DIGEST = "sha256:" + "a" * 64
PROGRAM = r"""#!/usr/bin/python3
import json, os, sys
words = sys.argv[1:]
if words == ["--version"]:
    print("Docker version 24.0.7, build x")
    sys.exit()
option = lambda name: words[words.index(name) + 1] if name in words else ""
note = {"argv": words, "proxy": os.environ.get("http_proxy", "")}
if option("--authfile"):
    note["mode"] = oct(os.stat(option("--authfile")).st_mode & 0o777)
    note["auth"] = json.load(open(option("--authfile")))
with open("NOTES", "a") as notes:
    notes.write(json.dumps(note) + "\n")
if option("--digestfile"):
    open(option("--digestfile"), "w").write("DIGEST\n")
if option("--metadata-file"):
    json.dump({"containerimage.digest": "DIGEST"}, open(option("--metadata-file"), "w"))
if "inspect" in words or "FAIL" in " ".join(words):
    sys.exit("no such thing")
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a buildah and a docker on an otherwise empty path; return the file with what they were asked."""
    folder, file = tmp_path / "bin", tmp_path / "notes"
    folder.mkdir()
    for name in ("buildah", "docker"):
        program = folder / name
        program.write_text(PROGRAM.replace("NOTES", str(file)).replace("DIGEST", DIGEST))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("http_proxy", "http://proxy")
    return file


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def base(arch: str) -> str:
        return str(tmp_path / "base")
    return Job("app", "k" * 20, str(tmp_path), "Containerfile", ("amd64", "arm64"), {"V": "1"}, "basekey", base)


def noted(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def said(_line: str) -> None:
    """Say nothing."""


def test_buildah_makes_one_list_of_all_architectures(notes: Path, job: Job, tmp_path: Path) -> None:
    Buildah(str(tmp_path / "images")).build(job, Registry("r.io"), said)
    asked = [" ".join(note["argv"]) for note in noted(notes)]
    builds = [words for words in asked if " bud " in words]
    assert [words.partition("--platform linux/")[2][:5] for words in builds] == ["amd64", "amd64", "arm64", "arm64"]
    assert "--build-arg=V=1 --build-arg=BASE=localhost/llm-verifier-base:basekey-arm64" in builds[-1]
    image = f"localhost/app:{job.key}"
    assert asked[-1].endswith(f"create {image} {image}-amd64 {image}-arm64")


def test_another_base_is_taken_as_it_is(notes: Path, job: Job, tmp_path: Path) -> None:
    registry = Registry("r.io", username="me", password="secret")
    Buildah(str(tmp_path / "images")).build(replace(job, base_image="r.io/base:1"), registry, said)
    Buildah(str(tmp_path / "images")).build(replace(job, base_image="elsewhere.io/base:1"), registry, said)
    builds = [note for note in noted(notes) if "bud" in note["argv"]]
    bases = [note["argv"][-6].removeprefix("--build-arg=BASE=") for note in builds]
    assert bases == ["r.io/base:1", "r.io/base:1", "elsewhere.io/base:1", "elsewhere.io/base:1"]
    assert ["auth" in note for note in builds] == [True, True, False, False]


def test_a_password_is_in_a_private_file_and_then_gone(notes: Path, job: Job, tmp_path: Path) -> None:
    registry = Registry("r.io", username="me", password="secret")
    assert Buildah(str(tmp_path / "images")).push(job, registry, "app", said) == DIGEST
    push = noted(notes)[-1]
    assert push["mode"] == "0o600"
    assert push["auth"] == {"auths": {"r.io": {"auth": "bWU6c2VjcmV0"}}}
    assert not [word for word in push["argv"] if "secret" in word or "bWU6c2VjcmV0" in word]
    assert "--tls-verify=true" in push["argv"]
    assert push["proxy"] == "http://proxy"
    assert not list(tmp_path.rglob("auth.json"))


def test_a_registry_of_ones_own_is_not_behind_a_proxy(notes: Path, job: Job, tmp_path: Path) -> None:
    Buildah(str(tmp_path / "images")).push(job, Registry("10.77.210.2:5000", insecure=True), "app", said)
    push = noted(notes)[-1]
    assert (push["proxy"], "--tls-verify=false" in push["argv"]) == ("", True)


def test_buildx_builds_for_all_and_reports_the_digest(notes: Path, job: Job) -> None:
    assert Buildx().push(job, Registry("r.io"), "app", said) == DIGEST
    base, image = (" ".join(note["argv"]) for note in noted(notes))
    assert "--platform linux/amd64,linux/arm64" in image
    assert f"--tag r.io/app:{job.key}" in image
    assert "--tag r.io/app-base:basekey" in base
    assert "--build-arg=BASE=r.io/app-base:basekey" in image


def test_a_failure_says_what_the_program_said(notes: Path, job: Job) -> None:
    with pytest.raises(ImageError, match=r"docker buildx build of .*FAIL.* failed:\nno such thing"):
        Buildx().push(replace(job, key="FAIL"), Registry("r.io"), "app", said)


def test_which_program_builds(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {**{name: option.get("default") for name, option in IMAGE.items()}, "registry": "r.io",
                  "cache_dir": str(tmp_path), "tree": None}
    assert isinstance(build.choose_engine(build.wish(parameters)), Buildah)
    with pytest.raises(ImageError, match="no buildah in the Debian tree"):
        build.choose_engine(build.wish({**parameters, "tree": str(tmp_path)}))
    (tmp_path / "bin/buildah").unlink()
    assert isinstance(build.choose_engine(build.wish(parameters)), Buildx)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match="apt-get install buildah"):
        build.choose_engine(build.wish(parameters))
