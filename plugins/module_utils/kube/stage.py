# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules region_apply and region_release do, from their parameters to their results."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .apply import DEFAULT_PRUNE, Report, Wish, apply_all, plan_without_cluster
from .client import Cluster, KubeError, Unreachable
from .objects import Key, Kind, content_digest, problems
from .secrets import Sources, filled, secret_texts

RELEASE_KEY = "objects.json"
DIGEST_ANNOTATION = "llm-verifier.com/release-digest"


def apply_stage(
    params: Mapping[str, Any], *, check_mode: bool, hide: Callable[[Iterable[str]], None] = lambda _values: None
) -> dict[str, Any]:
    """Apply the objects of one stage to one region; the result is that of the module region_apply.

    `hide` gets the values of Secrets, to take them out of whatever is said about them.
    """
    where = f"{params['region'] or params['kubeconfig']}: {params['stage']}"
    try:
        cluster = Cluster(
            params["kubeconfig"], params["context"], params["timeout"], 1 if check_mode else 4, params["deadline"]
        )
        held = _release(cluster, params["release"])
    except Unreachable as error:
        return _without_cluster(params, where, str(error), check_mode)
    except KubeError as error:
        return _failed(where, [str(error)])
    objects = params["objects"]
    if params["rollback"]:
        if held is None:
            return _failed(where, [f"there is no earlier release in ConfigMap {params['release']} to return to"])
        objects = json.loads(held["data"][RELEASE_KEY])
    released = held is not None and _digest_of(held) == release_digest(objects)
    wish, wrong = _wish(params, objects, check_mode)
    hide(secret_texts(wish.objects))
    if wrong:
        return _failed(where, wrong)
    try:
        report = apply_all(cluster, wish, dry_run=check_mode)
    except KubeError as error:
        return _failed(where, [str(error)])
    return {**_result(where, report), "reachable": True, "released": released}


def release_digest(objects: list[dict[str, Any]]) -> str:
    """What tells one list of objects from another, whatever order their keys have."""
    return content_digest({"objects": {"list": objects}}, b"release")


def release_object(name: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The ConfigMap, named as `namespace/name`, that keeps the last good objects of a region; they hold no secrets."""
    namespace, _unused, short = name.partition("/")
    metadata = {"name": short, "namespace": namespace, "annotations": {DIGEST_ANNOTATION: release_digest(objects)}}
    text = json.dumps(objects, sort_keys=True, separators=(",", ":"))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {RELEASE_KEY: text}}


def _release(cluster: Cluster, name: str) -> dict[str, Any] | None:
    if not name:
        cluster.request("get", "/version")
        return None
    namespace, _unused, short = name.partition("/")
    return cluster.read(Key(Kind("v1", "ConfigMap"), namespace, short))


def _digest_of(held: Mapping[str, Any]) -> str:
    return str((held["metadata"].get("annotations") or {}).get(DIGEST_ANNOTATION, ""))


def _wish(params: Mapping[str, Any], objects: list[dict[str, Any]], check_mode: bool) -> tuple[Wish, list[str]]:
    wrong = problems(objects)
    sources = Sources(
        params["secret_values"], params["secret_environment"], params["secret_files"], params["secret_required"]
    )
    if not wrong:
        objects, wrong = filled(objects, sources, os.environ, lenient=check_mode)
    kinds = DEFAULT_PRUNE if params["prune_kinds"] is None else tuple(params["prune_kinds"])
    wish = Wish(
        owner=params["owner"],
        objects=objects,
        namespaces=tuple(params["ensure_namespaces"]),
        prune_kinds=kinds if params["prune"] else (),
        prune_namespaces=tuple(params["prune_namespaces"]),
        force=params["force_conflicts"],
        addresses=(params["load_balancer_address"],) if params["load_balancer_address"] else (),
        own_addresses=params["load_balancer_addresses"],
        optional_kinds=tuple(params["optional_kinds"]),
        salt=secrets.token_bytes(16),
    )
    return wish, wrong


def _without_cluster(params: Mapping[str, Any], where: str, why: str, check_mode: bool) -> dict[str, Any]:
    """A plan in check mode, else a failure that says what to do."""
    if not check_mode:
        hint = f"Bring the region up first, or look: kubectl --kubeconfig {params['kubeconfig']} get --raw /readyz"
        return {**_failed(where, [why]), "msg": f"{where}: {why}. {hint}", "reachable": False}
    wrong = problems(params["objects"])
    if wrong:
        return _failed(where, wrong)
    # Secrets' values may be made by an earlier stage of the real run: not asked for here.
    wish = Wish(params["owner"], params["objects"], tuple(params["ensure_namespaces"]), salt=secrets.token_bytes(16))
    result = _result(where, plan_without_cluster(wish))
    return {**result, "msg": f"{result['msg']} ({why})", "reachable": False, "released": False}


def _result(where: str, report: Report) -> dict[str, Any]:
    counts = f"{len(report.created)} made, {len(report.changed)} changed, {len(report.pruned)} taken away"
    lines = "\n".join(f"  - {error}" for error in report.errors)
    return {
        "failed": bool(report.errors),
        "changed": report.any_change,
        "msg": f"{where}: {counts}" + (f"; {len(report.errors)} failed:\n{lines}" if report.errors else ""),
        "created": report.created,
        "updated": report.changed,
        "pruned": report.pruned,
        "left_out": report.left_out,
        "errors": report.errors,
        "diff": report.diffs,
    }


def _failed(where: str, errors: list[str]) -> dict[str, Any]:
    text = errors[0] if len(errors) == 1 else "\n" + "\n".join(f"  - {error}" for error in errors)
    empty: dict[str, Any] = {"created": [], "updated": [], "pruned": [], "left_out": []}
    return {
        "failed": True, "changed": False, "msg": f"{where}: {text}", "errors": errors, "reachable": True,
        "released": False, "diff": [], **empty,
    }  # fmt: skip
