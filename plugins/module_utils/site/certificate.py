# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a certificate is the one that the front door needs."""

from __future__ import annotations

from collections.abc import Collection

try:
    from cryptography import x509

    HAVE_CRYPTOGRAPHY = True
except ImportError:
    HAVE_CRYPTOGRAPHY = False

DAY = 86400.0


def faults(pem: bytes, names: Collection[str], days: float, now: float) -> list[str]:
    """What is wrong with the first certificate of a chain: it must be for just these names, and for so many days more.

    `now` are seconds since the epoch. Needs cryptography.
    """
    try:
        certificate = x509.load_pem_x509_certificates(pem)[0]
        own = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ["it is for no name"]
    except ValueError as error:
        return [f"it is no certificate ({error})"]
    found = []
    told = [*own.get_values_for_type(x509.DNSName), *map(str, own.get_values_for_type(x509.IPAddress))]
    if sorted(told) != sorted(names) or len(list(own)) != len(told):
        found.append(f"it is for {' and '.join(told) or 'no such name'}")
    left = (certificate.not_valid_after_utc.timestamp() - now) / DAY
    if left <= days:
        found.append(f"it ends in {left:.1f} days" if left > 0 else "it has ended")
    if certificate.not_valid_before_utc.timestamp() > now + days * DAY:
        found.append("it isn't valid yet")
    return found
