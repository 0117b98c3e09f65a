# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens: HS256 only, checked against a ring of keys, so that a key can be changed without a gap."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import jwt

LEEWAY_SECONDS = 5.0
KEY_BYTES = 32  # RFC 7518, 3.2: a key of HS256 has at least the size of the hash
# Who a token is for and from is up to the caller; here it matters whether the ring signed it and when it is valid.
_OPTIONS: Any = {"require": ["exp"], "verify_aud": False, "verify_iat": False, "verify_iss": False, "verify_jti": False,
                 "verify_sub": False}
_REASONS = (
    (jwt.ExpiredSignatureError, "token has expired"),
    (jwt.ImmatureSignatureError, "token is not valid yet"),
    (jwt.MissingRequiredClaimError, "claim exp is missing"),
    (jwt.InvalidAlgorithmError, "algorithm not allowed"),
    (jwt.InvalidSignatureError, "signature does not match"),
)

# A key that is too short is told once, when the process starts.
warnings.filterwarnings("ignore", category=jwt.InsecureKeyLengthWarning)


class TokenError(Exception):
    """The token can't be trusted; the text says why and holds nothing of the token."""


def verify(token: str, keys: Iterable[bytes]) -> dict[str, Any]:
    """Return the claims of a token that one of the keys signed and that is valid now.

    Raises TokenError otherwise. ``exp`` is required.
    """
    reason = "signature does not match"
    for key in keys:
        try:
            return jwt.decode(token, key, algorithms=["HS256"], options=_OPTIONS, leeway=LEEWAY_SECONDS)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "malformed token")
            break
    raise TokenError(reason)


def bearer(value: str) -> str:
    """Return the token of an Authorization header; raise TokenError when there is none."""
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenError("a bearer token is required")
    return token.strip()
