# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and bills of materials in a real registry.

cosign itself isn't run, and Debian's buildah has its check of such signatures switched off.
"""

from __future__ import annotations

import gzip
import io
import json
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import sbom, signature
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import Reference
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.registry import Registry

from .programs import program

STATUS = "Package: busybox\nArchitecture: amd64\nVersion: 1:1.35.0-4\n"
NAME = "team/llm-verifier"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="registry", scope="module")
def fixture_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry on loopback."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    settings = {"version": "0.1", "storage": storage, "http": {"addr": host}}
    (folder / "registry.yml").write_text(json.dumps(settings))
    command = [program("docker-registry"), "serve", str(folder / "registry.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _unused in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(host.partition(":")[2]))) == 0:
                break
        time.sleep(0.1)
    yield Registry(host, insecure=True)
    process.terminate()
    process.wait(10)


def pushed(registry: Registry, text: str) -> Reference:
    """A small image of one architecture in a list, as buildah pushes it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in (("var/lib/dpkg/status", STATUS), ("text", text)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    layer, config = gzip.compress(raw.getvalue(), mtime=0), {"architecture": "amd64", "os": "linux"}
    plain = registry._hash(raw.getvalue())
    body = json.dumps({**config, "config": {}, "rootfs": {"type": "layers", "diff_ids": [plain]}}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": sbom.MANIFEST,
        "config": {"mediaType": signature.CONFIG, "size": len(body), "digest": registry.upload(NAME, body)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": len(layer),
                    "digest": registry.upload(NAME, layer)}]}).encode()  # fmt: skip
    entry = {"mediaType": sbom.MANIFEST, "size": len(manifest), "platform": config,
             "digest": registry.put(NAME, "", manifest, sbom.MANIFEST)}  # fmt: skip
    index = json.dumps({"schemaVersion": 2, "mediaType": sbom.INDEX, "manifests": [entry]}).encode()
    return Reference(registry.host, NAME, "", registry.put(NAME, "latest", index, sbom.INDEX))


def test_a_registry_keeps_signatures_and_bills_as_they_were_stored(registry: Registry) -> None:
    image = pushed(registry, "kept")
    pair = signature.new_pair()
    assert signature.ensure(registry, image, pair, False)
    assert not signature.ensure(registry, image, pair, False)
    assert signature.problem(registry, image, [pair[1]]) == ""
    assert "by none of these keys" in signature.problem(registry, image, [signature.new_pair()[1]])
    assert "isn't signed" in signature.problem(registry, pushed(registry, "another"), [pair[1]])
    bill = sbom.read(registry, image)
    assert json.loads(bill)["components"][0]["name"] == "busybox"
    sbom.attach(registry, image, bill)
    assert sbom.attached(registry, image) == bill
    assert registry.digest(NAME, image.digest.replace(":", "-"))


@pytest.mark.parametrize(("signed", "known", "said"), [
    (False, True, "isn't signed: the registry has no"), (True, False, "is signed, but by none of these keys"),
    (True, True, ""),
])  # fmt: skip
def test_a_deployment_begins_with_a_signed_image_alone(
    registry: Registry, tmp_path: Path, signed: bool, known: bool, said: str
) -> None:
    """The playbook itself: without regions it fails in any case, but for another reason and after its record began."""
    image, pair = pushed(registry, f"deployed {signed} {known}"), signature.new_pair()
    if signed:
        signature.ensure(registry, image, pair, False)
    key = tmp_path / "key.pub"
    key.write_bytes((pair if known else signature.new_pair())[1].pem)
    given = {"local_state_dir": str(tmp_path), "regional_deploy_image": f"{image.repository}@{image.digest}",
             "registry": registry.host, "image_build_registry_insecure": True,
             "regional_deploy_public_keys": [str(key)]}  # fmt: skip
    command = ["ansible-playbook", "-i", "inventories/local", "playbooks/80_deploy.yml", "-e", json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    output = " ".join((done.stdout + done.stderr).split())
    assert said in output
    assert bool(list(tmp_path.glob("runs/deploy-*.json"))) == (not said), "only what is signed begins"
