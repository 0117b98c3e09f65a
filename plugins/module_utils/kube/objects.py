# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects as plain data: names, order, owner, what a change looks like. Pure."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

OWNER_LABEL = "llm-verifier.com/owner"
MANAGED_BY = {"app.kubernetes.io/managed-by": "llm-verifier"}
ROLL_ON = "llm-verifier.com/roll-on"
INITIAL_REPLICAS = "llm-verifier.com/initial-replicas"
CONTENT_DIGEST = "llm-verifier.com/content-digest"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# What others lean on comes first; kinds not named here come in between, autoscalers and policies over workloads last.
_FIRST = (
    "Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "ServiceAccount", "ClusterRole",
    "ClusterRoleBinding", "Role", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy", "Secret", "ConfigMap",
    "PersistentVolume", "PersistentVolumeClaim", "Service",
)  # fmt: skip
_LAST = (
    "StatefulSet", "DaemonSet", "Deployment", "Job", "CronJob", "PodDisruptionBudget", "HorizontalPodAutoscaler",
    "VerticalPodAutoscaler", "Ingress", "APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
)  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_FIRST)} | {kind: 1000 + rank for rank, kind in enumerate(_LAST)}

# Taking these away takes data or other people's objects with them: never pruned.
NEVER_PRUNED = frozenset({"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"})

_SERVER_SIDE = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of object, `apps/v1/Deployment` in one word."""

    api_version: str
    kind: str

    @classmethod
    def parse(cls, text: str) -> Kind:
        """Read `v1/Secret` or `apps/v1/Deployment`; ValueError when it isn't one."""
        api_version, _unused, kind = text.rpartition("/")
        if not api_version or not kind:
            raise ValueError(f"{text!r} is no kind: write it as v1/Secret or apps/v1/Deployment")
        return cls(api_version, kind)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What names one object in a cluster; `namespace` is empty for cluster-wide ones."""

    kind: Kind
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """`namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.path}"


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an object that `problems` found nothing wrong with."""
    metadata = item["metadata"]
    return Key(Kind(item["apiVersion"], item["kind"]), metadata.get("namespace") or "", metadata["name"])


def problems(items: Iterable[Any]) -> list[str]:
    """Every reason why these can't be applied: no kind, no name, named twice."""
    found: list[str] = []
    seen: set[Key] = set()
    for place, item in enumerate(items):
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not all((item.get("apiVersion"), item.get("kind"), metadata.get("name"))):
            found.append(f"objects[{place}] needs apiVersion, kind and metadata.name")
            continue
        key = key_of(item)
        if key in seen:
            found.append(f"objects[{place}]: {key} is named twice")
        seen.add(key)
    return found


def ordered(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same objects, what others depend on first; equal ranks keep their order."""
    return sorted(items, key=lambda item: _RANK.get(item["kind"], 500))


def owned(item: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """A copy that carries the owner's label."""
    result: dict[str, Any] = copy.deepcopy(dict(item))
    metadata = result["metadata"]
    metadata["labels"] = {**(metadata.get("labels") or {}), **MANAGED_BY, OWNER_LABEL: owner}
    return result


def cleaned(item: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of an object counts as its content: no status and nothing that the server counts by itself."""
    if not item:
        return {}
    result: dict[str, Any] = copy.deepcopy({name: value for name, value in item.items() if name != "status"})
    metadata = result.get("metadata", {})
    for name in _SERVER_SIDE:
        metadata.pop(name, None)
    annotations = metadata.get("annotations", {})
    annotations.pop("deployment.kubernetes.io/revision", None)
    if not annotations:
        metadata.pop("annotations", None)
    return result


def masked(item: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    """A copy fit for showing: of a Secret's values only digests, salted so that they tell nothing outside this run."""
    result: dict[str, Any] = copy.deepcopy(dict(item))
    if result.get("kind") != "Secret":
        return result
    for part in ("data", "stringData"):
        if result.get(part):
            result[part] = {name: _hidden(str(value), salt) for name, value in result[part].items()}
    annotations = result.get("metadata", {}).get("annotations") or {}
    if LAST_APPLIED in annotations:
        annotations[LAST_APPLIED] = _hidden(annotations[LAST_APPLIED], salt)
    return result


def _hidden(value: str, salt: bytes) -> str:
    return f"(hidden, digest {hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()[:12]})"


def content_digest(contents: Mapping[str, Mapping[str, Any]], salt: bytes) -> str:
    """A keyed digest over named contents: it changes when one of them does and gives none away."""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(salt, text, hashlib.sha256).hexdigest()[:32]


def rolls_on(item: Mapping[str, Any]) -> list[Key]:
    """The Secrets and ConfigMaps that a workload names in its roll-on annotation (`Secret/a,ConfigMap/b`)."""
    annotations = item["metadata"].get("annotations") or {}
    namespace = item["metadata"].get("namespace") or ""
    names = [name.strip() for name in annotations.get(ROLL_ON, "").split(",") if name.strip()]
    return [Key(Kind("v1", kind), namespace, name) for kind, _unused, name in (text.partition("/") for text in names)]


def with_digest(item: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """A copy of a workload whose pods carry the digest of what they were started with."""
    result: dict[str, Any] = copy.deepcopy(dict(item))
    metadata = result["spec"]["template"].setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), CONTENT_DIGEST: digest}
    return result


def to_prune(live: Iterable[Mapping[str, Any]], wanted: Iterable[Key], owner: str) -> list[Key]:
    """What this owner made before and doesn't name now; what another object owns or what is leaving stays untouched."""
    keep = {(key.kind.kind, key.namespace, key.name) for key in wanted}
    gone = []
    for item in live:
        metadata = item["metadata"]
        key = key_of(item)
        mine = (metadata.get("labels") or {}).get(OWNER_LABEL) == owner
        busy = metadata.get("ownerReferences") or metadata.get("deletionTimestamp")
        named = (key.kind.kind, key.namespace, key.name) in keep
        if mine and not busy and not named and key.kind.kind not in NEVER_PRUNED:
            gone.append(key)
    return sorted(gone, key=lambda key: (-_RANK.get(key.kind.kind, 500), key))
