# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that the regions believe: signed with the key that their pods have, wherever it came from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable

from ..local.commands import run
from ..local.instance import Instance, LocalError

SECRET = ("-n", "llm-verifier", "get", "secret", "llm-verifier-secrets", "-o", "jsonpath={.data.jwt-secret}")


def signing_key(instance: Instance, regions: Iterable[str]) -> str:
    """The JWT key of the first region that tells it; all have the same one. Raises LocalError where none does."""
    said = "there is no region"
    for region in regions:
        kubectl = [str(instance.state_dir / "opt/kubernetes/kubectl"), "--request-timeout=5s"]
        kubeconfig = ["--kubeconfig", str(instance.state_dir / "kubeconfigs" / region)]
        try:
            return base64.b64decode(run([*kubectl, *kubeconfig, *SECRET], timeout=10).stdout, validate=True).decode()
        except (LocalError, ValueError) as error:
            said = str(error)
    raise LocalError(f"no region tells the key that tokens are signed with: {said}")


def token(key: str, now: float) -> str:
    """Return a JSON Web Token of the drill, valid for an hour from ``now`` (seconds since the epoch)."""
    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    claims = {"sub": "drill", "iat": int(now), "exp": int(now) + 3600}
    signed = ".".join(part(json.dumps(value).encode()) for value in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))}"
