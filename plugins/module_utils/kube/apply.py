# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a cluster's objects to what is wanted, all in one go, with what changed and every error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from .client import KubeError, Unreachable
from .objects import (
    INITIAL_REPLICAS,
    Key,
    Kind,
    cleaned,
    content_digest,
    key_of,
    masked,
    ordered,
    owned,
    rolls_on,
    to_prune,
    with_digest,
)

DEFAULT_PRUNE = (
    "v1/ConfigMap", "v1/Secret", "v1/Service", "v1/ServiceAccount", "apps/v1/Deployment", "apps/v1/DaemonSet",
    "apps/v1/StatefulSet", "autoscaling/v2/HorizontalPodAutoscaler", "policy/v1/PodDisruptionBudget",
    "networking.k8s.io/v1/NetworkPolicy", "rbac.authorization.k8s.io/v1/Role",
    "rbac.authorization.k8s.io/v1/RoleBinding", "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding", "v1/ResourceQuota", "v1/LimitRange",
    "scheduling.k8s.io/v1/PriorityClass", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
)  # fmt: skip


class Api(Protocol):
    """What of a cluster this needs; see client.Cluster."""

    def namespaced(self, item: dict[str, Any]) -> dict[str, Any]: ...

    def read(self, key: Key) -> dict[str, Any] | None: ...

    def apply(self, item: dict[str, Any], *, dry_run: bool, force: bool) -> dict[str, Any]: ...

    def patch_status(self, key: Key, status: dict[str, Any], *, dry_run: bool) -> None: ...

    def scale(self, key: Key, replicas: int) -> None: ...

    def ensure_namespace(self, name: str, *, dry_run: bool) -> bool: ...

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]: ...

    def delete(self, key: Key, *, dry_run: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What a region shall hold.

    `prune_namespaces` are looked through for what is left, all when empty. `addresses` are those of every LoadBalancer
    Service, `own_addresses` those of one Service by `namespace/name`; empty: the status is left to whoever else writes
    it. `salt` keys the digests that a diff shows of Secrets. Objects of `optional_kinds` are left out where the cluster
    doesn't know the kind.
    """

    owner: str
    objects: list[dict[str, Any]]
    namespaces: tuple[str, ...] = ()
    prune_kinds: tuple[str, ...] = ()
    prune_namespaces: tuple[str, ...] = ()
    force: bool = False
    addresses: tuple[str, ...] = ()
    own_addresses: dict[str, list[str]] = field(default_factory=dict)
    optional_kinds: tuple[str, ...] = ()
    salt: bytes = b""


@dataclass(slots=True)
class Report:
    """What was done, in order: created, changed and pruned objects, their diffs, and every error.

    `left_out` are objects of kinds that the cluster doesn't know. `lost` when the cluster stopped answering.
    """

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    pruned: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    diffs: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lost: bool = False

    @property
    def any_change(self) -> bool:
        """Whether anything is or would be different."""
        return bool(self.created or self.changed or self.pruned)


def shown(item: dict[str, Any], salt: bytes) -> str:
    """An object as a person reads it in a diff, long texts line by line; empty for none."""
    import yaml

    class Readable(yaml.SafeDumper):
        pass

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Readable.add_representer(str, text)
    if not item:
        return ""
    return str(yaml.dump(masked(item, salt), Dumper=Readable, sort_keys=True, default_flow_style=False, width=160))


def plan_without_cluster(wish: Wish) -> Report:
    """What would be made in a cluster that isn't there yet."""
    report = Report()
    report.created += [f"Namespace {name}" for name in wish.namespaces]
    for item in ordered(wish.objects):
        _note(report.created, report, key_of(item), {}, owned(item, wish.owner), wish.salt)
    return report


def apply_all(api: Api, wish: Wish, *, dry_run: bool) -> Report:
    """Apply every object in the order they depend on each other, then take away what isn't wanted any more.

    One object's error doesn't keep the others from being applied, but nothing is pruned after one. A cluster that stops
    answering ends it.
    """
    report = Report()
    for name in wish.namespaces:
        _attempt(report, f"Namespace {name}", partial(_ensure, api, name, report, dry_run))
    digests: dict[Key, dict[str, Any]] = {}
    wanted: list[Key] = []
    for raw in ordered(wish.objects):
        if report.lost:
            break
        _attempt(report, str(key_of(raw)), partial(_one, api, raw, wish, report, digests, wanted, dry_run))
    if wish.prune_kinds and not report.errors:
        _attempt(report, "prune", partial(_prune, api, wish, wanted, report, dry_run))
    return report


def _attempt(report: Report, what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except KubeError as error:
        report.lost = report.lost or isinstance(error, Unreachable)
        report.errors.append(f"{what}: {_explained(error)}")


def _explained(error: KubeError) -> str:
    if error.status == 409 and error.causes:
        return (
            f"another manager set fields that are wanted here: {'; '.join(error.causes)}. Take them out there, "
            "or set force_conflicts to take them over"
        )
    return str(error)


def _ensure(api: Api, name: str, report: Report, dry_run: bool) -> None:
    if api.ensure_namespace(name, dry_run=dry_run):
        report.created.append(f"Namespace {name}")


def _one(
    api: Api,
    raw: dict[str, Any],
    wish: Wish,
    report: Report,
    contents: dict[Key, dict[str, Any]],
    wanted: list[Key],
    dry_run: bool,
) -> None:
    """Apply one object and note what it changed, its key among the wanted and what workloads may roll on."""
    if not _known(api, raw, wish):
        report.left_out.append(str(key_of(raw)))
        return
    try:
        item = api.namespaced(owned(raw, wish.owner))
        key = key_of(item)
        before = api.read(key)
        item = _rolled(api, item, contents)
        after = api.apply(item, dry_run=dry_run, force=wish.force)
    except KubeError as error:
        if not (dry_run and error.status == 404):
            raise
        # A dry run can't see the namespace or the kind that this very batch would make first.
        key, before, after = key_of(raw), None, owned(raw, wish.owner)
    if key.kind.kind in ("Secret", "ConfigMap"):
        contents[key] = _content(after)
    if cleaned(before) != cleaned(after):
        _note(report.changed if before else report.created, report, key, cleaned(before), cleaned(after), wish.salt)
    if before is None and not dry_run:
        _first_replicas(api, key, after)
    if key.kind.kind == "Service" and (after.get("spec") or {}).get("type") == "LoadBalancer":
        _addresses(api, key, after, wish, report, dry_run)
    wanted.append(key)


def _known(api: Api, raw: dict[str, Any], wish: Wish) -> bool:
    """Whether the cluster knows an object's kind; only asked of kinds that may be missing."""
    if f"{raw['apiVersion']}/{raw['kind']}" not in wish.optional_kinds:
        return True
    try:
        api.namespaced(raw)
    except KubeError as error:
        if error.status != 404:
            raise
        return False
    return True


def _first_replicas(api: Api, key: Key, after: dict[str, Any]) -> None:
    """Give a new workload, whose replicas an autoscaler owns from now on, the number that its annotation asks for."""
    number = (after["metadata"].get("annotations") or {}).get(INITIAL_REPLICAS, "")
    if number.isdecimal():
        api.scale(key, int(number))


def _rolled(api: Api, item: dict[str, Any], contents: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    """A workload with the digest of the Secrets and ConfigMaps it names; this batch's or the live ones."""
    names = rolls_on(item)
    if not names:
        return item
    found = {}
    for key in names:
        content = contents[key] if key in contents else _content(api.read(key) or {})
        found[str(key)] = content
    anchor = api.read(Key(Kind("v1", "Namespace"), "", "kube-system")) or {}
    return with_digest(item, content_digest(found, str(anchor.get("metadata", {}).get("uid", "")).encode()))


def _content(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("data", "binaryData") if item.get(name)}


def _addresses(api: Api, key: Key, after: dict[str, Any], wish: Wish, report: Report, dry_run: bool) -> None:
    """Write a LoadBalancer Service's addresses where nobody else does.

    Addresses of its own are elsewhere: `Proxy` keeps this cluster's own proxy from answering for them.
    """
    own = wish.own_addresses.get(key.path)
    wanted = [(name, "Proxy") for name in own] if own else [(name, "VIP") for name in wish.addresses]
    live = ((after.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if not wanted or [(entry.get("ip"), entry.get("ipMode", "VIP")) for entry in live] == wanted:
        return
    ingress = [{"ip": name, "ipMode": mode} for name, mode in wanted]
    if not dry_run:
        api.patch_status(key, {"loadBalancer": {"ingress": ingress}}, dry_run=False)
    texts = [json.dumps([entry.get("ip") for entry in entries]) + "\n" for entries in (live, ingress)]
    header = f"{key} status.loadBalancer.ingress"
    report.changed.append(header)
    report.diffs.append({"before_header": header, "after_header": header, "before": texts[0], "after": texts[1]})


def _prune(api: Api, wish: Wish, wanted: list[Key], report: Report, dry_run: bool) -> None:
    kinds = {Kind.parse(text) for text in wish.prune_kinds} | {key.kind for key in wanted}
    selector = f"llm-verifier.com/owner={wish.owner}"
    places = wish.prune_namespaces or ("",)
    live = [item for kind in sorted(kinds) for place in places for item in api.list(kind, place, selector)]
    by_key = {key_of(item): item for item in live}
    for key in to_prune(by_key.values(), wanted, wish.owner):
        api.delete(key, dry_run=dry_run)
        _note(report.pruned, report, key, cleaned(by_key[key]), {}, wish.salt)


def _note(
    where: list[str], report: Report, key: Key, before: dict[str, Any], after: dict[str, Any], salt: bytes
) -> None:
    where.append(str(key))
    header = {"before_header": str(key), "after_header": str(key)}
    report.diffs.append({**header, "before": shown(before, salt), "after": shown(after, salt)})
