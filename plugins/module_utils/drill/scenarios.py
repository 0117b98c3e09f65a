# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drills: what is done, and what must come of it. Data only, in one place."""

from __future__ import annotations

from dataclasses import dataclass

TARGET, REGIONS, EDGES, OTHERS, SECOND, STATIC = "target", "regions", "edges", "others", "second", "static"
"""Words for nodes: the one that fails, all regions, all edges, the other regions, the region that Europe's list has
second (as an answer: any other region), and the static site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done.

    Attributes:
        at: seconds after the drill's fault began.
        do: a fault of `local.faults` (down, cut …), or one of stop, start, kill (services of a node), environment (of
            the region's workload), capacity (requests a second of every region, as the agents are told), fill (the
            disk under the agent's folder).
        node: a node's name or one of the words above.
        words: services, variables, or the nodes that a cut is about.
    """

    at: float = 0.0
    do: str
    node: str = TARGET
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a drill.

    Attributes:
        evicted: nodes that the engine must take out; no other one may be, none if empty. None: it may or may not.
        reason: how the reason of the eviction begins.
        verdict: one that the status page must show of the target meanwhile.
        serves: who answers at the end of the fault: TARGET, SECOND (any other region), STATIC, or nobody in particular.
        failed: greatest ratio of idempotent requests that may fail.
        limit: what the time is compared with: a kind of the printed budget, "decision" (the
            time until the engine has decided on what fails or is slow), or nothing.
        most: greatest number of evictions.
        aborted: the ramp must be broken off. partial: the region must be kept on part of its requests. silent: the
            status page says nothing meanwhile.
    """

    evicted: tuple[str, ...] | None = ()
    reason: str = ""
    verdict: str = ""
    serves: str = ""
    failed: float = 0.0
    limit: str = ""
    most: int = 1
    aborted: bool = False
    partial: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A drill: `during` and `after` in seconds, `rate` in idempotent requests a second; `quick` ones are in every run.

    `target` is the default one.
    """

    title: str
    steps: tuple[Step, ...]
    expected: Expected
    target: str = "eu-west-1"
    during: float = 20.0
    after: float = 25.0
    rate: float = 300.0
    quick: bool = False


def _errors(every: int, *more: str) -> Step:
    return Step(do="environment", words=("FAULT_INJECTION=1", "FAULT_STATUS=500", f"FAULT_EVERY={every}", *more))


def _lost(limit: str) -> Expected:
    """Taken out for its checks or, a tick earlier, for the requests that it dropped."""
    return Expected(evicted=(TARGET,), verdict="REGION_DOWN", serves=SECOND, limit=limit)


def _one(do: str, node: str = TARGET, *words: str) -> tuple[Step, ...]:
    return (Step(do=do, node=node, words=words),)


AGENT = "routing-agent"
_STOPPED = Step(do="stop", node=EDGES, words=(AGENT,))
_FLAPS = tuple(step for at in (0.0, 16.0, 32.0) for step in (Step(at=at, do="cut"), Step(at=at + 8.0, do="heal")))
_KILLS = tuple(Step(at=4.0 + 1.7 * count, do="kill", node=EDGES, words=(AGENT,)) for count in range(6))

SCENARIOS: dict[str, Scenario] = {
    "down": Scenario(title="region killed", steps=_one("down"), expected=_lost("killed"), quick=True),
    "cut": Scenario(title="region's packets dropped", steps=_one("cut"), expected=_lost("packets dropped"), quick=True),
    "freeze": Scenario(title="region frozen", steps=_one("freeze"), expected=_lost("frozen"), quick=True),
    "api-server": Scenario(
        title="API server of a region killed", steps=_one("stop", TARGET, "kube-apiserver"),
        expected=Expected(serves=TARGET), after=8.0),
    "errors": Scenario(
        title="6.25 % of requests answered 500", steps=(_errors(16),), during=25.0, rate=150.0,
        expected=Expected(evicted=(TARGET,), reason="ERRORS", serves=SECOND, failed=0.1, limit="decision", most=3)),
    "few-errors": Scenario(
        title="4 % of requests answered 500", steps=(_errors(25),), during=30.0, after=8.0, rate=150.0,
        expected=Expected(serves=TARGET, failed=0.05)),
    "latency": Scenario(
        title="every GET takes 6 s", during=25.0, rate=100.0,
        steps=_one("environment", TARGET, "FAULT_INJECTION=1", "FAULT_DELAY_SECONDS=6", "FAULT_PATH=/api/models"),
        expected=Expected(evicted=(TARGET,), serves=SECOND, failed=0.01, limit="decision", most=3)),
    "slow-start": Scenario(
        title="region killed, started without its workload", during=45.0, after=35.0, rate=150.0,
        steps=(Step(do="down"), Step(at=12.0, do="up"), Step(at=14.0, do="stop", words=("kubelet",))),
        expected=Expected(evicted=(TARGET,), serves=SECOND, limit="killed")),
    "flapping": Scenario(
        title="region cut off and back three times", steps=_FLAPS, during=48.0, rate=150.0,
        expected=Expected(evicted=None, serves=SECOND, most=2)),
    "cut-edge": Scenario(
        title="link to one edge cut", steps=_one("cut", TARGET, "edge-1"), after=8.0,
        expected=Expected(verdict="VANTAGE_PARTITIONED")),
    "cut-edges": Scenario(
        title="links to both edges cut", steps=_one("cut", TARGET, EDGES), expected=_lost("packets dropped")),
    "cut-regions": Scenario(
        title="links to all other regions cut", steps=_one("cut", TARGET, OTHERS), after=8.0,
        expected=Expected(verdict="INTER_REGION_PARTITION", serves=TARGET)),
    "cut-from-edge": Scenario(
        title="an edge cut off from every region", steps=_one("cut", TARGET, REGIONS), target="edge-2", after=8.0,
        expected=Expected()),
    "no-agents": Scenario(
        title="agents stopped, then a region killed", steps=(_STOPPED, Step(at=1.0, do="down")), rate=150.0,
        expected=Expected(evicted=None, serves=SECOND, limit="killed", silent=True)),
    "edge": Scenario(title="edge host killed", steps=_one("down"), target="edge-1", after=20.0, expected=Expected(),
                     quick=True),
    "everything": Scenario(
        title="every region killed", steps=_one("down", REGIONS), after=75.0, rate=150.0,
        expected=Expected(verdict="COMMON_MODE", serves=STATIC, failed=1.0)),
    "overload": Scenario(
        title="a sick region whose requests fit nowhere", during=30.0, rate=150.0,
        steps=(Step(do="capacity", node=EDGES, words=("16",)), _errors(10)),
        expected=Expected(evicted=None, failed=0.15, partial=True, most=3)),
    "failback": Scenario(
        title="errors return on the ramp", during=50.0, rate=150.0,
        steps=(_errors(2, "FAULT_PATH=/api/models"),),
        expected=Expected(evicted=(TARGET,), reason="ERRORS", failed=0.3, limit="decision", most=6, aborted=True)),
    "agent-killed": Scenario(
        title="region cut off, and the agents killed again and again while they act", during=30.0, rate=150.0,
        steps=(Step(do="cut"), *_KILLS),
        expected=Expected(evicted=(TARGET,), serves=SECOND)),
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
