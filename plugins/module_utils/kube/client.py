# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The narrow door to a cluster's API: read, apply, list, delete. Errors become KubeError here and nowhere else."""

from __future__ import annotations

import json
import os
import time
from typing import Any
from urllib.parse import quote

from .objects import Key, Kind, key_of

FIELD_MANAGER = "llm-verifier"
_TRANSIENT = frozenset({429, 502, 503, 504})


class KubeError(Exception):
    """The API refused or failed; `status` is its HTTP status, 0 when it gave none."""

    def __init__(self, message: str, status: int = 0, causes: tuple[str, ...] = ()) -> None:
        self.status = status
        self.causes = causes
        super().__init__(message)


class Unreachable(KubeError):
    """No kubeconfig, or nothing answers at its address."""


class _NoDiscovery:
    """Stands in for the dynamic client's discoverer, which lists every group and caches it in a shared folder."""

    def __init__(self, _client: Any, _cache_file: Any) -> None:
        pass


class Cluster:
    """One cluster, reached by a kubeconfig. Every request has a timeout and finite retries.

    `kubeconfig` is a path, `context` a name in it (None: its current one), `timeout` seconds per request,
    `budget` seconds for all of them together; after it the cluster counts as unreachable.
    """

    def __init__(
        self,
        kubeconfig: str,
        context: str | None = None,
        timeout: float = 10.0,
        tries: int = 4,
        budget: float = float("inf"),
    ) -> None:
        if not os.path.exists(os.path.expanduser(kubeconfig)):
            raise Unreachable(f"the kubeconfig {kubeconfig} doesn't exist")
        from kubernetes import config, dynamic

        try:
            api = config.new_client_from_config(os.path.expanduser(kubeconfig), context, persist_config=False)
        except config.ConfigException as error:
            raise Unreachable(f"the kubeconfig {kubeconfig} can't be used: {error}") from error
        api.configuration.retries = False
        api.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self._client = dynamic.DynamicClient(api, discoverer=_NoDiscovery)
        self._server = str(api.configuration.host)
        self._timeout = timeout
        self._end = time.monotonic() + budget
        self._tries = tries
        self._new_kinds_until = 0.0
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """One API call; JSON answers come back parsed, others as text. Retries what can pass by itself."""
        for attempt in range(1, self._tries + 1):
            left = self._end - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{self._server} took too long")
            try:
                answer = self._client.request(
                    method,
                    path,
                    body=body,
                    serialize=False,
                    _request_timeout=min(self._timeout, left),
                    **_fresh(options),
                )
                return _parsed(answer.data)
            except Exception as error:  # every kind of transport error has its own class in every version
                failure = _translated(error, self._server)
                passing = isinstance(failure, Unreachable) or failure.status in _TRANSIENT
                if not passing or attempt == self._tries:
                    raise failure from error
                time.sleep(min(0.5 * 2**attempt, 4.0))
        raise AssertionError("unreachable")

    def resource(self, kind: Kind) -> tuple[str, bool]:
        """The plural name of a kind and whether it lives in namespaces; KubeError (404) when there is no such kind."""
        if kind.kind not in self._kinds.get(kind.api_version, {}):
            self._discover(kind)
        try:
            return self._kinds[kind.api_version][kind.kind]
        except KeyError:
            raise KubeError(f"the API has no {kind.kind} in {kind.api_version}", 404) from None

    def _discover(self, kind: Kind) -> None:
        """Ask for the kinds of a group; one that was defined just now gets some seconds to show up."""
        prefix = "/api/" if "/" not in kind.api_version else "/apis/"
        while True:
            try:
                found = self.request("get", prefix + kind.api_version)["resources"]
            except KubeError as error:
                if error.status != 404 or time.monotonic() > self._new_kinds_until:
                    raise
                found = []
            plain = [item for item in found if "/" not in item["name"]]
            self._kinds[kind.api_version] = {item["kind"]: (item["name"], item["namespaced"]) for item in plain}
            if kind.kind in self._kinds[kind.api_version] or time.monotonic() > self._new_kinds_until:
                return
            time.sleep(0.3)

    def path(self, key: Key) -> str:
        """The address of one object, or of a kind's list when the key has no name."""
        plural, namespaced = self.resource(key.kind)
        prefix = "/api/" if "/" not in key.kind.api_version else "/apis/"
        place = f"namespaces/{quote(key.namespace)}/" if namespaced and key.namespace else ""
        return f"{prefix}{key.kind.api_version}/{place}{plural}" + (f"/{quote(key.name, safe=':')}" if key.name else "")

    def namespaced(self, item: dict[str, Any]) -> dict[str, Any]:
        """The object with the namespace that the API would give it: none for cluster-wide kinds, else `default`."""
        _plural, namespaced = self.resource(key_of(item).kind)
        metadata = {name: value for name, value in item["metadata"].items() if name != "namespace"}
        if namespaced:
            metadata["namespace"] = item["metadata"].get("namespace") or "default"
        return {**item, "metadata": metadata}

    def read(self, key: Key) -> dict[str, Any] | None:
        """An object as it is now, None when there is none."""
        try:
            answer: dict[str, Any] = self.request("get", self.path(key))
            return answer
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, item: dict[str, Any], *, dry_run: bool, force: bool) -> dict[str, Any]:
        """Server-side apply; returns the object as the server has it (or, in a dry run, would have it)."""
        answer: dict[str, Any] = self.request(
            "patch",
            self.path(key_of(item)),
            body=item,
            content_type="application/apply-patch+yaml",
            field_manager=FIELD_MANAGER,
            force_conflicts=str(force).lower(),
            dry_run="All" if dry_run else None,
        )
        if item["kind"] == "CustomResourceDefinition" and not dry_run:
            self._new_kinds_until = time.monotonic() + 15
        return answer

    def patch_status(self, key: Key, status: dict[str, Any], *, dry_run: bool) -> None:
        """Write a part of an object's status."""
        self.request(
            "patch",
            self.path(key) + "/status",
            body={"status": status},
            content_type="application/merge-patch+json",
            field_manager=FIELD_MANAGER,
            dry_run="All" if dry_run else None,
        )

    def scale(self, key: Key, replicas: int) -> None:
        """Set a workload's replicas as an autoscaler does: as another manager, so that applying leaves them alone."""
        self.request(
            "patch",
            self.path(key) + "/scale",
            body={"spec": {"replicas": replicas}},
            content_type="application/merge-patch+json",
            field_manager=f"{FIELD_MANAGER}-scale",
        )

    def ensure_namespace(self, name: str, *, dry_run: bool) -> bool:
        """Create a namespace when there is none; True when there was none. An existing one is left as it is."""
        key = Key(Kind("v1", "Namespace"), "", name)
        if self.read(key):
            return False
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        try:
            self.request("post", "/api/v1/namespaces", body=body, dry_run="All" if dry_run else None)
        except KubeError as error:
            if error.status != 409:
                raise
        return True

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind that a label selector picks; none when the API has no such kind."""
        try:
            answer = self.request("get", self.path(Key(kind, namespace, "")), label_selector=selector)
        except KubeError as error:
            if error.status == 404:
                return []
            raise
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in answer.get("items") or []]

    def delete(self, key: Key, *, dry_run: bool) -> None:
        """Delete an object and, in the background, what it owns; one that is gone already is fine."""
        try:
            self.request("delete", self.path(key), propagation_policy="Background", dry_run="All" if dry_run else None)
        except KubeError as error:
            if error.status != 404:
                raise


def _fresh(options: dict[str, Any]) -> dict[str, Any]:
    """The options with lists of their own: the client appends to the ones it gets."""
    return {"query_params": [], "header_params": {}, **options}


def _parsed(data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _translated(error: Exception, server: str) -> KubeError:
    status = int(getattr(error, "status", 0) or 0)
    body = getattr(error, "body", None)
    if not status:
        reason = getattr(error, "reason", None) or error
        return Unreachable(f"{server} doesn't answer: {reason}")
    try:
        answer = json.loads(body or "{}")
    except ValueError:
        answer = {}
    details = (answer.get("details") or {}).get("causes") or ()
    causes = tuple(": ".join(filter(None, (cause.get("message"), cause.get("field")))) for cause in details)
    return KubeError(answer.get("message") or f"HTTP {status} {getattr(error, 'reason', '')}", status, causes)
