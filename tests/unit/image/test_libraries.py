# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python libraries for the base: by the real pip from a folder of wheels, with no index."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import build, context, libraries
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import Base, ImageError

BASE = Base("", "bookworm", ("a", "b"), "", "")
PREFIX = "./usr/local/lib/python3.11/dist-packages"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A base with a library that has a wheel for each architecture, a program and types."""
    lines = []
    for machine in ("x86_64", "aarch64"):
        wheel = tmp_path / f"tiny-1.0-cp311-cp311-manylinux2014_{machine}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny/__init__.py", f"MACHINE = '{machine}'\n")
            archive.writestr("tiny/__init__.pyi", "MACHINE: str\n")
            info = "tiny-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
                                              f"Tag: cp311-cp311-manylinux2014_{machine}\n")
            archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
            archive.writestr(f"{info}/RECORD", "")
        lines.append(f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return replace(BASE, requirements=f"tiny==1.0 {' '.join(lines)}\n")


def test_each_architecture_gets_its_own_and_the_same_again(base: Base, tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first.tar", "again.tar", "other.tar"))
    for arch, path in (("amd64", first), ("amd64", again), ("arm64", other)):
        libraries.build(base, arch, str(path))
    assert first.read_bytes() == again.read_bytes()
    with tarfile.open(other) as archive:
        names = set(archive.getnames())
        module = archive.extractfile(f"{PREFIX}/tiny/__init__.py")
        assert module and module.read() == b"MACHINE = 'aarch64'\n"
    assert f"{PREFIX}/tiny-1.0.dist-info/METADATA" in names
    assert not [name for name in names if name.endswith((".pyi", "/RECORD", "/INSTALLER")) or "/bin/" in name]
    assert not list(tmp_path.glob(".libraries-*"))


def test_another_file_than_the_pinned_one_is_refused(base: Base, tmp_path: Path) -> None:
    text = base.requirements[:-9] + "00000000\n"
    with pytest.raises(ImageError, match=r"libraries for arm64.*(?i:hash)"):
        libraries.build(replace(base, requirements=text), "arm64", str(tmp_path / "a.tar"))
    with pytest.raises(ImageError, match=r"(?i)hash"):
        libraries.build(replace(base, requirements="tiny==1.0\n"), "amd64", str(tmp_path / "a.tar"))
    assert not (tmp_path / "a.tar").exists()


def test_what_is_pinned_decides_the_base_and_not_its_packages(base: Base) -> None:
    assert len({BASE.key(), base.key(), replace(base, requirements="tiny==2.0\n").key()}) == 3
    assert base.system_key() == BASE.key()
    assert replace(base, image="r.io/base:1").key() == replace(BASE, image="r.io/base:1").key()
    with pytest.raises(ImageError, match="sid"):
        libraries.build(replace(base, suite="sid"), "amd64", "unused")


def test_packages_that_are_cached_are_taken_again(base: Base, tmp_path: Path) -> None:
    cached = tmp_path / "images/base" / base.system_key() / "arm64.tar"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"packages")
    folder = Path(build.base_context(base, "arm64", str(tmp_path)))
    assert (folder / "arm64.tar").read_bytes() == b"packages"
    assert (folder / "arm64-libraries.tar").stat().st_size
    assert (folder / "Containerfile").read_text().splitlines()[2:] == [
        "ADD ${TARGETARCH}.tar /", "ADD ${TARGETARCH}-libraries.tar /"]


def test_a_context_says_what_it_needs(tmp_path: Path) -> None:
    assert context.requirements(str(tmp_path)) == ""
    (tmp_path / context.REQUIREMENTS).write_text("tiny==1.0\n")
    assert context.requirements(str(tmp_path)) == "tiny==1.0\n"
