# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long certificates are still good: those that servers show, and those that lie in files."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from glob import glob
from pathlib import Path

try:
    from cryptography import x509

    HAVE_CRYPTOGRAPHY = True
except ImportError:
    HAVE_CRYPTOGRAPHY = False

DAY = 86400.0
SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Days that a certificate is good for, or why nobody knows."""

    days: float | None = None
    trouble: str = ""


def shown(addresses: Mapping[str, str], name: str, ca_file: Path, port: int = 443) -> dict[str, Left]:
    """What the servers at these addresses show who asks for a name, by their names."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(addresses, pool.map(lambda address: _shown(address, port, name, ca_file), addresses.values())))


def _shown(address: str, port: int, name: str, ca_file: Path) -> Left:
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
        with socket.create_connection((address, port), timeout=SECONDS) as plain, \
                context.wrap_socket(plain, server_hostname=name) as door:  # fmt: skip
            ends = str((door.getpeercert() or {})["notAfter"])
    except (OSError, ValueError, KeyError) as error:
        return Left(trouble=str(error) or type(error).__name__)
    return Left(days=(ssl.cert_time_to_seconds(ends) - time.time()) / DAY)


def files(patterns: Iterable[str]) -> dict[str, Left]:
    """What lies in files; of a chain the one that ends first."""
    return {path: _file(Path(path)) for path in sorted(path for pattern in patterns for path in glob(pattern))}


def _file(path: Path) -> Left:
    if not HAVE_CRYPTOGRAPHY:
        return Left(trouble="needs the Python library cryptography")
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        return Left(trouble=str(error))
    return Left(days=(min(item.not_valid_after_utc.timestamp() for item in chain) - time.time()) / DAY)
