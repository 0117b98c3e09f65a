# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drills: what is done, and what must come of it. Data only, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TARGET, REGIONS, EDGES, OTHERS = "target", "regions", "edges", "others"
"""Words for nodes: the one that fails, all regions, all edges, the other regions."""

SECOND, SHARED, STATIC = "second", "shared", "static"
"""Words for who answers: any other region than the target, both, the static site."""

UNHURRIED_SECONDS = 10
"""How long a client waits that doesn't say so."""

DECISION = "decision"
"""The limit of what fails or is slow: the time until the engine has decided."""

SHORT_HOLDS: dict[str, Any] = {
    "successes": 3, "hold_down_seconds": 4, "flap_window_seconds": 1, "ramp": [0.1, 1.0], "ramp_step_seconds": 4,
}  # fmt: skip
"""The policy's `failback` while a drill runs: a way back of seconds instead of minutes, so that one shows all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done.

    Attributes:
        at: seconds after the drill's fault began.
        do: a fault of `local.faults` (down, cut …), or one of stop, pause, resume (services of a node), environment (of
            the region's workload), capacity (requests a second of every region, as the agents are told), holds (the
            agents' way back is SHORT_HOLDS), fill (the disk under the agent's folder), clock (of the node's agent, set
            by so many seconds), dying (the node's agent dies once, after the first step of what it applies next), rival
            (a second agent on the node, which must be refused), takeover (the node's agent becomes the active one).
        node: a node's name or one of the words above.
        words: services, variables, seconds, or the nodes that a cut is about.
    """

    at: float = 0.0
    do: str
    node: str = TARGET
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a drill.

    Attributes:
        evicted: nodes that the engine must take out, wholly or in part; from no other one may it take anything.
        reason: how the reason of the eviction begins.
        verdict: one that the status page must show of the target meanwhile.
        serves: who answers at the end of the fault: TARGET, SECOND, SHARED, STATIC, or nobody in particular.
        failed: greatest ratio of idempotent requests that may fail.
        limit: what the time until traffic has moved is compared with: a kind of the printed budget, or DECISION. Empty:
            nothing must move.
        most: greatest number of evictions.
        aborted: the ramp must be broken off. partial: the region must be kept on part of its requests. silent: the
            status page says nothing meanwhile. recovers: the target must serve again before the load ends, and well.
        second_hand: the name servers learn of it by what an edge says of itself, once the edge knows: two detections.
    """

    evicted: tuple[str, ...] = ()
    reason: str = ""
    verdict: str = ""
    serves: str = ""
    failed: float = 0.0
    limit: str = ""
    most: int = 1
    aborted: bool = False
    partial: bool = False
    silent: bool = False
    recovers: bool = False
    second_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A drill: `during` and `after` in seconds, `rate` in idempotent requests a second; `quick` ones are in every run.

    `target` is the default one. Idempotent requests wait for `patience` seconds and say so by `Prefer: wait`; 0 says
    nothing, and waits for UNHURRIED_SECONDS.
    """

    title: str
    steps: tuple[Step, ...]
    expected: Expected
    target: str = "eu-west-1"
    during: float = 20.0
    after: float = 25.0
    rate: float = 300.0
    patience: int = 2
    quick: bool = False


def _errors(every: int, *more: str) -> Step:
    return Step(do="environment", words=("FAULT_INJECTION=1", "FAULT_STATUS=500", f"FAULT_EVERY={every}", *more))


def _lost(limit: str, most: int = 1) -> Expected:
    """Taken out for its checks or, a tick earlier, for the requests that it dropped."""
    return Expected(evicted=(TARGET,), verdict="REGION_DOWN", serves=SECOND, limit=limit, most=most)


def _one(do: str, node: str = TARGET, *words: str) -> tuple[Step, ...]:
    return (Step(do=do, node=node, words=words),)


def _cuts(seconds: float, *times: float) -> tuple[Step, ...]:
    """A link that goes away and comes back, several times."""
    return tuple(step for at in times for step in (Step(at=at, do="cut"), Step(at=at + seconds, do="heal")))


AGENT = "routing-agent"
_STOPPED = Step(do="stop", node=EDGES, words=(AGENT,))

SCENARIOS: dict[str, Scenario] = {
    "down": Scenario(title="region killed", steps=_one("down"), expected=_lost("killed"), quick=True),
    "down-unhurried": Scenario(
        title="region killed, clients that ask for no haste", steps=_one("down"), expected=_lost("killed"), patience=0),
    "cut": Scenario(title="region's packets dropped", steps=_one("cut"), expected=_lost("packets dropped"), quick=True),
    "freeze": Scenario(title="region frozen", steps=_one("freeze"), expected=_lost("frozen"), quick=True),
    "api-server": Scenario(
        title="API server of a region killed", steps=_one("stop", TARGET, "kube-apiserver"),
        expected=Expected(serves=TARGET), after=8.0),
    "errors": Scenario(
        title="6.25 % of requests answered 500", steps=(_errors(16),), during=25.0,
        expected=Expected(evicted=(TARGET,), reason="ERRORS", serves=SECOND, failed=0.1, limit=DECISION, most=3)),
    "few-errors": Scenario(
        title="4 % of requests answered 500", steps=(_errors(25),), during=30.0, after=8.0, rate=150.0,
        expected=Expected(serves=TARGET, failed=0.05)),
    "latency": Scenario(
        title="every POST takes 6 s, and clients wait", during=25.0, rate=30.0, patience=10,
        steps=_one("environment", TARGET, "FAULT_INJECTION=1", "FAULT_DELAY_SECONDS=6", "FAULT_PATH=/api/verify"),
        expected=Expected(evicted=(TARGET,), reason="LATENCY", serves=SECOND, limit=DECISION, most=3)),
    "slow-start": Scenario(
        title="region killed, started without its workload", during=45.0, after=35.0, rate=150.0,
        steps=(Step(do="down"), Step(at=12.0, do="up"), Step(at=14.0, do="stop", words=("kubelet",))),
        expected=Expected(evicted=(TARGET,), serves=SECOND, limit="killed")),
    "flapping": Scenario(
        title="region cut off for 12 s and back, three times", steps=_cuts(12.0, 0.0, 20.0, 40.0), during=56.0,
        rate=150.0, expected=_lost("packets dropped", most=3)),
    "hiccups": Scenario(
        title="region cut off for 3 s and back, three times, further apart than the window", during=54.0, after=8.0,
        steps=_cuts(3.0, 0.0, 20.0, 40.0), rate=150.0, expected=Expected(serves=TARGET)),
    "cut-edge": Scenario(
        title="link to one edge cut", steps=_one("cut", TARGET, "edge-1"), after=8.0,
        expected=Expected(verdict="VANTAGE_PARTITIONED")),
    "cut-edges": Scenario(
        title="links to both edges cut", steps=_one("cut", TARGET, EDGES), expected=_lost("packets dropped")),
    "cut-regions": Scenario(
        title="links to all other regions cut", steps=_one("cut", TARGET, OTHERS), after=8.0,
        expected=Expected(verdict="INTER_REGION_PARTITION", serves=TARGET)),
    "cut-from-edge": Scenario(
        title="an edge cut off from every region", steps=_one("cut", TARGET, REGIONS), target="edge-2", during=40.0,
        after=8.0, rate=150.0, expected=Expected(limit="packets dropped", second_hand=True)),
    "no-agents": Scenario(
        title="agents stopped, then a region killed", steps=(_STOPPED, Step(at=1.0, do="down")), rate=150.0,
        expected=Expected(serves=SECOND, limit="killed", silent=True)),
    "edge": Scenario(title="edge host killed", steps=_one("down"), target="edge-1", during=40.0, after=20.0,
                     expected=Expected(limit="killed"), quick=True),
    "everything": Scenario(
        title="every region killed, then back", steps=_one("down", REGIONS), after=110.0, rate=150.0,
        expected=Expected(verdict="COMMON_MODE", serves=STATIC, failed=1.0, limit="killed", recovers=True,
                          second_hand=True)),
    "overload": Scenario(
        title="a sick region whose requests fit nowhere", during=30.0, rate=150.0,
        steps=(Step(do="capacity", node=EDGES, words=("100",)), _errors(10)),
        expected=Expected(evicted=(TARGET,), serves=SHARED, failed=0.15, limit=DECISION, partial=True, most=3)),
    "failback": Scenario(
        title="errors return on the ramp", during=50.0, rate=150.0,
        steps=(_errors(2, "FAULT_PATH=/api/models"),),
        expected=Expected(evicted=(TARGET,), reason="ERRORS", failed=0.3, limit=DECISION, most=6, aborted=True)),
    "agent-killed": Scenario(
        title="region cut off, and the agent killed while it applies that", during=30.0, rate=150.0,
        steps=(Step(do="dying", node="edge-1"), Step(at=4.0, do="cut")), expected=_lost("packets dropped")),
    "two-agents": Scenario(
        title="two agents on one edge, then two that take themselves for the active one, and a region cut off",
        during=34.0, rate=150.0,
        steps=(Step(do="rival", node="edge-1"), Step(at=2.0, do="pause", node="edge-1", words=(AGENT,)),
               Step(at=3.0, do="takeover", node="edge-2"), Step(at=8.0, do="resume", node="edge-1", words=(AGENT,)),
               Step(at=10.0, do="cut")),
        expected=_lost("packets dropped")),
    "clock": Scenario(
        title="clock of the active agent set an hour ahead, then two back, and a region cut off", during=44.0,
        rate=150.0,
        steps=(Step(do="clock", node="edge-1", words=("3600",)), Step(at=12.0, do="clock", node="edge-1",
               words=("-7200",)), Step(at=24.0, do="cut")),
        expected=_lost("packets dropped")),
    "disk-full": Scenario(
        title="no room for state and log, then a region killed", during=26.0, rate=150.0,
        steps=(Step(do="fill", node=EDGES), Step(at=6.0, do="down")),
        expected=Expected(serves=SECOND, limit="killed", silent=True)),
}


def scenario(name: str) -> Scenario:
    """Return a drill by its name. Raises ValueError with the names there are."""
    if name not in SCENARIOS:
        raise ValueError(f"drill {name!r}: there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
