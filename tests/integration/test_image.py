# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference verifier's image for real: built for both architectures, pushed to a registry on loopback, run.

Needs root, and the Debian tree of the local provider, which it builds if it isn't cached.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import build
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.arguments import IMAGE
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import tree

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
MACHINES = {"amd64": 0x3E, "arm64": 0xB7}  # e_machine of an ELF file
# $1 the image's root. A network of its own, a read-only root, no user name, as in a region.
RUN = r"""
set -eu
ip link set lo up
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
run="chroot --userspec=10001:10001 $1 env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/app"
$run haproxy -v | head -1
$run REGION=eu-west-1 CLUSTER_NAME=c JWT_SECRET=x DRAIN_SECONDS=0 python3 -m verifier >&2 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
  sleep 0.5
  if $run wget -qO- http://127.0.0.1:8080/api/health; then break; fi
done
$run wget -qO- http://127.0.0.1:9090/metrics | grep -c llm_verifier_build_info
$run python3 -c 'import ssl, sqlite3; assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 100'
kill $!
wait $! && echo drained
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building images needs root: run `sudo make test`")


class Shop:
    """A registry on loopback, from the Debian tree, and what to build."""

    def __init__(self, folder: Path) -> None:
        defaults = yaml.safe_load((ROOT / "roles/local_machine/defaults/main.yml").read_text())
        packages = defaults["local_machine_packages"]
        self.tree = tree.tree_path(CACHE, defaults["local_machine_suite"], packages)
        if not self.tree.is_dir():
            tree.build_tree(self.tree, defaults["local_machine_suite"], packages, None)
        self.folder, self.data = folder, folder / "registry"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{probe.getsockname()[1]}"
        self.process: subprocess.Popen[bytes] | None = None
        context = shutil.copytree(ROOT / "roles/image_build/files/llm_verifier", folder / "context")
        base = CACHE / "images/base"  # it depends on nothing here, and is made once
        base.mkdir(parents=True, exist_ok=True)
        (folder / "cache/images").mkdir(parents=True)
        (folder / "cache/images/base").symlink_to(base)
        options = {name: option.get("default") for name, option in IMAGE.items()}
        self.parameters: dict[str, Any] = {
            **options, "registry": self.host, "registry_insecure": True, "context": str(context),
            "platforms": ["linux/amd64", "linux/arm64"], "cache_dir": str(folder / "cache"), "tree": str(self.tree)}

    def open(self) -> None:
        settings = {"version": "0.1", "storage": {"filesystem": {"rootdirectory": str(self.data)}},
                    "http": {"addr": self.host}}
        (self.folder / "registry.yml").write_text(yaml.safe_dump(settings))
        self.process = subprocess.Popen([self.tree / "usr/bin/docker-registry", "serve", self.folder / "registry.yml"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = int(self.host.partition(":")[2])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the registry doesn't listen")

    def close(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)

    def ensure(self) -> build.Found:
        return build.ensure(build.wish(self.parameters), False, lambda _line: None)

    def document(self, kind: str, digest: str) -> Any:
        """Return a manifest or a blob that is JSON."""
        request = urllib.request.Request(f"http://{self.host}/v2/llm-verifier/{kind}/{digest}",
                                         headers={"Accept": "application/vnd.oci.image.index.v1+json, "
                                                            "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def layers(self, digest: str) -> Iterator[tarfile.TarFile]:
        for layer in self.document("manifests", digest)["layers"]:
            path = self.data / "docker/registry/v2/blobs/sha256" / layer["digest"][7:9] / layer["digest"][7:] / "data"
            with gzip.open(path) as content, tarfile.open(fileobj=content) as archive:
                yield archive


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("image"))
    made.open()
    yield made
    made.close()
    shutil.rmtree(made.folder)  # hundreds of MB


@pytest.fixture(scope="module")
def first(shop: Shop) -> build.Found:
    return shop.ensure()


def test_one_list_holds_both_architectures(shop: Shop, first: build.Found) -> None:
    assert first.built
    assert first.changed
    for entry in shop.document("manifests", first.digest)["manifests"]:
        architecture = entry["platform"]["architecture"]
        config = shop.document("blobs", shop.document("manifests", entry["digest"])["config"]["digest"])
        assert config["architecture"] == architecture
        assert config["config"]["User"] == "10001:10001"
        assert config["config"]["Entrypoint"] == ["python3", "-m", "verifier"]
        names = []
        for archive in shop.layers(entry["digest"]):
            for member in archive:
                names.append(member.name.removeprefix("./"))
                if names[-1] == "usr/sbin/haproxy":
                    program = archive.extractfile(member)
                    assert program
                    assert int.from_bytes(program.read(20)[18:], "little") == MACHINES[architecture]
        assert {"usr/sbin/haproxy", "app/verifier/__main__.py"} <= set(names)
        assert not [name for name in names if name.endswith(".pyc") and name.startswith("app/")]


def test_unchanged_is_quick_and_the_same(shop: Shop, first: build.Found) -> None:
    began = time.monotonic()
    again = shop.ensure()
    assert time.monotonic() - began < 3
    assert (again.changed, again.built, again.image) == (False, False, first.image)


def test_it_runs_as_nobody_on_a_read_only_root(shop: Shop, first: build.Found, tmp_path: Path) -> None:
    machine = build.plan.architectures([], os.uname().machine)[0]
    entries = shop.document("manifests", first.digest)["manifests"]
    digest = next(entry["digest"] for entry in entries if entry["platform"]["architecture"] == machine)
    for archive in shop.layers(digest):
        archive.extraction_filter = lambda member, _path: member  # as it is; older Pythons know no `filter=`
        archive.extractall(tmp_path)
    tmp_path.chmod(0o755)
    enter = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    done = subprocess.run([*enter, "sh", "-c", RUN, "run", tmp_path], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    version, health, metrics, end = done.stdout.splitlines()
    assert version.startswith("HAProxy version 2.")
    assert json.loads(health)["region"] == "eu-west-1"
    assert (metrics, end) == ("3", "drained")


def test_an_emptied_registry_gets_the_same_digest_again(shop: Shop, first: build.Found) -> None:
    shop.close()
    shutil.rmtree(shop.data)
    shop.open()
    again = shop.ensure()
    assert (again.changed, again.built, again.image) == (True, False, first.image)


def test_a_change_is_another_image_and_a_tree_that_stays_as_it_is(shop: Shop, first: build.Found) -> None:
    assert subprocess.run(["mountpoint", "-q", str(shop.tree)], check=False).returncode != 0
    assert not os.listdir(shop.tree / "mnt")
    with open(Path(shop.parameters["context"], "verifier/__init__.py"), "a", encoding="utf-8") as handle:
        handle.write("# changed\n")
    began = time.monotonic()
    changed = shop.ensure()
    assert changed.built
    assert changed.digest != first.digest
    assert time.monotonic() - began < 20  # the base is there
