# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an image, as CycloneDX JSON: Debian packages by its dpkg status, Python libraries by their metadata.

It is read from the layers in the registry, so that it says what runs, whoever built it. The same image gives the same
bytes: no time, no random number.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Any
from urllib.parse import quote

from .plan import ImageError, Reference
from .registry import Registry

KIND = "application/vnd.cyclonedx+json"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
STATUS = "var/lib/dpkg/status"
RELEASE = "usr/lib/os-release"
WANTED = re.compile(rf"{STATUS}|{RELEASE}|.*/(?:dist|site)-packages/[^/]+\.dist-info/METADATA")


@dataclass(frozen=True, order=True)
class Package:
    """One package of an image: ``kind`` deb or pypi, ``distribution`` such as debian-12, ``licence`` if it says one."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    distribution: str = ""
    licence: str = ""

    @property
    def purl(self) -> str:
        """The package URL."""
        if self.kind == "pypi":
            return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{quote(self.version, safe='')}"
        vendor = self.distribution.partition("-")[0] or "debian"
        tail = f"?arch={self.architecture}" + (f"&distro={self.distribution}" if self.distribution else "")
        return f"pkg:deb/{vendor}/{self.name}@{quote(self.version, safe='')}{tail}"


def packages(files: Mapping[str, bytes]) -> list[Package]:
    """Return the packages that an image's files tell of, by path."""
    release = dict(line.partition("=")[::2] for line in files.get(RELEASE, b"").decode("utf-8", "replace").splitlines())
    place = "-".join(release[key].strip('"') for key in ("ID", "VERSION_ID") if release.get(key))
    found = []
    for path, content in files.items():
        text = content.decode("utf-8", "replace")
        if path == STATUS:
            stanzas = [HeaderParser().parsestr(part) for part in text.split("\n\n") if part.strip()]
            found += [Package("deb", item["Package"], item["Version"], item["Architecture"], place)
                      for item in stanzas if item["Package"] and item["Version"]]
        elif path.endswith("/METADATA"):
            item = HeaderParser().parsestr(text)
            found.append(Package("pypi", item["Name"], item["Version"], licence=item["License-Expression"] or ""))
    return sorted(set(found))


def document(image: Reference, found: Iterable[Package]) -> bytes:
    """Return the bill of materials of an image."""
    components: dict[str, dict[str, Any]] = {}
    for item in found:
        components[item.purl] = {"type": "library", "bom-ref": item.purl, "name": item.name, "version": item.version,
                                 "purl": item.purl}
        if item.licence:
            components[item.purl]["licenses"] = [{"expression": item.licence}]
    short = image.name.rpartition("/")[2]
    purl = f"pkg:oci/{short}@{quote(image.digest, safe='')}?repository_url={quote(image.repository, safe='/')}"
    top = {"type": "container", "bom-ref": purl, "name": image.repository, "version": image.digest, "purl": purl}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, purl)}", "version": 1,
        "metadata": {"component": top}, "components": [components[key] for key in sorted(components)],
    }  # fmt: skip
    return (json.dumps(bill, indent=2, sort_keys=True) + "\n").encode()


def read(registry: Registry, image: Reference) -> bytes:
    """Return the bill of materials of an image in a registry; raise ImageError."""
    found: list[Package] = []
    for manifest in _manifests(registry, image):
        files: dict[str, bytes] = {}
        for layer in manifest["layers"]:
            if "tar" in layer["mediaType"]:  # what a builder attests comes as a layer too
                files |= dict(_told(registry.blob(image.name, layer["digest"])))
        found += packages(files)
    return document(image, found)


def _manifests(registry: Registry, image: Reference) -> Iterator[dict[str, Any]]:
    first = json.loads(registry.manifest(image.name, image.digest)[0])
    for entry in first.get("manifests", []):
        yield json.loads(registry.manifest(image.name, entry["digest"])[0])
    if "layers" in first:
        yield first


def _told(layer: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a layer that tell of packages."""
    try:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            for member in archive:
                name = member.name.removeprefix("./").lstrip("/")
                handle = archive.extractfile(member) if member.isreg() and WANTED.fullmatch(name) else None
                if handle:
                    yield name, handle.read()
    except tarfile.TarError as error:
        raise ImageError(f"a layer can't be read ({error}): is it compressed with gzip?") from error


def tag(digest: str) -> str:
    """Return the tag below which a registry without the referrers API lists what belongs to a digest."""
    return digest.replace(":", "-")


def attached(registry: Registry, image: Reference) -> bytes:
    """Return the bill of materials that the registry has of an image, empty when it has none."""
    for entry in _listed(registry, image):
        if entry.get("artifactType") == KIND:
            manifest = json.loads(registry.manifest(image.name, entry["digest"])[0])
            return registry.blob(image.name, manifest["layers"][0]["digest"])
    return b""


def _listed(registry: Registry, image: Reference) -> list[dict[str, Any]]:
    if not registry.digest(image.name, tag(image.digest)):
        return []
    found: list[dict[str, Any]] = json.loads(registry.manifest(image.name, tag(image.digest))[0]).get("manifests", [])
    return found


def attach(registry: Registry, image: Reference, bill: bytes) -> None:
    """Store a bill of materials as an artifact that refers to the image, and list it below the image's tag."""
    body, kind = registry.manifest(image.name, image.digest)
    config = {"mediaType": EMPTY, "digest": registry.upload(image.name, b"{}"), "size": 2}
    layer = {"mediaType": KIND, "digest": registry.upload(image.name, bill), "size": len(bill),
             "annotations": {"org.opencontainers.image.title": "bom.cdx.json"}}
    subject = {"mediaType": kind, "digest": image.digest, "size": len(body)}
    artifact = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": KIND, "config": config,
                           "layers": [layer], "subject": subject}, separators=(",", ":")).encode()
    digest = registry.put(image.name, "", artifact, MANIFEST)
    entry = {"mediaType": MANIFEST, "digest": digest, "size": len(artifact), "artifactType": KIND}
    others = [item for item in _listed(registry, image) if item.get("artifactType") != KIND]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*others, entry]}, separators=(",", ":"))
    registry.put(image.name, tag(image.digest), index.encode(), INDEX)
