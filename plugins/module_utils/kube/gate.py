# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a rollout and a region's answers. Pure: what was seen and for how long goes in, a verdict comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REVISION = "deployment.kubernetes.io/revision"
_CRASHES = frozenset({"CrashLoopBackOff", "Error", "RunContainerError", "StartError", "OOMKilled"})
_STUCK = frozenset(
    {
        "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
        "CreateContainerError", "ImageInspectError", "RegistryUnavailable",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """When waiting ends early, and what passes.

    Seconds: `stuck` an image or a configuration may be missing, `soak` the answers are watched, `patience` they may
    stay bad after the rollout. `restarts` of one container that count as a crash loop, `minimum_sample` answers in the
    soak window, `error_ratio` (0-1) of them that may be bad.
    """

    stuck: float = 20.0
    restarts: int = 3
    soak: float = 5.0
    patience: float = 30.0
    minimum_sample: int = 20
    error_ratio: float = 0.05


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a container from running."""

    namespace: str
    pod: str
    container: str
    reason: str
    message: str
    restarts: int

    @property
    def crashing(self) -> bool:
        """Whether it started and ended, so that it has log lines."""
        return self.reason in _CRASHES

    def __str__(self) -> str:
        restarted = f", {self.restarts} restarts" if self.restarts else ""
        said = f": {self.message}" if self.message else ""
        return f"pod {self.namespace}/{self.pod}, container {self.container}: {self.reason}{restarted}{said}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed`, `waiting` or `failed`, why, and the trouble behind it where there is one."""

    state: str
    text: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the region: `at` in seconds of any steady clock, `seconds` it took, `fault` empty when good."""

    at: float
    seconds: float
    fault: str


def newest_pods(
    deployment: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The pods of a Deployment's newest revision: older ones may fail as they like."""
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    uid = deployment["metadata"].get("uid")
    hashes = {
        (item["metadata"].get("labels") or {}).get("pod-template-hash")
        for item in replica_sets
        if any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences") or ())
        and (item["metadata"].get("annotations") or {}).get(REVISION) == revision
    }
    return [
        pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get("pod-template-hash") in hashes
        and not pod["metadata"].get("deletionTimestamp")
    ]


def troubles(pods: Iterable[Mapping[str, Any]]) -> list[Trouble]:
    """What is wrong with these pods' containers now."""
    found = []
    for pod in pods:
        status = pod.get("status") or {}
        for state in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
            waiting = (state.get("state") or {}).get("waiting") or {}
            ended = (state.get("state") or {}).get("terminated") or {}
            reason = waiting.get("reason") or (ended.get("reason") if ended.get("exitCode") else "") or ""
            if reason in _CRASHES or reason in _STUCK:
                last = ended or (state.get("lastState") or {}).get("terminated") or {}
                said = f"exit code {last['exitCode']}" if "exitCode" in last else waiting.get("message", "")
                metadata = pod["metadata"]
                found.append(
                    Trouble(
                        metadata["namespace"],
                        metadata["name"],
                        state["name"],
                        reason,
                        said,
                        int(state.get("restartCount", 0)),
                    )
                )
    return found


def unready(pods: Iterable[Mapping[str, Any]]) -> Trouble | None:
    """The first pod that isn't ready, for showing its events and log lines."""
    for pod in pods:
        conditions = (pod.get("status") or {}).get("conditions") or ()
        ready: Mapping[str, Any] = next((item for item in conditions if item.get("type") == "Ready"), {})
        if ready.get("status") != "True":
            containers = pod["spec"]["containers"]
            metadata = pod["metadata"]
            said = ready.get("message", "")
            return Trouble(metadata["namespace"], metadata["name"], containers[0]["name"], "not ready", said, 0)
    return None


def judge_rollout(
    deployment: Mapping[str, Any] | None,
    wrong: Sequence[Trouble],
    stuck_for: Mapping[tuple[str, str], float],
    limits: Limits,
) -> Verdict:
    """Whether a Deployment's newest revision runs. `stuck_for`: seconds a (pod, container) was in trouble."""
    if deployment is None:
        return Verdict("waiting", "it doesn't exist yet")
    for trouble in wrong:
        if trouble.crashing and trouble.restarts >= limits.restarts:
            return Verdict("failed", f"it crashes: {trouble}", trouble)
        if not trouble.crashing and stuck_for.get((trouble.pod, trouble.container), 0.0) >= limits.stuck:
            return Verdict("failed", f"it can't start: {trouble}", trouble)
    return _counted(deployment, wrong[0] if wrong else None)


def _counted(deployment: Mapping[str, Any], trouble: Trouble | None) -> Verdict:
    status = deployment.get("status") or {}
    replicas = (deployment.get("spec") or {}).get("replicas", 1)
    updated, total, available = (
        int(status.get(name) or 0) for name in ("updatedReplicas", "replicas", "availableReplicas")
    )
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Verdict("failed", f"its progress deadline is over: {condition.get('message', '')}", trouble)
    if int(status.get("observedGeneration") or 0) < int(deployment["metadata"].get("generation") or 0):
        return Verdict("waiting", "the controller hasn't seen the new revision yet", trouble)
    if updated < replicas:
        return Verdict("waiting", f"{updated} of {replicas} new replicas are made", trouble)
    if total > updated:
        return Verdict("waiting", f"{total - updated} old replicas still run", trouble)
    if available < updated:
        said = f" ({trouble})" if trouble else ""
        return Verdict("waiting", f"{available} of {updated} replicas are available{said}", trouble)
    return Verdict("passed", f"{available} replicas are available")


def wrong_image(deployment: Mapping[str, Any], digest: str) -> str:
    """Why a Deployment doesn't run this digest; empty when it does or none is expected."""
    images = [item.get("image", "") for item in deployment["spec"]["template"]["spec"]["containers"]]
    if not digest or any(image.endswith(f"@{digest}") for image in images):
        return ""
    return f"Deployment {deployment['metadata']['name']} runs {', '.join(images)}, not {digest}"


def judge_answers(samples: Sequence[Sample], since: float, now: float, limits: Limits) -> Verdict:
    """Whether the answers of the last soak window are good; `since` is when asking began, `now` the same clock.

    Bad ones from before the window are forgotten: routes need a moment to settle. A soak of 0 seconds asks for one.
    """
    window = [sample for sample in samples if sample.at >= now - limits.soak] if limits.soak else samples[-1:]
    bad = [sample for sample in window if sample.fault]
    ratio = len(bad) / len(window) if window else 1.0
    last = next((sample.fault for sample in reversed(samples) if sample.fault), "no answer yet")
    enough = len(window) >= (limits.minimum_sample if limits.soak else 1) and now - since >= limits.soak
    if enough and ratio <= limits.error_ratio and not samples[-1].fault:
        return Verdict("passed", f"{len(window)} answers, error ratio {ratio:.3f}")
    text = f"{len(bad)} of {len(window)} answers bad, at most {limits.error_ratio:.1%} may be" + (
        f"; the last fault: {last}" if bad else ""
    )
    if now - since >= max(limits.patience, 2 * limits.soak):
        return Verdict("failed", text)
    return Verdict("waiting", text)


def judge_answer(
    status: int, headers: Mapping[str, str], expected: Mapping[str, str], required: bool, wanted_status: int = 200
) -> str:
    """What is wrong with one answer; empty when nothing is.

    `expected` maps header names to their values; a header that isn't there counts only when it is `required`.
    """
    if status != wanted_status:
        return f"HTTP {status}"
    lower = {name.lower(): value for name, value in headers.items()}
    for name, value in expected.items():
        seen = lower.get(name.lower())
        if value and ((seen is None and required) or seen not in (None, "", value)):
            return f"{name} is {seen or 'missing'}, not {value}"
    return ""
