# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that nodes run: downloaded with their published checksums, or built as Go modules, into the cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from ..durable import write_atomically
from .instance import LocalError
from .pause_image import image_archive
from .progress import report

REACH_TIMEOUT = 3.0  # seconds to find out whether the release server can be reached
MANIFEST = "manifest.json"
# This machine's architecture as images name it.
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
# What a build takes over from the environment: how to find programs and reach the modules.
PASSED_ON = ("PATH", "GOPROXY", "GOSUMDB", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Component:
    """One Go module with the programs that it builds.

    Attributes:
        source: folder with go.mod and go.sum, whose `tool` block names the programs.
        ldflags: linker flags, such as the stamped version.
        release_url: address of a program's release binary with `{program}` in it; empty when there is none.
            The same address with `.sha256` behind it gives the checksum.
        released: the programs that the release has.
        image: program -> reference of an image that holds nothing else, saved beside it as `<program>.tar`.
        files: name -> `module//path` of a file that is taken from a module's source, such as a kind's definition.
    """

    name: str
    source: Path
    programs: tuple[str, ...]
    ldflags: str
    release_url: str
    released: tuple[str, ...]
    image: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)

    def key(self) -> str:
        """Digest of everything that decides what the programs are."""
        digest = hashlib.sha256(f"{self.ldflags}\n{self.release_url}\n{sorted(self.image.items())}".encode())
        digest.update(str(sorted(self.files.items())).encode() if self.files else b"")
        for path in sorted(self.source.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(self.source)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def folder(self, cache_dir: Path) -> Path:
        """Where its programs lie in the cache."""
        return cache_dir / "bin" / self.name / self.key()


def complete(folder: Path) -> bool:
    """Whether a component's folder holds what its manifest says, by checksum."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return all(_sha256(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def obtain(component: Component, cache_dir: Path, source: str, go: str, progress_file: str | None) -> Path:
    """Download or build a component into the cache; source is auto, release or build.

    An interrupted build goes on where Go's own cache left off. Raises LocalError.
    """
    folder = component.folder(cache_dir)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete(folder):  # another run may have got it while this one waited
            _obtain(component, folder, cache_dir, source, go, progress_file)
    return folder


def _obtain(
    component: Component, folder: Path, cache_dir: Path, source: str, go: str, progress_file: str | None
) -> None:
    half_done = folder.with_name(f"{folder.name}.part")
    half_done.mkdir(parents=True, exist_ok=True)
    fetched: tuple[str, ...] = ()
    if component.release_url and source != "build" and (source == "release" or _reachable(component)):
        for program in component.released:
            report(progress_file, f"{component.name}: downloading {program}")
            _download(component.release_url.format(program=program), half_done / program)
        fetched = component.released
    if set(component.programs) - set(fetched):
        _build(component, half_done, set(fetched), cache_dir, go, progress_file)
    for program, reference in component.image.items():
        archive = image_archive((half_done / program).read_bytes(), program, reference, ARCHITECTURE)
        (half_done / f"{program}.tar").write_bytes(archive)
    files = {path.name: _sha256(path) for path in sorted(half_done.iterdir()) if path.name != MANIFEST}
    manifest = {"files": files, "downloaded": sorted(fetched)}
    write_atomically(half_done / MANIFEST, json.dumps(manifest, indent=2) + "\n", 0o644)
    shutil.rmtree(folder, ignore_errors=True)
    half_done.rename(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _reachable(component: Component) -> bool:
    address = component.release_url.format(program=component.released[0]) + ".sha256"
    try:
        with urllib.request.build_opener().open(address, timeout=REACH_TIMEOUT) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _download(address: str, target: Path) -> None:
    try:
        with urllib.request.build_opener().open(f"{address}.sha256", timeout=30) as answer:
            published = answer.read().decode().split()[0]
        if target.exists() and _sha256(target) == published:
            return
        with urllib.request.build_opener().open(address, timeout=60) as answer, target.open("wb") as output:
            shutil.copyfileobj(answer, output)
    except (OSError, IndexError) as error:
        raise LocalError(f"{address} can't be downloaded: {error}") from error
    if _sha256(target) != published:
        target.unlink()
        raise LocalError(f"{address}: its SHA-256 is not the published {published}; removed")
    target.chmod(0o755)


def _go_command(name: str) -> str:
    """The Go command: on the path, or in the virtual environment that this runs in."""
    beside = Path(sys.executable).parent / name  # a whole path stays as it is
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    if found is None:
        raise LocalError(f"{name} is not installed: run `make setup`, or set local_machine_go to where it is")
    return found


def _build(
    component: Component, target: Path, skip: set[str], cache_dir: Path, go: str, progress_file: str | None
) -> None:
    environment = {
        **{key: value for key, value in os.environ.items() if key in PASSED_ON},
        "HOME": str(cache_dir), "GOMODCACHE": str(cache_dir / "go-mod"), "GOCACHE": str(cache_dir / "go-build"),
        "GOBIN": str(target), "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw -buildvcs=false", "CGO_ENABLED": "0",
    }

    go = _go_command(go)

    def ask(*words: str) -> list[str]:
        done = subprocess.run(
            [go, *words], cwd=component.source, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LocalError(f"{component.name}: go {' '.join(words)}: {done.stderr.strip()[-2000:]}")
        return done.stdout.split()

    report(progress_file, f"{component.name}: downloading its modules")
    packages = [package for package in ask("list", "tool") if package.rpartition("/")[2] not in skip]
    total = len(ask("list", "-deps", *packages))
    started = time.monotonic()
    argv = [go, "install", "-v", "-trimpath", "-ldflags", component.ldflags, *packages]
    process = subprocess.Popen(argv, cwd=component.source, env=environment, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    for count, line in enumerate(process.stderr or (), start=1):
        said = [*said[-30:], line.rstrip()]
        if count % 25 == 1:
            elapsed = int(time.monotonic() - started)
            report(progress_file, f"{component.name}: compiled {count} of at most {total} packages, {elapsed} s")
    if process.wait():
        raise LocalError(f"{component.name}: go install failed:\n" + "\n".join(said))
    for name, place in component.files.items():
        module, _slashes, path = place.partition("//")
        shutil.copyfile(Path(*ask("list", "-m", "-f", "{{.Dir}}", module)) / path, target / name)
