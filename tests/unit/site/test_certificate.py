# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a certificate, by certificates that are made for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.certificate import faults

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = ("api.example.com", "*.example.com")
KEY = ec.generate_private_key(ec.SECP256R1())


def made(names: tuple[str, ...] = NAMES, begins: float = -1, ends: float = 90, address: str = "") -> bytes:
    """A certificate that begins and ends so many days from NOW."""
    own = [*map(x509.DNSName, names), *([x509.IPAddress(ip_address(address))] if address else [])]
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([])).serial_number(1)
    builder = builder.public_key(KEY.public_key())
    builder = builder.not_valid_before(NOW + timedelta(days=begins)).not_valid_after(NOW + timedelta(days=ends))
    if own:
        builder = builder.add_extension(x509.SubjectAlternativeName(own), critical=False)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("pem", "wrong"),
    [
        (made(), []),
        (made(NAMES[::-1]) + made(("other",)), []),
        (made(NAMES[:1]), ["it is for api.example.com"]),
        (made((*NAMES, "other.com")), ["it is for api.example.com and *.example.com and other.com"]),
        (made(address="10.0.0.1"), ["it is for api.example.com and *.example.com and 10.0.0.1"]),
        (made(()), ["it is for no name"]),
        (made(ends=29.5), ["it ends in 29.5 days"]),
        (made(begins=-90, ends=-1), ["it has ended"]),
        (made(begins=31), ["it isn't valid yet"]),
        (made(NAMES[1:], ends=2), ["it is for *.example.com", "it ends in 2.0 days"]),
    ],
)
def test_what_is_wrong_is_told(pem: bytes, wrong: list[str]) -> None:
    assert faults(pem, NAMES, 30, NOW.timestamp()) == wrong


@pytest.mark.parametrize("pem", [b"", b"no pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_told(pem: bytes) -> None:
    (found,) = faults(pem, NAMES, 30, NOW.timestamp())
    assert found.startswith("it is no certificate (")
