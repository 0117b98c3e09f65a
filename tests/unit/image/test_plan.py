# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides an image's key."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import context, debian, plan
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.engine import emulation_problem
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import Base, ImageError, Reference

BASE = Base("", "bookworm", ("a", "b"), "", "")
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("text, wanted", [
    ("10.77.210.2:5000/llm-verifier:1", Reference("10.77.210.2:5000", "llm-verifier", "1")),
    ("registry.example.com/team/app", Reference("registry.example.com", "team/app", "latest")),
    (f"localhost/app@{DIGEST}", Reference("localhost", "app", "", DIGEST)),
    (f"gcr.io/my-project/app:2@{DIGEST}", Reference("gcr.io", "my-project/app", "2", DIGEST)),
    ("nginx", Reference("registry-1.docker.io", "library/nginx", "latest")),
    ("docker.io/bitnami/nginx:1", Reference("registry-1.docker.io", "bitnami/nginx", "1")),
])
def test_references(text: str, wanted: Reference) -> None:
    assert plan.parse_reference(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "r.io/", "r.io/App:1", "r.io/app:", "r.io/app@", "r.io/app@sha256:12", "r.io/a b"])
def test_wrong_references(text: str) -> None:
    with pytest.raises(ImageError, match="no image reference"):
        plan.parse_reference(text)


def test_platforms() -> None:
    assert plan.architectures(["linux/arm64", "linux/amd64", "linux/amd64"], "x86_64") == ("amd64", "arm64")
    assert plan.architectures([], "aarch64") == ("arm64",)
    with pytest.raises(ImageError, match="windows/amd64"):
        plan.architectures(["windows/amd64"], "x86_64")
    with pytest.raises(ImageError, match="riscv64"):
        plan.architectures([], "riscv64")


def test_everything_that_decides_the_content_is_in_the_key() -> None:
    keys = {
        plan.content_key("c", "Containerfile", BASE, ["amd64"], {}),
        plan.content_key("d", "Containerfile", BASE, ["amd64"], {}),
        plan.content_key("c", "Dockerfile", BASE, ["amd64"], {}),
        plan.content_key("c", "Containerfile", BASE, ["amd64", "arm64"], {}),
        plan.content_key("c", "Containerfile", BASE, ["amd64"], {"V": "1"}),
        *(plan.content_key("c", "Containerfile", base, ["amd64"], {}) for base in (
            Base("r.io/base", "bookworm", ("a", "b"), "", ""), Base("", "trixie", ("a", "b"), "", ""),
            Base("", "bookworm", ("a",), "", ""), Base("", "bookworm", ("a", "b"), "m", ""),
            Base("", "bookworm", ("a", "b"), "", "2"))),
    }
    assert len(keys) == 10
    assert all(len(key) == 20 for key in keys)
    same = plan.content_key("c", "Containerfile", Base("", "bookworm", ("b", "a", "a"), "", ""), ["amd64"], {})
    assert same in keys


@pytest.mark.parametrize("text, runs", [
    ("FROM x\nRUN true\n", True), ("FROM x\n  run true\n", True), ("FROM x\nONBUILD RUN y\n", True),
    ("FROM x\n# RUN true\nCOPY a b\n", False), ("FROM x\nLABEL a=b \\\n RUN=c\n", False), ("FROM x\nCMD RUN\n", False)])
def test_what_needs_an_emulator(text: str, runs: bool) -> None:
    assert plan.runs_commands(text) is runs


def test_emulation(tmp_path: Path) -> None:
    assert emulation_problem("amd64", "x86_64", str(tmp_path)) == ""
    assert "apt-get install -y qemu-user-static" in emulation_problem("arm64", "x86_64", str(tmp_path))
    (tmp_path / "qemu-aarch64").touch()
    assert emulation_problem("arm64", "x86_64", str(tmp_path)) == ""


@pytest.mark.parametrize("path, patterns, hidden", [
    ("a/__pycache__", ["**/__pycache__"], True), ("__pycache__", ["**/__pycache__"], True),
    ("a/__pycache__", ["__pycache__"], False), ("a/b.pyc", ["**/*.pyc"], True), ("a/b.py", ["**/*.pyc"], False),
    ("doc/x", ["/doc/"], True), ("document", ["doc"], False), ("x", ["# x"], False), ("x", [""], False),
    ("x.md", ["*.md", "!x.md"], False), ("abc", ["[a]bc"], False)])
def test_ignored(path: str, patterns: list[str], hidden: bool) -> None:
    assert plan.ignored(path, patterns) is hidden


def test_a_context_changes_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    file = tmp_path / "app" / "a.py"
    file.write_text("1")
    (tmp_path / ".containerignore").write_text("**/*.pyc\n")
    digests = [context.digest(str(tmp_path))]
    (tmp_path / "app" / "a.pyc").write_text("compiled")
    file.touch()
    assert context.digest(str(tmp_path)) == digests[0]
    file.write_text("2")
    digests.append(context.digest(str(tmp_path)))
    file.chmod(0o755)
    digests.append(context.digest(str(tmp_path)))
    file.rename(tmp_path / "app" / "b.py")
    digests.append(context.digest(str(tmp_path)))
    (tmp_path / "link").symlink_to("app")
    digests.append(context.digest(str(tmp_path)))
    assert len(set(digests)) == len(digests)


def test_containerfile(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no Containerfile or Dockerfile"):
        context.containerfile(str(tmp_path))
    with pytest.raises(ImageError, match="no folder"):
        context.containerfile(str(tmp_path / "missing"))
    (tmp_path / "Dockerfile").touch()
    assert context.containerfile(str(tmp_path)) == "Dockerfile"
    (tmp_path / "Containerfile").touch()
    assert context.containerfile(str(tmp_path)) == "Containerfile"


def test_a_base_is_slim_and_can_be_used(tmp_path: Path) -> None:
    kept = {"usr/lib/python3.11/os.py": b"x = 1\n", "usr/share/doc/haproxy/copyright": b"GPL",
            "usr/sbin/haproxy": b"\x7fELF", "usr/share/ca-certificates/mozilla/a.crt": b"A\n",
            "usr/share/ca-certificates/mozilla/b.crt": b"B"}
    dropped = {"usr/share/man/man1/x": b"", "usr/share/doc/haproxy/README": b"", "usr/bin/perl": b"",
               "etc/passwd": b"old",
               "usr/lib/aarch64-linux-gnu/perl/5.36.0/x": b"", "var/lib/dpkg/arch": b"", "etc/hostname": b"builder",
               "etc/resolv.conf": b"builder"}
    with tarfile.open(tmp_path / "raw.tar", "w") as archive:
        for name, content in {**kept, **dropped}.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    debian.slim(str(tmp_path / "raw.tar"), str(tmp_path / "base.tar"))
    with tarfile.open(tmp_path / "base.tar") as archive:
        found = {member.name.removeprefix("./"): member for member in archive}
        assert set(kept) <= set(found)
        assert set(dropped) & set(found) == {"etc/passwd"}
        assert {member.mtime for member in found.values()} == {0}
        passwd = archive.extractfile(found["etc/passwd"])
        bundle = archive.extractfile(found["etc/ssl/certs/ca-certificates.crt"])
        assert passwd and b"verifier:x:10001:10001:" in passwd.read()
        assert bundle and bundle.read() == b"A\nB\n"
