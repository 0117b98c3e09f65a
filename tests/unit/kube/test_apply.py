# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying all objects of a region against a cluster in memory."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.apply import (
    Wish,
    apply_all,
    plan_without_cluster,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.client import KubeError, Unreachable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.objects import (
    CONTENT_DIGEST,
    Key,
    Kind,
    key_of,
    problems,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.secrets import (
    Sources,
    collect,
    filled,
    secret_texts,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.stage import release_digest, release_object


class Memory:
    """A cluster in memory: apply replaces, namespaces must exist, `refuse` maps names to errors."""

    def __init__(self) -> None:
        self.objects: dict[Key, dict[str, Any]] = {}
        self.refuse: dict[str, KubeError] = {}
        self.calls: list[str] = []
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "cluster-1"}})

    def put(self, item: dict[str, Any]) -> None:
        self.objects[key_of(item)] = copy.deepcopy(item)

    def namespaced(self, item: dict[str, Any]) -> dict[str, Any]:
        return copy.deepcopy(item)

    def read(self, key: Key) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get(key))

    def apply(self, item: dict[str, Any], *, dry_run: bool, force: bool) -> dict[str, Any]:
        key = key_of(item)
        if key.name in self.refuse:
            raise self.refuse[key.name]
        if key.namespace and Key(Kind("v1", "Namespace"), "", key.namespace) not in self.objects:
            raise KubeError(f'namespaces "{key.namespace}" not found', 404)
        after = {**copy.deepcopy(item), "status": (self.objects.get(key) or {}).get("status", {})}
        after["metadata"]["resourceVersion"] = str(len(self.calls))
        if not dry_run:
            self.calls.append(f"apply {key}")
            self.put(after)
        return after

    def patch_status(self, key: Key, status: dict[str, Any], *, dry_run: bool) -> None:
        self.calls.append(f"status {key}")
        self.objects[key]["status"] = status

    def scale(self, key: Key, replicas: int) -> None:
        self.calls.append(f"scale {key} {replicas}")

    def ensure_namespace(self, name: str, *, dry_run: bool) -> bool:
        key = Key(Kind("v1", "Namespace"), "", name)
        if key in self.objects:
            return False
        if not dry_run:
            self.calls.append(f"namespace {name}")
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return True

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]:
        # A server that ignores the selector.
        return [item for key, item in self.objects.items() if key.kind == kind and namespace in ("", key.namespace)]

    def delete(self, key: Key, *, dry_run: bool) -> None:
        if not dry_run:
            self.calls.append(f"delete {key}")
            del self.objects[key]


def thing(kind: str, name: str, namespace: str = "app", **more: Any) -> dict[str, Any]:
    """An object of a kind."""
    groups = {"Deployment": "apps/v1", "NetworkPolicy": "networking.k8s.io/v1"}
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": groups.get(kind, "v1"), "kind": kind, "metadata": metadata, **more}


def workload(roll_on: str) -> dict[str, Any]:
    """A Deployment that rolls on what it names."""
    item = thing("Deployment", "web", spec={"template": {"metadata": {}}})
    item["metadata"]["annotations"] = {"llm-verifier.com/roll-on": roll_on}
    return item


def wish(*objects: dict[str, Any], **more: Any) -> Wish:
    """A wish of the owner `deploy` that prunes ConfigMaps."""
    return Wish("deploy", list(objects), prune_kinds=("v1/ConfigMap",), salt=b"run", **more)


def test_what_others_need_comes_first_and_a_second_run_changes_nothing() -> None:
    """Objects arrive in dependency order whatever their order in the list."""
    cluster = Memory()
    wanted = wish(thing("Deployment", "web"), thing("Secret", "keys"), thing("Namespace", "app", ""))
    first = apply_all(cluster, wanted, dry_run=False)
    assert cluster.calls == ["apply Namespace app", "apply Secret app/keys", "apply Deployment app/web"]
    assert first.created == ["Namespace app", "Secret app/keys", "Deployment app/web"]
    assert not apply_all(cluster, wanted, dry_run=False).any_change


def test_a_dry_run_sees_a_namespace_that_the_same_batch_makes_and_writes_nothing() -> None:
    """A half-built region gives a whole plan."""
    cluster = Memory()
    report = apply_all(cluster, wish(thing("ConfigMap", "a"), namespaces=("app",)), dry_run=True)
    assert (report.created, report.errors, cluster.calls) == (["Namespace app", "ConfigMap app/a"], [], [])
    assert plan_without_cluster(wish(thing("ConfigMap", "a"), namespaces=("app",))).created == report.created


def test_an_identity_of_some_namespaces_looks_through_these_alone() -> None:
    """What the owner left elsewhere stays; what it left in one of them goes once."""
    cluster = Memory()
    left = [thing("ConfigMap", "old"), thing("ConfigMap", "old", "far")]
    apply_all(cluster, wish(*left, namespaces=("app", "far")), dry_run=False)
    report = apply_all(cluster, wish(prune_namespaces=("app", "gateway")), dry_run=False)
    assert report.pruned == ["ConfigMap app/old"]
    assert apply_all(cluster, wish(), dry_run=False).pruned == ["ConfigMap far/old"]


def test_only_what_this_owner_made_is_pruned() -> None:
    """Other owners', owned and leaving objects stay, and so do namespaces."""
    cluster = Memory()
    apply_all(
        cluster, wish(thing("Namespace", "app", ""), thing("ConfigMap", "old"), thing("ConfigMap", "a")), dry_run=False
    )
    apply_all(cluster, Wish("other", [thing("ConfigMap", "theirs")]), dry_run=False)
    cluster.put(thing("ConfigMap", "nobodys"))
    child = thing("ConfigMap", "child")
    child["metadata"] |= {"labels": {"llm-verifier.com/owner": "deploy"}, "ownerReferences": [{"uid": "1"}]}
    cluster.put(child)
    report = apply_all(cluster, wish(thing("ConfigMap", "a")), dry_run=False)
    assert report.pruned == ["ConfigMap app/old"]
    assert [call for call in cluster.calls if call.startswith("delete")] == ["delete ConfigMap app/old"]


def test_every_error_is_told_and_nothing_is_pruned_after_one() -> None:
    """One refused object keeps neither the others from being applied nor their errors from being told."""
    cluster = Memory()
    apply_all(cluster, wish(thing("Namespace", "app", ""), thing("ConfigMap", "old")), dry_run=False)
    cluster.refuse = {
        "a": KubeError("conflict", 409, ('conflict with "helm": .data.x',)),
        "b": KubeError("denied", 403),
    }
    report = apply_all(cluster, wish(*(thing("ConfigMap", name) for name in "abc")), dry_run=False)
    assert report.created == ["ConfigMap app/c"] and report.pruned == []
    assert len(report.errors) == 2
    assert 'conflict with "helm": .data.x' in report.errors[0] and "force_conflicts" in report.errors[0]
    assert report.errors[1] == "ConfigMap app/b: denied"


def test_a_cluster_that_stops_answering_ends_it_at_once() -> None:
    """Or a region whose packets vanish would take a timeout for every object."""
    cluster = Memory()
    cluster.refuse = {"a": Unreachable("no answer")}
    report = apply_all(cluster, wish(*(thing("ConfigMap", name) for name in "abc"), namespaces=("app",)), dry_run=False)
    assert report.errors == ["ConfigMap app/a: no answer"] and cluster.calls == ["namespace app"]


def test_a_workload_rolls_when_a_secret_that_it_names_changes_and_only_then() -> None:
    """The digest in the pod template follows the content, in this batch or live."""
    cluster = Memory()
    cluster.put(thing("Namespace", "app", ""))
    key = key_of(workload(""))

    def digest(content: str) -> str:
        cluster.put(thing("Secret", "keys", data={"k": content}))
        apply_all(cluster, wish(workload("Secret/keys")), dry_run=False)
        return str(cluster.objects[key]["spec"]["template"]["metadata"]["annotations"][CONTENT_DIGEST])

    first = digest("b25l")
    assert digest("b25l") == first != digest("dHdv")
    cluster.objects.pop(key_of(thing("Secret", "keys")))
    apply_all(cluster, wish(thing("Secret", "keys", data={"k": "b25l"}), workload("Secret/keys")), dry_run=False)
    assert cluster.objects[key]["spec"]["template"]["metadata"]["annotations"][CONTENT_DIGEST] == first


def test_a_new_workload_gets_its_first_replicas_once() -> None:
    """Afterwards the autoscaler owns them."""
    cluster = Memory()
    item = thing("Deployment", "web", spec={})
    item["metadata"]["annotations"] = {"llm-verifier.com/initial-replicas": "2"}
    for _ in range(2):
        apply_all(cluster, wish(item, namespaces=("app",)), dry_run=False)
    assert cluster.calls.count("scale Deployment app/web 2") == 1


def test_load_balancers_get_addresses_where_they_differ() -> None:
    """Addresses elsewhere are marked so that the cluster's proxy doesn't take their traffic."""
    cluster = Memory()
    services = [thing("Service", name, spec={"type": "LoadBalancer"}) for name in ("gateway", "global")]
    wanted = wish(
        *services, namespaces=("app",), addresses=("10.0.0.10",), own_addresses={"app/global": ["10.9.0.1", "10.9.0.2"]}
    )
    assert not any("status" in call for call in apply_and_calls(cluster, wanted, dry_run=True))
    apply_all(cluster, wanted, dry_run=False)
    ingress = {
        key.name: item["status"]["loadBalancer"]["ingress"]
        for key, item in cluster.objects.items()
        if key.kind.kind == "Service"
    }
    assert ingress["gateway"] == [{"ip": "10.0.0.10", "ipMode": "VIP"}]
    assert ingress["global"] == [{"ip": ip, "ipMode": "Proxy"} for ip in ("10.9.0.1", "10.9.0.2")]
    assert not apply_all(cluster, wanted, dry_run=False).any_change


def apply_and_calls(cluster: Memory, wanted: Wish, *, dry_run: bool) -> list[str]:
    """The writing calls of one apply."""
    apply_all(cluster, wanted, dry_run=dry_run)
    return cluster.calls


def test_a_diff_shows_that_a_secret_changed_and_none_of_its_content() -> None:
    """Neither the values nor what kubectl once noted of them."""
    cluster = Memory()
    old = thing("Secret", "keys", data={"k": "b2xkLXNlY3JldA=="})
    old["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": '{"k":"b2xkLXNlY3JldA=="}'}
    cluster.put(thing("Namespace", "app", ""))
    cluster.put(old)
    report = apply_all(cluster, wish(thing("Secret", "keys", data={"k": "bmV3LXNlY3JldA=="})), dry_run=False)
    shown = json.dumps(report.diffs)
    assert report.changed == ["Secret app/keys"] and "(hidden, digest " in shown
    assert "b2xkLXNlY3JldA" not in shown and "bmV3LXNlY3JldA" not in shown


def test_a_diff_shows_lines_of_a_long_text() -> None:
    """A changed configuration is read line by line."""
    report = plan_without_cluster(wish(thing("ConfigMap", "a", data={"haproxy.cfg": "global\n  maxconn 1\n"})))
    assert "    global\n      maxconn 1\n" in report.diffs[0]["after"]


def test_wrong_objects_are_told_all_at_once() -> None:
    """Before anything is applied."""
    twice = thing("ConfigMap", "a")
    assert len(problems([{"kind": "ConfigMap"}, twice, twice, "text"])) == 3


def test_a_secrets_value_comes_from_the_first_place_that_has_one(tmp_path: Path) -> None:
    """Values, then the environment, then files; empty is none; the ways to give what is missing are told."""
    ring = tmp_path / "ring.json"
    ring.write_text('{"current": "from-ring"}')
    sources = Sources(
        values={"app/keys": {"a": "value", "b": ""}},
        environment={"app/keys": {"a": "A", "b": "B", "c": "C"}},
        files={"app/keys": {"a": str(ring), "c": f"{ring}#current", "d": f"{ring}#previous"}},
        required={"app/keys": ["a", "d"]},
    )
    found, missing = collect("app/keys", sources, {"A": "environment", "B": "environment"})
    assert found == {"a": "value", "b": "environment", "c": "from-ring"}
    assert len(missing) == 1 and missing[0].startswith("Secret app/keys has no d") and str(ring) in missing[0]
    items, wrong = filled([thing("Secret", "keys")], sources, {"B": "environment"}, lenient=True)
    assert wrong == [] and {"environment", "ZW52aXJvbm1lbnQ="} <= secret_texts(items)


@pytest.mark.parametrize("content", ["not json, s3cret", '["s3cret"]'])
def test_a_broken_secret_file_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    """Errors name the file's trouble, never what is in it."""
    path = tmp_path / "ring.json"
    path.write_text(content)
    sources = Sources(files={"app/keys": {"a": f"{path}#current"}})
    _items, wrong = filled([thing("Secret", "keys")], sources, {})
    assert len(wrong) == 1 and "s3cret" not in wrong[0]


def test_a_release_is_known_by_its_objects_whatever_the_order_of_their_keys() -> None:
    """So that a region that passed with them needs no second soak."""
    one = [{"kind": "A", "data": {"x": 1, "y": 2}}]
    kept = release_object("app/release", one)
    digest = kept["metadata"]["annotations"]["llm-verifier.com/release-digest"]
    assert digest == release_digest([{"data": {"y": 2, "x": 1}, "kind": "A"}]) != release_digest([{"kind": "B"}])
    assert json.loads(kept["data"]["objects.json"]) == one


def test_a_kind_that_the_cluster_lacks_is_left_out_where_that_is_allowed() -> None:
    class Without(Memory):
        def namespaced(self, item: dict[str, Any]) -> dict[str, Any]:
            if item["kind"] == "Rare":
                raise KubeError("the API has no Rare in v1", 404)
            return super().namespaced(item)

    items = (thing("Rare", "a"), thing("ConfigMap", "b"))
    refused = apply_all(Without(), wish(*items, namespaces=("app",)), dry_run=False)
    assert refused.errors == ["Rare app/a: the API has no Rare in v1"]
    for dry_run in (True, False):
        report = apply_all(Without(), wish(*items, namespaces=("app",), optional_kinds=("v1/Rare",)), dry_run=dry_run)
        assert (report.left_out, report.errors) == (["Rare app/a"], [])
        assert "ConfigMap app/b" in report.created and "Rare app/a" not in report.created
    known = apply_all(Memory(), wish(*items, namespaces=("app",), optional_kinds=("v1/Rare",)), dry_run=False)
    assert "Rare app/a" in known.created and not known.left_out
