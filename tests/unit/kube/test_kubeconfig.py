"""The merged kubeconfig: a context for every region and alias, each with its own user."""

from __future__ import annotations

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.kubeconfig import merge


def one(server: str) -> dict:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": server}}],
    }


def test_users_and_clusters_of_one_name_do_not_mix() -> None:
    configs = {"us-east-1": one("https://a"), "eu-west-1": one("https://b")}
    merged = merge(configs, {"eu-west-1": ["eu-west"]}, "us-east-1")
    contexts = {item["name"]: item["context"] for item in merged["contexts"]}
    clusters = {item["name"]: item["cluster"]["server"] for item in merged["clusters"]}
    assert sorted(contexts) == ["eu-west", "eu-west-1", "us-east-1"]
    assert clusters[contexts["eu-west"]["cluster"]] == "https://b"
    assert {item["name"]: item["user"]["token"] for item in merged["users"]}[contexts["us-east-1"]["user"]] == "https://a"


def test_two_contexts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two contexts are named us"):
        merge({"a": one("x"), "b": one("y")}, {"a": ["us"], "b": ["us"]}, "a")


def test_a_kubeconfig_without_its_context_is_named() -> None:
    with pytest.raises(ValueError, match="region a lacks"):
        merge({"a": {**one("x"), "contexts": []}}, {}, "a")
