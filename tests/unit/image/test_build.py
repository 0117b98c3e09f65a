# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When something is built, pushed, recorded: against a registry in memory and an engine that only counts."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import build
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.arguments import IMAGE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.engine import Job, Progress
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.registry import Registry

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass
class Shelf:
    """What the registry in memory holds."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    token: str = ""

    def put(self, reference: str, body: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.manifests[reference] = self.manifests[digest] = body
        return digest


@pytest.fixture
def shelf() -> Iterator[tuple[str, Shelf]]:
    """A registry on loopback; it asks for a bearer token when the shelf has one."""
    kept = Shelf()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _serve(self) -> None:
            kept.calls.append(f"{self.command} {self.path}")
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/token?"):
                right = self.headers.get("Authorization") == "Basic bWU6c2VjcmV0"
                return self._reply(200 if right else 401, json.dumps({"token": kept.token}).encode())
            if kept.token and self.headers.get("Authorization") != f"Bearer {kept.token}":
                realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="r",scope="repository:app:pull"'
                return self._reply(401, WWW_Authenticate=realm)
            reference = self.path.rpartition("/")[2]
            if self.command == "PUT":
                return self._reply(201, Docker_Content_Digest=kept.put(reference, content))
            body = kept.manifests.get(reference)
            if body is None:
                return self._reply(404)
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            return self._reply(200, body, Content_Type=INDEX, Docker_Content_Digest=digest)

        do_GET = do_HEAD = do_PUT = _serve

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", kept
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Counting:
    """An engine that keeps what it built and puts it on the shelf."""

    shelf: Shelf
    stored: set[str] = field(default_factory=set)
    did: list[str] = field(default_factory=list)
    lies: bool = False

    def has(self, job: Job) -> bool:
        return job.key in self.stored

    def build(self, job: Job, registry: Registry, progress: Progress) -> None:
        progress("building")
        self.did.append("build")
        self.stored.add(job.key)

    def push(self, job: Job, registry: Registry, name: str, progress: Progress) -> str:
        self.did.append("push")
        digest = self.shelf.put(job.key, json.dumps({"manifests": [], "key": job.key}).encode())
        return "sha256:" + "1" * 64 if self.lies else digest


@pytest.fixture
def parameters(shelf: tuple[str, Shelf], tmp_path: Path) -> dict[str, Any]:
    """Options of a module for a context of one file."""
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Containerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    defaults = {name: option.get("default") for name, option in IMAGE.items()}
    return {**defaults, "registry": shelf[0], "registry_insecure": True, "context": str(folder),
            "cache_dir": str(tmp_path / "cache"), "tree": None, "tags": ["latest"]}


def ensure(parameters: dict[str, Any], engine: Counting, check: bool = False) -> build.Found:
    return build.ensure(build.wish(parameters), check, lambda _line: None, lambda _want: engine)


def test_a_second_run_changes_nothing_and_a_change_builds(shelf: tuple[str, Shelf], parameters: dict[str, Any]) -> None:
    engine = Counting(shelf[1])
    first = ensure(parameters, engine)
    assert (first.changed, first.built, first.image) == (True, True, f"{shelf[0]}/llm-verifier@{first.digest}")
    assert hashlib.sha256(shelf[1].manifests["latest"]).hexdigest() == first.digest[7:]
    shelf[1].calls.clear()
    second = ensure(parameters, engine)
    assert (second.changed, second.digest) == (False, first.digest)
    assert not [call for call in shelf[1].calls if not call.startswith("HEAD ")]
    Path(parameters["context"], "more").touch()
    assert ensure(parameters, engine).key != first.key
    assert engine.did == ["build", "push", "build", "push"]


def test_a_registry_that_lost_the_image_gets_it_again(shelf: tuple[str, Shelf], parameters: dict[str, Any]) -> None:
    engine = Counting(shelf[1])
    first = ensure(parameters, engine)
    shelf[1].manifests.clear()
    again = ensure(parameters, engine)
    assert (again.changed, again.built, again.digest) == (True, False, first.digest)
    assert engine.did == ["build", "push", "push"]


def test_a_new_machine_takes_what_the_registry_has(shelf: tuple[str, Shelf], parameters: dict[str, Any],
                                                  tmp_path: Path) -> None:
    first = ensure(parameters, Counting(shelf[1]))
    elsewhere = Counting(shelf[1])
    found = ensure({**parameters, "cache_dir": str(tmp_path / "another")}, elsewhere)
    assert (found.changed, found.digest, elsewhere.did) == (False, first.digest, [])


def test_check_mode_writes_nothing(shelf: tuple[str, Shelf], parameters: dict[str, Any], tmp_path: Path) -> None:
    engine = Counting(shelf[1])
    found = ensure(parameters, engine, check=True)
    assert (found.changed, found.image, engine.did) == (True, "", [])
    assert not (tmp_path / "cache").exists()
    assert not [call for call in shelf[1].calls if call.startswith("PUT")]
    dead = ensure({**parameters, "registry": "127.0.0.1:9"}, engine, check=True)
    assert dead.changed
    ensure(parameters, engine)
    shelf[1].manifests.pop("latest")
    assert ensure(parameters, engine, check=True).changed
    assert "latest" not in shelf[1].manifests


def test_a_push_that_did_not_arrive_is_an_error(shelf: tuple[str, Shelf], parameters: dict[str, Any]) -> None:
    engine = Counting(shelf[1], lies=True)
    with pytest.raises(ImageError, match="after the push"):
        ensure(parameters, engine)


def test_without_a_registry_nothing_is_built(shelf: tuple[str, Shelf], parameters: dict[str, Any]) -> None:
    engine = Counting(shelf[1])
    with pytest.raises(ImageError, match="can't be reached"):
        ensure({**parameters, "registry": "127.0.0.1:9"}, engine)
    assert engine.did == []


def test_discovery_reads_alone(shelf: tuple[str, Shelf], parameters: dict[str, Any]) -> None:
    with pytest.raises(ImageError, match=r"30_image\.yml"):
        build.discover(parameters)
    first = ensure(parameters, Counting(shelf[1]))
    del parameters["cache_dir"], parameters["tree"], parameters["tags"]
    assert build.discover(parameters).image == first.image
    for text in (f"{shelf[0]}/llm-verifier:latest", first.image):
        assert build.discover({**parameters, "image_ref": text}).image == first.image
    with pytest.raises(ImageError, match="has no"):
        build.discover({**parameters, "image_ref": f"{shelf[0]}/llm-verifier:2"})


def test_a_manifest_list_with_a_hole_is_an_error(shelf: tuple[str, Shelf]) -> None:
    entry = {"digest": "sha256:" + "2" * 64, "platform": {"os": "linux", "architecture": "arm64"}}
    shelf[1].put("1", json.dumps({"manifests": [entry]}).encode())
    with pytest.raises(ImageError, match="has lost"):
        Registry(shelf[0], insecure=True).platforms("app", "1")


def test_a_registry_that_wants_a_token_gets_one(shelf: tuple[str, Shelf]) -> None:
    shelf[1].token = "t"
    digest = shelf[1].put("1", b"{}")
    assert Registry(shelf[0], insecure=True, username="me", password="secret").digest("app", "1") == digest
    with pytest.raises(ImageError, match="check user and password"):
        Registry(shelf[0], insecure=True, username="me", password="wrong").digest("app", "1")


def test_credentials_stay_with_their_registry(parameters: dict[str, Any]) -> None:
    given = {**parameters, "registry_username": "me", "registry_password": "secret", "registry_timeout": 1}
    with pytest.raises(ImageError, match="TLS"):
        build.resolve("127.0.0.1:9/app:1", given)
    assert "secret" not in repr(build.wish(given))
