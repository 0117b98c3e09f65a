"""Programs come from the release where it is reached (a mirror of the same layout here), by checksum."""

from __future__ import annotations

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.components import (
    Component,
    complete,
    obtain,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import LocalError

ROOT = Path(__file__).resolve().parents[3]
# A stand-in for Go: a hundred packages, each compiled once into Go's cache; it waits before the 61st while a file says
# so, and both programs are there at the end.
GO = """#!/bin/sh
case "$1 $2" in
"list tool") echo example/cmd/kubelet example/cmd/kubectl ;;
"list -deps") seq 100 ;;
"list -m") echo "$HOME/modules/$5" ;;
"install -v")
  mkdir -p "$GOCACHE"
  for package in $(seq 100); do
    while [ "$package" = 61 ] && [ -e "$HOME/wait" ]; do touch "$HOME/waiting"; sleep 0.05; done
    [ -e "$GOCACHE/$package" ] || { echo "$package" >&2; echo "$package" >> "$HOME/compiled"; : > "$GOCACHE/$package"; }
  done
  for program in kubelet kubectl; do echo "$program" > "$GOBIN/$program"; done ;;
*) exit 2 ;;
esac
"""
BUILD = """
import sys
from pathlib import Path
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.components import Component, obtain
folder = Path(sys.argv[1])
wanted = Component("kubernetes", folder / "source", ("kubelet", "kubectl"), "-s -w", "", (), {},
                   {"kinds.yaml": "example/module//deploy/crd.yaml"})
print(obtain(wanted, folder / "cache", "build", str(folder / "go"), str(folder / "progress")))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "mirror" / "bin"
    folder.mkdir(parents=True)
    for name in ("kubelet", "kubectl"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
        (folder / f"{name}.sha256").write_text(hashlib.sha256((folder / name).read_bytes()).hexdigest())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "mirror")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/bin/{{program}}"
    server.shutdown()
    server.server_close()


def component(tmp_path: Path, url: str) -> Component:
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "go.mod").write_text("module example\n\ngo 1.26.0\n")
    return Component("kubernetes", source, ("kubelet", "kubectl"), "-s -w", url, ("kubelet", "kubectl"), {})


def test_the_release_is_downloaded_and_checked(tmp_path: Path, mirror: tuple[Path, str]) -> None:
    _folder, url = mirror
    place = obtain(component(tmp_path, url), tmp_path / "cache", "auto", "go-is-not-needed", None)
    assert sorted(path.name for path in place.iterdir()) == ["kubectl", "kubelet", "manifest.json"]
    assert (place / "kubelet").stat().st_mode & 0o111
    assert complete(place)
    (place / "kubelet").write_text("changed")
    assert not complete(place)


def test_a_program_that_is_not_what_was_published_is_refused(tmp_path: Path, mirror: tuple[Path, str]) -> None:
    folder, url = mirror
    (folder / "kubelet").write_text("something else")
    wanted = component(tmp_path, url)
    with pytest.raises(LocalError, match="is not the published"):
        obtain(wanted, tmp_path / "cache", "release", "go", None)
    assert not wanted.folder(tmp_path / "cache").exists()


def test_where_the_release_is_out_of_reach_it_is_built(tmp_path: Path) -> None:
    unreachable = component(tmp_path, "http://127.0.0.1:9/{program}")
    with pytest.raises(LocalError, match="no-such-go is not installed"):
        obtain(unreachable, tmp_path / "cache", "auto", "no-such-go", None)


def test_another_source_is_another_place(tmp_path: Path) -> None:
    before = component(tmp_path, "").key()
    (tmp_path / "source" / "main.go").write_text("package main\n")
    assert component(tmp_path, "").key() != component(tmp_path, "http://x/{program}").key() != before


def prepared(folder: Path) -> dict[str, Any]:
    """What starts a build that waits half-way: words for subprocess."""
    component(folder, "")
    crd = folder / "cache/modules/example/module/deploy/crd.yaml"
    crd.parent.mkdir(parents=True)
    crd.write_text("kind: CustomResourceDefinition\n")
    (folder / "cache/wait").touch()
    (folder / "go").write_text(GO)
    (folder / "go").chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "collections"), *sys.path])}
    return {"args": [sys.executable, "-c", BUILD, str(folder)], "env": environment}


def half_way(folder: Path) -> None:
    end = time.monotonic() + 20
    while not (folder / "cache/waiting").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_build_that_is_killed_goes_on_where_it_was_and_shows_how_far_it_is(tmp_path: Path) -> None:
    build = prepared(tmp_path)
    killed = subprocess.Popen(**build, start_new_session=True)
    half_way(tmp_path)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    (tmp_path / "cache/wait").unlink()
    assert not list((tmp_path / "cache/bin/kubernetes").glob("*/manifest.json")), "half a build is none"
    said = subprocess.run(**build, capture_output=True, text=True, check=True).stdout
    assert complete(Path(said.strip()))
    assert "CustomResourceDefinition" in (Path(said.strip()) / "kinds.yaml").read_text()
    assert (tmp_path / "cache/compiled").read_text().split() == [str(number) for number in range(1, 101)]
    progress = (tmp_path / "progress").read_text()
    assert all(f"kubernetes: compiled {count} of at most 100 packages" in progress for count in (1, 26, 51))


def test_two_runs_at_once_build_it_once(tmp_path: Path) -> None:
    build = prepared(tmp_path)
    runs = [subprocess.Popen(**build, stdout=subprocess.PIPE, text=True) for _number in range(2)]
    half_way(tmp_path)
    time.sleep(1)  # the other one would begin its own now
    (tmp_path / "cache/wait").unlink()
    said = [run.communicate(timeout=20)[0].strip() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert complete(Path(said[0])) and said[0] == said[1]
    assert (tmp_path / "progress").read_text().count("downloading its modules") == 1
