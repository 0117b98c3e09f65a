# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of images as cosign writes them: ECDSA P-256 over a simple-signing text, stored as tag ``sha256-….sig``.

``sign`` and ``valid`` are pure; ``ensure`` and ``problem`` ask a registry. Every manifest of a list is signed as well,
for clients that look at the one for their architecture alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from .plan import ImageError, Reference
from .registry import Registry

LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
ANNOTATION = "dev.cosignproject.cosign/signature"
TYPE = "cosign container image signature"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class Key:
    """A private key as PEM, or the public one of it; ``path`` is for messages."""

    path: str
    pem: bytes


def read_key(path: str) -> Key:
    """Read a key's file; raise ImageError."""
    try:
        return Key(path, Path(path).read_bytes())
    except OSError as error:
        raise ImageError(f"the key {path} can't be read: {error.strerror}. playbooks/30_image.yml makes one") from error


def provide(private: Path, public: Path, check: bool) -> bool:
    """Make what of a key pair isn't there; tell whether there was anything to do."""
    lacking = not private.exists() or not public.exists()
    if lacking and not check:
        pair = pair_of(read_key(str(private))) if private.exists() else new_pair()
        write_pair(private, public, pair)
    return lacking


def new_pair() -> tuple[Key, Key]:
    """Make a private key and its public one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pair_of(Key("the new key", pem))


def pair_of(private: Key) -> tuple[Key, Key]:
    """Return a private key with its public one."""
    from cryptography.hazmat.primitives import serialization

    pem = _private(private).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, Key(f"public key of {private.path}", pem)


def read_pair(private: Path, public: Path) -> tuple[Key, Key]:
    """Read a key pair; raise ImageError."""
    return read_key(str(private)), read_key(str(public))


def write_pair(private: Path, public: Path, pair: tuple[Key, Key]) -> None:
    """Write a key pair, the private key for its owner alone."""
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(private, pair[0].pem, 0o600)
    write_atomically(public, pair[1].pem, 0o644)


def _private(key: Key) -> Any:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        found = serialization.load_pem_private_key(key.pem, None)
    except (ValueError, TypeError) as error:
        raise ImageError(f"{key.path} holds no private key without a password (PEM): {error}") from error
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ImageError(f"{key.path} is no ECDSA key of the curve P-256")
    return found


def _public(key: Key) -> Any:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        found = serialization.load_pem_public_key(key.pem)
    except ValueError as error:
        raise ImageError(f"{key.path} holds no public key (PEM): {error}") from error
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise ImageError(f"{key.path} is no ECDSA key")
    return found


def statement(repository: str, digest: str) -> bytes:
    """Return what is signed."""
    critical = {"identity": {"docker-reference": repository}, "image": {"docker-manifest-digest": digest}, "type": TYPE}
    return json.dumps({"critical": critical, "optional": None}, separators=(",", ":")).encode()


def sign(key: Key, text: bytes) -> str:
    """Return the signature of a text, as base64."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return base64.b64encode(_private(key).sign(text, ec.ECDSA(hashes.SHA256()))).decode()


def valid(key: Key, text: bytes, signature: str, digest: str) -> bool:
    """Tell whether a public key's owner signed a text that names this digest."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        _public(key).verify(base64.b64decode(signature, validate=True), text, ec.ECDSA(hashes.SHA256()))
        critical = json.loads(text)["critical"]
        return bool(critical["type"] == TYPE and critical["image"]["docker-manifest-digest"] == digest)
    except (InvalidSignature, binascii.Error, ValueError, KeyError, TypeError):
        return False


def tag(digest: str) -> str:
    """Return the tag that holds the signatures of a digest."""
    return digest.replace(":", "-") + ".sig"


def kept(registry: Registry, name: str, digest: str) -> list[tuple[bytes, str]]:
    """Return every signature that the registry has of a digest: what was signed, and the signature."""
    if not registry.digest(name, tag(digest)):
        return []
    found = []
    for layer in json.loads(registry.manifest(name, tag(digest))[0]).get("layers", []):
        signature = (layer.get("annotations") or {}).get(ANNOTATION)
        if layer.get("mediaType") == LAYER and signature:
            found.append((registry.blob(name, layer["digest"], TEXT_BYTES), signature))
    return found


def problem(registry: Registry, image: Reference, keys: Sequence[Key]) -> str:
    """Return why an image isn't signed by one of the public keys; empty when it is."""
    if not image.digest:
        return f"{image.repository}:{image.tag} names no digest, and only a digest says what runs"
    signatures = kept(registry, image.name, image.digest)
    if any(valid(key, text, signature, image.digest) for text, signature in signatures for key in keys):
        return ""
    where = f"{image.repository}@{image.digest}"
    if not signatures:
        return f"{where} isn't signed: the registry has no {image.name}:{tag(image.digest)}"
    return (f"{where} is signed, but by none of these keys: {', '.join(key.path for key in keys)} "
            f"({len(signatures)} signature{'s'[:len(signatures) > 1]} in {image.name}:{tag(image.digest)})")


def ensure(registry: Registry, image: Reference, pair: tuple[Key, Key], check: bool) -> bool:
    """Sign an image, and every manifest of it, unless this key did; tell whether there was anything to do."""
    private, public = pair
    if not image.digest:
        raise ImageError(f"{image.repository}:{image.tag} names no digest: only a digest is signed")
    if _private(private).public_key() != _public(public):
        raise ImageError(f"{public.path} isn't the public key of {private.path}: remove it, it is written anew")
    lacking = [digest for digest in (image.digest, *members(registry, image))
               if not any(valid(public, text, made, digest) for text, made in kept(registry, image.name, digest))]
    for digest in () if check else lacking:
        text = statement(image.repository, digest)
        _store(registry, image.name, digest, [*kept(registry, image.name, digest), (text, sign(private, text))])
    return bool(lacking)


def members(registry: Registry, image: Reference) -> Iterable[str]:
    """Return the digests of a list's manifests; none for a plain image."""
    document = json.loads(registry.manifest(image.name, image.digest)[0])
    return [entry["digest"] for entry in document.get("manifests", [])]


def _store(registry: Registry, name: str, digest: str, signatures: Sequence[tuple[bytes, str]]) -> None:
    layers = [{"mediaType": LAYER, "size": len(text), "digest": registry.upload(name, text),
               "annotations": {ANNOTATION: signature}} for text, signature in signatures]
    differences = [f"sha256:{hashlib.sha256(text).hexdigest()}" for text, _signature in signatures]
    config = json.dumps({"architecture": "", "config": {}, "created": "0001-01-01T00:00:00Z", "os": "",
                         "rootfs": {"type": "layers", "diff_ids": differences}}, separators=(",", ":")).encode()
    described = {"mediaType": CONFIG, "size": len(config), "digest": registry.upload(name, config)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
    registry.put(name, tag(digest), json.dumps(manifest, separators=(",", ":")).encode(), MANIFEST)
