"""The merged kubeconfig: a context for every region and alias, each with its own user."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.credentials import problems
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


def test_a_command_for_credentials_that_is_not_there_is_told_with_what_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")

    def given(name: str, config: object) -> dict[str, str]:
        (tmp_path / name).write_text(config if isinstance(config, str) else json.dumps(config))
        return {"region_kubeconfig": str(tmp_path / name)}

    def calls(command: str, **more: str) -> dict:
        config = copy.deepcopy(one("https://a"))
        config["users"][0]["user"] = {"exec": {"command": command, **more}}
        return config

    (tmp_path / "beside").write_text("#!/bin/sh\n")
    (tmp_path / "beside").chmod(0o755)
    fine = {"token": one("https://a"), "there": calls("sh"), "beside": calls("./beside")}
    bad = {"cloud": calls("gke-gcloud-auth-plugin"), "hinted": calls("no-such", installHint="get no-such at home"),
           "strange": calls("no-such"), "contextless": {"users": []}, "torn": "a: [", "listed": "[]"}
    hosts = {name: given(name + ".conf", config) for name, config in {**fine, **bad}.items()}
    later = {"later": {"region_kubeconfig": "/nowhere/at/all"}, "edge": {}}
    found = {item.host: item for item in problems({**hosts, **later})}
    assert found.keys() == bad.keys()
    assert {name: found[name].mend for name in ("cloud", "hinted", "strange")} == {
        "cloud": "gcloud components install gke-gcloud-auth-plugin", "hinted": "get no-such at home",
        "strange": "put no-such on the path"}  # fmt: skip
    assert "command gke-gcloud-auth-plugin, which is not there" in found["cloud"].wrong
    assert "lacks 'current-context'" in found["contextless"].wrong
