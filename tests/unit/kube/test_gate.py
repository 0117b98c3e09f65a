# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a finished rollout and as good answers, and that waiting always ends."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube import wait
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.client import Unreachable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.evidence import evidence, last_events
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.gate import (
    Limits,
    Sample,
    judge_answer,
    judge_answers,
    judge_rollout,
    newest_pods,
    troubles,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.objects import Key, Kind
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.probe import Endpoint
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.wait import Expectation, Gate

DIGEST = "sha256:" + "a" * 64


def deployment(**status: Any) -> dict[str, Any]:
    """A Deployment of two replicas, complete unless told otherwise."""
    whole = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    return {
        "metadata": {
            "name": "web", "namespace": "app", "uid": "d1", "generation": 3,
            "annotations": {"deployment.kubernetes.io/revision": "7"},
        },
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "web", "image": f"registry/web@{DIGEST}"}]}},
        },
        "status": {**whole, **status},
    }  # fmt: skip


def pod(name: str, template: str, reason: str = "", restarts: int = 0, **more: Any) -> dict[str, Any]:
    """A pod of a revision, with a waiting container when there is a reason."""
    state = {"waiting": {"reason": reason, "message": "why"}} if reason else {"running": {}}
    return {
        "metadata": {"name": name, "namespace": "app", "labels": {"pod-template-hash": template}, **more},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"containerStatuses": [{"name": "web", "restartCount": restarts, "state": state}]},
    }


def replica_set(template: str, revision: str, owner: str = "d1") -> dict[str, Any]:
    """A ReplicaSet of a revision."""
    return {
        "metadata": {
            "labels": {"pod-template-hash": template}, "ownerReferences": [{"uid": owner}],
            "annotations": {"deployment.kubernetes.io/revision": revision},
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        ({}, "passed", "2 replicas"),
        ({"observedGeneration": 2}, "waiting", "hasn't seen"),
        ({"updatedReplicas": 1}, "waiting", "1 of 2 new"),
        ({"replicas": 3}, "waiting", "1 old"),
        ({"availableReplicas": None}, "waiting", "0 of 2"),
        ({"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}, "failed", "deadline"),
    ],
)
def test_a_rollout_is_complete_only_when_every_count_says_so(status: dict[str, Any], state: str, text: str) -> None:
    """As `kubectl rollout status` counts."""
    verdict = judge_rollout(deployment(**status), [], {}, Limits())
    assert verdict.state == state and text in verdict.text


def test_crash_loops_and_missing_images_fail_early_in_the_newest_revision_alone() -> None:
    """An old pod may crash; a new one gets a few restarts; an image gets some seconds."""
    sets = [replica_set("new", "7"), replica_set("old", "6"), replica_set("else", "7", "d2")]
    pods = [
        pod("a", "old", "CrashLoopBackOff", 99),
        pod("b", "else", "CrashLoopBackOff", 99),
        pod("c", "new", "CrashLoopBackOff", 99, deletionTimestamp="now"),
        pod("d", "new", "CrashLoopBackOff", 2),
        pod("e", "new", "ImagePullBackOff"),
    ]
    wrong = troubles(newest_pods(deployment(), sets, pods))
    assert [trouble.pod for trouble in wrong] == ["d", "e"]
    half = deployment(availableReplicas=0)
    limits = Limits(stuck=20, restarts=3)
    assert judge_rollout(half, wrong, {("e", "web"): 19}, limits).state == "waiting"
    assert judge_rollout(half, wrong, {("e", "web"): 20}, limits).trouble == wrong[1]
    crashed = troubles([pod("d", "new", "CrashLoopBackOff", 3)])
    assert "it crashes" in judge_rollout(half, crashed, {}, limits).text


def answers(faults: str, gap: float = 0.1) -> list[Sample]:
    """One sample a letter: `.` good, `x` bad."""
    return [Sample(index * gap, 0.01, "HTTP 500" if letter == "x" else "") for index, letter in enumerate(faults)]


def test_answers_pass_by_the_ratio_in_the_last_window_and_enough_of_them() -> None:
    """Trouble at the beginning is forgotten, a lasting one is not, and too few answers prove nothing."""
    limits = Limits(soak=2, minimum_sample=10, error_ratio=0.05, patience=6)

    def state(faults: str, now: float) -> str:
        return judge_answers(answers(faults), 0.0, now, limits).state

    assert state("." * 21, 2.0) == "passed"
    assert state("." * 11, 1.0) == "waiting"
    assert state("x" * 10 + "." * 25, 3.4) == "passed"
    assert state("x" * 61, 6.0) == "failed"
    assert state("." * 15 + "xx....", 2.0) == "waiting"
    assert judge_answers(answers("....", gap=0.5), 0.0, 2.0, limits).state == "waiting"
    assert judge_answers(answers("xx."), 0.0, 0.2, Limits(soak=0)).state == "passed"
    assert judge_answers(answers("..x"), 0.0, 0.2, Limits(soak=0)).state == "waiting"


def test_an_answer_of_another_digest_or_region_is_bad_where_the_workload_says_them() -> None:
    """Header names have no case; a workload that sends none is judged by what the cluster runs."""
    expected = {"X-Image-Digest": DIGEST, "X-Region": "r1"}
    assert judge_answer(200, {"x-image-digest": DIGEST, "X-REGION": "r1"}, expected, True) == ""
    assert judge_answer(200, {}, expected, False) == ""
    assert "missing" in judge_answer(200, {}, expected, True)
    assert "not " + DIGEST in judge_answer(200, {"X-Image-Digest": "sha256:b"}, expected, False)
    assert judge_answer(503, {}, {}, False) == "HTTP 503"


class Api:
    """A region that shows what it is told to."""

    def __init__(self, held: dict[str, Any] | None = None, pods: list[dict[str, Any]] | None = None) -> None:
        self.held = held
        self.pods = pods or []
        self.down = False

    def read(self, key: Key) -> dict[str, Any] | None:
        if self.down:
            raise Unreachable("no answer")
        return {"data": {"k": "aHVudGVyLTIgaXMgc2VjcmV0"}} if key.kind.kind == "Secret" else self.held

    def list(self, kind: Kind, namespace: str = "", selector: str | None = None) -> list[dict[str, Any]]:
        kinds: dict[str, list[dict[str, Any]]] = {"Pod": self.pods, "ReplicaSet": [replica_set("new", "7")]}
        return kinds.get(kind.kind, [])

    def request(self, method: str, path: str, **_options: Any) -> str:
        return "starting\nmy key is hunter-2 is secret\n"


class Time:
    """A clock that only sleeping and asking move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waited(api: Api, **more: Any) -> wait.Outcome:
    """The outcome of a wait that takes no time."""
    clock = Time()
    return Gate(api, Expectation(("app/web",), **more), clock=clock, sleep=clock.sleep).wait()


def test_the_deadline_ends_every_wait() -> None:
    """Whether there is no Deployment, no progress or no API."""
    dead = Api()
    dead.down = True
    for api in (Api(), Api(deployment(availableReplicas=1)), dead):
        outcome = waited(api, deadline=30)
        assert (outcome.state, outcome.phase) == ("failed", "rollout")
        assert 30 <= outcome.seconds < 32 and "deadline of 30 s" in outcome.text


def test_another_image_than_the_wanted_one_fails_at_once() -> None:
    """Somebody else's apply came in between."""
    assert waited(Api(deployment()), digest="sha256:b").seconds == 0
    assert waited(Api(deployment()), digest=DIGEST).state == "passed"


def test_bad_answers_after_a_complete_rollout_fail_when_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before the deadline; good ones pass after the soak."""
    endpoint = Endpoint("10.0.0.1", 443, "api.example.com", tls=False)
    for status, state, seconds in ((500, "failed", 12), (200, "passed", 5)):
        monkeypatch.setattr(wait, "ask", lambda *_args, status=status: (status, {}))
        outcome = waited(Api(deployment()), endpoint=endpoint, deadline=300, limits=Limits(patience=12))
        assert (outcome.state, outcome.phase) == (state, "answers") and seconds <= outcome.seconds < seconds + 1


def test_a_failure_shows_the_crashed_containers_log_without_secrets() -> None:
    """Values of the workload's Secret are taken out of whatever it printed."""
    pods = [pod("web-1", "new", "CrashLoopBackOff", 5)]
    outcome = waited(Api(deployment(availableReplicas=0), pods))
    assert outcome.trouble is not None and outcome.seconds == 0
    _events, lines = evidence(Api(), outcome.subject, outcome.trouble, ["app/keys"])
    assert lines == ["starting", "my key is ********"]


def test_the_last_events_about_an_object_are_its_warnings() -> None:
    """Normal ones only where there is no warning."""

    def event(name: str, kind: str, level: str, at: str) -> dict[str, Any]:
        item = {"name": name, "kind": kind}
        return {"involvedObject": item, "type": level, "reason": "R", "message": at, "lastTimestamp": at}

    events = [
        event("web-1", "Pod", "Warning", "2"),
        event("web-1", "Pod", "Normal", "3"),
        event("db-1", "Pod", "Warning", "4"),
    ]
    assert last_events(events, ["web"]) == ["Pod web-1: R: 2"]
    assert last_events(events[1:], ["web"]) == ["Pod web-1: R: 3"]
