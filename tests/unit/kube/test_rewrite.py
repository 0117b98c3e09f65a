# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every Secret is written anew as it is; one that changes meanwhile is not overwritten with what it was."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.client import KubeError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.objects import Key, Kind
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.rewrite import rewrite_secrets


class Store:
    """A server with three Secrets that answers some writes with an error."""

    def __init__(self, refused: dict[str, int]) -> None:
        self.refused = refused
        self.written: list[dict[str, Any]] = []

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]:
        metadata = [{"name": name, "namespace": "app", "resourceVersion": "7"} for name in "abc"]
        return [{"apiVersion": "v1", "kind": kind.kind, "metadata": item, "data": {"k": "dg=="}} for item in metadata]

    def path(self, key: Key) -> str:
        return key.name

    def request(self, method: str, path: str, **options: Any) -> Any:
        if path in self.refused:
            raise KubeError("no", self.refused[path])
        assert method == "put"
        self.written.append(options["body"])


def test_every_secret_is_written_as_it_is_unless_it_changed() -> None:
    store = Store({"b": 409})
    assert rewrite_secrets(store) == 3
    assert [item["metadata"]["name"] for item in store.written] == ["a", "c"]
    assert all(item["data"] == {"k": "dg=="} for item in store.written)
    assert all(item["metadata"]["resourceVersion"] == "7" for item in store.written), "or a change would be lost"


def test_a_refusal_ends_it() -> None:
    with pytest.raises(KubeError):
        rewrite_secrets(Store({"b": 403}))
