# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every Secret of a cluster as it is, so that the API server encrypts it with the key of now."""

from __future__ import annotations

from typing import Any, Protocol

from .client import KubeError
from .objects import Key, Kind, key_of

SECRET = Kind("v1", "Secret")


class Api(Protocol):
    """What of a cluster this needs; see client.Cluster."""

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]: ...

    def path(self, key: Key) -> str: ...

    def request(self, method: str, path: str, **options: Any) -> Any: ...


def rewrite_secrets(api: Api) -> int:
    """Replace every Secret by itself; returns how many. KubeError when one can't be.

    One that somebody else wrote or deleted in the meantime (409, 404) is encrypted with the key of now, or gone.
    """
    items = api.list(SECRET)
    for item in items:
        try:
            api.request("put", api.path(key_of(item)), body=item)
        except KubeError as error:
            if error.status not in (404, 409):
                raise
    return len(items)
