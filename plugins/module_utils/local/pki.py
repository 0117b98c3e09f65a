# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate authorities, certificates and keys of a region, as data in, files out; renewed before they end."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from ..durable import write_atomically
from .encryption import configuration, encoded

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    HAVE_CRYPTOGRAPHY = True
except ImportError:
    HAVE_CRYPTOGRAPHY = False

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
RENEW_BELOW = 1 / 3  # a certificate with less than this part of its life left is made anew


@dataclass(frozen=True, slots=True)
class Wanted:
    """One certificate. Names with an address in them become IP names; no names make a client certificate."""

    name: str
    authority: str
    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def ensure_pki(
    folder: Path, authorities: list[str], wanted: list[Wanted], keys: list[str], now: dt.datetime, *, check: bool,
    renew: bool = False,
) -> list[str]:
    """Make what is missing or near its end; returns the names of what was (would be) made.

    renew makes every certificate anew, with a new key. Authorities and lone keys stay: what they signed stays good.

    keys are lone files: `<name>.key` a signing key (P-256), `<name>.yaml` a Kubernetes EncryptionConfiguration with
    a key of its own for Secrets.
    """
    made = [name for name in authorities if not _usable_authority(folder / name, now)]
    renewed_authorities = set(made)
    for item in wanted:
        if renew or item.authority in renewed_authorities or not _usable_leaf(folder / item.name, item, now):
            made.append(item.name)
    made += [name for name in keys if not (folder / name).exists()]
    if check or not made:
        return made
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in authorities:
        if name in made:
            _make_authority(folder / name, name, now)
    for item in wanted:
        if item.name in made:
            _make_leaf(folder, item, now)
    for name in keys:
        if name in made:
            first_key = [(1, encoded(secrets.token_bytes(32)))]
            content = configuration(first_key) if name.endswith(".yaml") else _pem(_new_key())
            write_atomically(folder / name, content, 0o600)
    return made


def kubeconfig(folder: Path, user: str, server: str, context: str, authority: str = "ca") -> str:
    """A kubeconfig with everything in it, for one user of one region."""
    def text(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    return "\n".join([
        "apiVersion: v1", "kind: Config", f"current-context: {context}",
        "clusters:", f"- name: {context}", "  cluster:", f"    server: {server}",
        f"    certificate-authority-data: {text(authority + '.crt')}",
        "users:", f"- name: {context}-{user}", "  user:", f"    client-certificate-data: {text(user + '.crt')}",
        f"    client-key-data: {text(user + '.key')}",
        "contexts:", f"- name: {context}", "  context:", f"    cluster: {context}", f"    user: {context}-{user}", "",
    ])


def _load(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _fresh(certificate: x509.Certificate, now: dt.datetime) -> bool:
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now > life * RENEW_BELOW


def _fits(stem: Path, certificate: x509.Certificate) -> bool:
    """Whether the key beside a certificate is its own; a run that was ended between the two files leaves another."""
    try:
        key = serialization.load_pem_private_key(stem.with_suffix(".key").read_bytes(), None)
    except (OSError, ValueError):
        return False
    return key.public_key() == certificate.public_key()


def _usable_authority(stem: Path, now: dt.datetime) -> bool:
    certificate = _load(stem.with_suffix(".crt"))
    return certificate is not None and _fresh(certificate, now) and _fits(stem, certificate)


def _usable_leaf(stem: Path, item: Wanted, now: dt.datetime) -> bool:
    certificate = _load(stem.with_suffix(".crt"))
    if certificate is None or not _fresh(certificate, now) or not _fits(stem, certificate):
        return False
    return certificate.subject == _subject(item.common_name, item.organizations) and _names_of(certificate) == {
        str(name.value) for name in _general_names(item.names)
    }


def _names_of(certificate: x509.Certificate) -> set[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in extension.value}


def _subject(common_name: str, organizations: tuple[str, ...]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, item) for item in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_names(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # SEC 1 ("EC PRIVATE KEY"): the form that every Kubernetes component reads.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _builder(subject: x509.Name, issuer: x509.Name, days: int, now: dt.datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    start = now - dt.timedelta(minutes=5)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(
        now + dt.timedelta(days=days)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=not authority, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )


def _make_authority(stem: Path, name: str, now: dt.datetime) -> None:
    key, subject = _new_key(), _subject(name, ())
    builder = _builder(subject, subject, AUTHORITY_DAYS, now).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    write_atomically(stem.with_suffix(".key"), _pem(key), 0o600)
    certificate = builder.sign(key, hashes.SHA256())
    write_atomically(stem.with_suffix(".crt"), certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_leaf(folder: Path, item: Wanted, now: dt.datetime) -> None:
    issuer_key = serialization.load_pem_private_key((folder / f"{item.authority}.key").read_bytes(), None)
    issuer = x509.load_pem_x509_certificate((folder / f"{item.authority}.crt").read_bytes())
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise AssertionError("the issuer's key is no elliptic curve key")
    key = _new_key()
    subject = _subject(item.common_name, item.organizations)
    builder = _builder(subject, issuer.subject, LEAF_DAYS, now).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if item.names else [])]
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    if item.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(_general_names(item.names)), critical=False)
    write_atomically(folder / f"{item.name}.key", _pem(key), 0o600)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    write_atomically(folder / f"{item.name}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
