# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a region: its rollouts, then its answers, until a verdict or the deadline."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .client import KubeError, Unreachable
from .gate import (
    Limits,
    Sample,
    Trouble,
    Verdict,
    judge_answer,
    judge_answers,
    judge_rollout,
    newest_pods,
    troubles,
    unready,
    wrong_image,
)
from .objects import Key, Kind
from .probe import Endpoint, ask, context_of

DEPLOYMENT = Kind("apps/v1", "Deployment")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a region must show. `deployments` are `namespace/name`, the first one runs `digest`."""

    deployments: tuple[str, ...]
    digest: str = ""
    endpoint: Endpoint | None = None
    paths: tuple[str, ...] = ("/api/health",)
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_required: bool = False
    limits: Limits = field(default_factory=Limits)
    deadline: float = 180.0
    interval: float = 0.1


@dataclass(slots=True)
class Outcome:
    """How it ended: `passed` or `failed`, in which phase, why, after how many seconds, from which answers."""

    state: str
    phase: str
    text: str
    subject: str = ""
    trouble: Trouble | None = None
    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)


class Gate:
    """One wait. The clock and the way to sleep are given, so that tests need no time."""

    def __init__(
        self,
        api: Any,
        expectation: Expectation,
        tell: Callable[[str], None] = lambda _line: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._wanted = expectation
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._since: dict[tuple[str, str], float] = {}
        self._context: ssl.SSLContext | None = None

    def wait(self) -> Outcome:
        """Wait for the rollouts, then for the answers; never longer than the deadline and one request."""
        start = self._clock()
        outcome = self._rollouts(start)
        if outcome.state == "passed" and self._wanted.endpoint:
            outcome = self._answers(start)
        outcome.seconds = self._clock() - start
        return outcome

    def look(self) -> Outcome:
        """One look at the rollouts, without waiting."""
        for name in self._wanted.deployments:
            verdict = self._rollout(name)
            if verdict.state != "passed":
                return Outcome(verdict.state, "rollout", verdict.text, f"Deployment {name}", verdict.trouble)
        return Outcome("passed", "rollout", "every rollout is complete")

    def _rollouts(self, start: float) -> Outcome:
        while True:
            try:
                outcome = self.look()
            except Unreachable as error:
                outcome = Outcome("waiting", "rollout", str(error))
            except KubeError as error:
                outcome = Outcome("waiting" if error.status in (0, 429, 503) else "failed", "rollout", str(error))
            if outcome.state != "waiting":
                return outcome
            self._tell(f"{outcome.subject}: {outcome.text}" if outcome.subject else outcome.text)
            if self._clock() - start >= self._wanted.deadline:
                outcome.state, outcome.text = "failed", f"{self._late()}: {outcome.text}"
                return outcome
            self._sleep(0.5)

    def _late(self) -> str:
        return f"the deadline of {self._wanted.deadline:g} s is over"

    def _rollout(self, name: str) -> Verdict:
        namespace, _unused, short = name.partition("/")
        deployment = self._api.read(Key(DEPLOYMENT, namespace, short))
        wrong: list[Trouble] = []
        pods: list[Mapping[str, Any]] = []
        if deployment:
            labels = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
            selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
            sets = self._api.list(Kind("apps/v1", "ReplicaSet"), namespace, selector)
            pods = newest_pods(deployment, sets, self._api.list(Kind("v1", "Pod"), namespace, selector))
            wrong = troubles(pods)
            image = wrong_image(deployment, self._wanted.digest) if name == self._wanted.deployments[0] else ""
            if image:
                return Verdict("failed", image)
        verdict = judge_rollout(deployment, wrong, self._stuck_for(wrong), self._wanted.limits)
        return verdict if verdict.state == "passed" or verdict.trouble else replace(verdict, trouble=unready(pods))

    def _stuck_for(self, wrong: list[Trouble]) -> dict[tuple[str, str], float]:
        now = self._clock()
        names = {(item.pod, item.container) for item in wrong}
        for name in names:
            self._since.setdefault(name, now)
        return {name: now - self._since[name] for name in names}

    def _answers(self, start: float) -> Outcome:
        if not self._wanted.endpoint:
            raise AssertionError("no endpoint to ask")
        subject = f"https://{self._wanted.endpoint.host}{self._wanted.paths[0]} at {self._wanted.endpoint.address}"
        since = self._clock()
        samples: list[Sample] = []
        while True:
            samples.append(self._ask(self._wanted.paths[len(samples) % len(self._wanted.paths)]))
            now = self._clock()
            verdict = judge_answers(samples, since, now, self._wanted.limits)
            if verdict.state == "waiting" and now - start >= self._wanted.deadline:
                verdict = Verdict("failed", f"{self._late()}: {verdict.text}")
            if verdict.state != "waiting":
                return Outcome(verdict.state, "answers", verdict.text, subject, samples=samples)
            if len(samples) % 10 == 1:
                self._tell(f"{subject}: {verdict.text}")
            self._sleep(self._wanted.interval)

    def _ask(self, path: str) -> Sample:
        endpoint = self._wanted.endpoint
        if not endpoint:
            raise AssertionError("no endpoint to ask")
        begin = self._clock()
        try:
            self._context = self._context or context_of(endpoint)
            status, headers = ask(endpoint, path, self._context)
            fault = judge_answer(status, headers, self._wanted.headers, self._wanted.headers_required)
        except (OSError, http.client.HTTPException) as error:
            fault = f"{type(error).__name__}: {error}"
        now = self._clock()
        return Sample(now, now - begin, f"GET {path}: {fault}" if fault else "")
