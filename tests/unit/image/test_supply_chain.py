# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and bills of materials of images, in a registry in memory."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import sbom, signature
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import ImageError, Reference
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.registry import Registry

INDEX = "application/vnd.oci.image.index.v1+json"
STATUS = """Package: libc6
Status: install ok unpacked
Architecture: {arch}
Version: 2.36-9+deb12u14
Source: glibc (2.36-9+deb12u14)

Package: busybox
Status: install ok unpacked
Architecture: {arch}
Version: 1:1.35.0-4

"""
LIBRARIES = "usr/local/lib/python3.11/dist-packages"
METADATA = "Metadata-Version: 2.4\nName: Typing_Extensions\nVersion: 4.16.0\nLicense-Expression: PSF-2.0\n\nText\n"


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Shelf:
    """What of a registry is used here, in memory."""

    host = "registry.example.com"

    def __init__(self) -> None:
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.puts = 0

    def digest(self, _name: str, reference: str) -> str:
        return digest_of(self.manifests[reference][0]) if reference in self.manifests else ""

    def manifest(self, _name: str, reference: str) -> tuple[bytes, str]:
        return self.manifests[reference]

    def put(self, _name: str, reference: str, body: bytes, kind: str) -> str:
        self.puts += 1
        self.manifests[digest_of(body)] = (body, kind)
        self.manifests[reference or digest_of(body)] = (body, kind)
        return digest_of(body)

    def blob(self, _name: str, digest: str, _limit: int = 0) -> bytes:
        return self.blobs[digest]

    def upload(self, _name: str, body: bytes) -> str:
        self.blobs[digest_of(body)] = body
        return digest_of(body)


def packed(files: dict[str, str]) -> bytes:
    """A layer."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


@pytest.fixture(name="shelf")
def fixture_shelf() -> Registry:
    """A registry with an image of two architectures."""
    shelf = Shelf()
    entries = []
    for arch in ("amd64", "arm64"):
        layers = [packed({"var/lib/dpkg/status": STATUS.format(arch=arch),
                          "usr/lib/os-release": 'ID=debian\nVERSION_ID="12"\n'}),
                  packed({f"{LIBRARIES}/typing_extensions-4.16.0.dist-info/METADATA": METADATA,
                          "app/verifier/METADATA": "Name: no-package\n"})]  # fmt: skip
        described = [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": shelf.upload("a", layer)}
                     for layer in layers]
        attested = {"mediaType": "application/vnd.in-toto+json", "digest": shelf.upload("a", b"{}")}
        body = json.dumps({"layers": [*described, attested]}).encode()
        entries.append({"digest": shelf.put("a", "", body, sbom.MANIFEST)})
    shelf.put("a", "latest", json.dumps({"manifests": entries}).encode(), INDEX)
    return cast(Registry, shelf)


@pytest.fixture(name="image")
def fixture_image(shelf: Registry) -> Reference:
    return Reference(shelf.host, "team/llm-verifier", "", shelf.digest("a", "latest"))


@pytest.fixture(name="pair")
def fixture_pair(tmp_path: Path) -> tuple[signature.Key, signature.Key]:
    assert signature.provide(tmp_path / "k/cosign.key", tmp_path / "k/cosign.pub", False)
    return (signature.read_key(str(tmp_path / "k/cosign.key")), signature.read_key(str(tmp_path / "k/cosign.pub")))


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    private, public = tmp_path / "signing/cosign.key", tmp_path / "signing/cosign.pub"
    assert signature.provide(private, public, True) and not private.exists()
    assert signature.provide(private, public, False)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600 and stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    assert not signature.provide(private, public, False)
    kept = public.read_bytes()
    public.unlink()
    assert signature.provide(private, public, False) and public.read_bytes() == kept


def test_an_image_and_its_architectures_are_signed_once(
    shelf: Registry, image: Reference, pair: tuple[signature.Key, signature.Key]
) -> None:
    assert "isn't signed: the registry has no team/llm-verifier:sha256-" in signature.problem(shelf, image, [pair[1]])
    assert signature.ensure(shelf, image, pair, True) and signature.problem(shelf, image, [pair[1]])
    assert signature.ensure(shelf, image, pair, False)
    assert signature.problem(shelf, image, [pair[1]]) == ""
    puts = cast(Shelf, shelf).puts
    assert not signature.ensure(shelf, image, pair, False) and cast(Shelf, shelf).puts == puts
    for digest in signature.members(shelf, image):
        assert signature.problem(shelf, Reference(image.registry, image.name, "", digest), [pair[1]]) == ""


def test_openssl_agrees(
    shelf: Registry, image: Reference, pair: tuple[signature.Key, signature.Key], tmp_path: Path
) -> None:
    """Another program than the one that signed."""
    signature.ensure(shelf, image, pair, False)
    manifest = json.loads(shelf.manifest("a", image.digest.replace(":", "-") + ".sig")[0])
    (layer,) = manifest["layers"]
    (tmp_path / "text").write_bytes(shelf.blob("a", layer["digest"]))
    (tmp_path / "made").write_bytes(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
    words = ["dgst", "-sha256", "-verify", pair[1].path, "-signature", str(tmp_path / "made"), str(tmp_path / "text")]
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK", done.stderr
    assert json.loads((tmp_path / "text").read_text()) == {
        "critical": {"identity": {"docker-reference": "registry.example.com/team/llm-verifier"},
                     "image": {"docker-manifest-digest": image.digest}, "type": "cosign container image signature"},
        "optional": None,
    }  # fmt: skip
    assert (layer["mediaType"], manifest["mediaType"]) == (
        "application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.oci.image.manifest.v1+json")
    config = json.loads(shelf.blob("a", manifest["config"]["digest"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]


def test_another_key_a_changed_text_and_another_digest_do_not_count(
    shelf: Registry, image: Reference, pair: tuple[signature.Key, signature.Key]
) -> None:
    other = signature.new_pair()
    signature.ensure(shelf, image, other, False)
    assert "is signed, but by none of these keys" in signature.problem(shelf, image, [pair[1]])
    text = signature.statement(image.repository, image.digest)
    made = signature.sign(pair[0], text)
    assert signature.valid(pair[1], text, made, image.digest)
    assert not signature.valid(pair[1], text + b" ", made, image.digest), "changed after it was signed"
    assert not signature.valid(pair[1], text, made, "sha256:" + "0" * 64), "the signature of another image"
    assert not signature.valid(pair[1], text, "no base64!", image.digest)
    mine = b'{"critical":{"type":"something else","image":{"docker-manifest-digest":"' + image.digest.encode() + b'"}}}'
    assert not signature.valid(pair[1], mine, signature.sign(pair[0], mine), image.digest), "no signature of an image"


def test_signatures_of_others_stay_and_one_key_is_enough(
    shelf: Registry, image: Reference, pair: tuple[signature.Key, signature.Key]
) -> None:
    other = signature.new_pair()
    signature.ensure(shelf, image, other, False)
    signature.ensure(shelf, image, pair, False)
    assert signature.problem(shelf, image, [other[1]]) == signature.problem(shelf, image, [pair[1]]) == ""
    assert signature.problem(shelf, image, [signature.new_pair()[1], pair[1]]) == ""


def test_keys_that_do_not_fit_are_told(
    shelf: Registry, image: Reference, pair: tuple[signature.Key, signature.Key], tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match="isn't the public key of"):
        signature.ensure(shelf, image, (pair[0], signature.new_pair()[1]), False)
    with pytest.raises(ImageError, match="names no digest"):
        signature.ensure(shelf, Reference(shelf.host, "a", "latest"), pair, False)
    assert "names no digest" in signature.problem(shelf, Reference(shelf.host, "a", "latest"), [pair[1]])
    with pytest.raises(ImageError, match="can't be read"):
        signature.read_key(str(tmp_path / "nowhere"))
    with pytest.raises(ImageError, match="no private key"):
        signature.ensure(shelf, image, (signature.Key("x", b"nonsense"), pair[1]), False)


def test_a_bill_of_materials_holds_every_package_of_every_architecture(shelf: Registry, image: Reference) -> None:
    bill = json.loads(sbom.read(shelf, image))
    assert [item["purl"] for item in bill["components"]] == [
        "pkg:deb/debian/busybox@1%3A1.35.0-4?arch=amd64&distro=debian-12",
        "pkg:deb/debian/busybox@1%3A1.35.0-4?arch=arm64&distro=debian-12",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=arm64&distro=debian-12",
        "pkg:pypi/typing-extensions@4.16.0",
    ]
    assert bill["components"][-1]["licenses"] == [{"expression": "PSF-2.0"}]
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert bill["metadata"]["component"]["version"] == image.digest
    assert "timestamp" not in bill["metadata"] and sbom.read(shelf, image) == sbom.read(shelf, image)


def test_it_is_attached_to_the_image_beside_what_others_attached(shelf: Registry, image: Reference) -> None:
    assert sbom.attached(shelf, image) == b""
    theirs: dict[str, Any] = {"mediaType": sbom.MANIFEST, "digest": "sha256:" + "1" * 64, "artifactType": "theirs"}
    shelf.put("a", sbom.tag(image.digest), json.dumps({"manifests": [theirs]}).encode(), INDEX)
    bill = sbom.read(shelf, image)
    for _twice in range(2):
        sbom.attach(shelf, image, bill)
    assert sbom.attached(shelf, image) == bill
    others, mine = json.loads(shelf.manifest("a", sbom.tag(image.digest))[0])["manifests"]
    assert others == theirs
    artifact = json.loads(shelf.manifest("a", mine["digest"])[0])
    assert artifact["subject"]["digest"] == image.digest and artifact["artifactType"] == sbom.KIND


def test_a_layer_that_is_no_archive_is_told(shelf: Registry, image: Reference) -> None:
    kind = "application/vnd.oci.image.layer.v1.tar+zstd"
    layer = {"mediaType": kind, "digest": shelf.upload("a", b"\x28\xb5\x2f\xfd")}
    digest = shelf.put("a", "", json.dumps({"layers": [layer]}).encode(), sbom.MANIFEST)
    with pytest.raises(ImageError, match="can't be read"):
        sbom.read(shelf, Reference(shelf.host, "a", "", digest))
