# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad day of four regions, as the engine would tell it: one is out, one comes back, one is partly cut off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import Decision, Verdict
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    Site,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import (
    EDGE,
    PEER,
    Observations,
    Probe,
    Traffic,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.state import (
    DRAIN,
    EVICTED,
    HEALTHY,
    RAMPING,
    Counter,
    Order,
    RegionState,
    State,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.status_document import status_document

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_790_000_000.0
POLICY = Policy.from_dict(
    yaml.safe_load((ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text())["routing_policy"])
PLACES = {"us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia"}
REGIONS = tuple(
    Region(name=name, geography=geography, endpoint=f"192.0.2.{order + 1}", order=order, primary=not order,
           provider="local", capacity_rps=400)
    for order, (name, geography) in enumerate(PLACES.items()))
SITE = Site(edges=(Machine(name="edge-1", address="198.51.100.1"), Machine(name="edge-2", address="198.51.100.2")))
HOSTILE = '<img src=x onerror="document.title=1">'


def decided(admissions: Mapping[str, float] | None = None, states: tuple[RegionState, ...] = (),
            verdicts: tuple[Verdict, ...] = (), orders: tuple[Order, ...] = ()) -> Decision:
    """A decision; regions that aren't named are healthy and fully admitted."""
    given = dict.fromkeys(PLACES, 1.0) | dict(admissions or {})
    state = State(generation=42, at=NOW, regions=states, orders=orders, log_head="9f2c" * 16)
    return Decision(generation=42, at=NOW, state=state, admissions=tuple(sorted(given.items())), verdicts=verdicts,
                    changes=(), ttl_seconds=10 if min(given.values()) < 1 else 30)


def seen(failing: str = "", cut: tuple[str, str] = ("", "")) -> Observations:
    """Both edges and a peer look at every region; edge-2 says nothing of its traffic lately.

    `failing` answers nobody; the second of `cut` isn't reached by the first.
    """
    probes = [Probe(vantage=place, kind=kind, region=region, at=NOW - 1,
                    ok=region != failing and (place, region) != cut)
              for region in PLACES for place, kind in (("edge-1", EDGE), ("edge-2", EDGE), ("us-west-2", PEER))
              if place != region]
    traffic = [Traffic(witness=witness, region=region, at=at, window_seconds=15, requests=requests, errors=errors)
               for region, requests, errors in (("us-east-1", 3600.0, 4.0), ("us-west-2", 150.0, 0.0),
                                                ("ap-southeast-1", 2250.0, 0.0), ("eu-west-1", 0.0, 0.0))
               for witness, at in (("edge-1", NOW - 1), ("edge-2", NOW - 60))]
    return Observations(at=NOW, probes=tuple(probes), traffic=tuple(traffic))


def _changes() -> list[dict[str, Any]]:
    def move(ago: float, region: str, before: str, after: str, admissions: tuple[float | None, float | None],
             reason: str, **more: Any) -> dict[str, Any]:
        return {"at": NOW - ago, "generation": 42, "kind": "change", "region": region, "before": before,
                "after": after, "admission_before": admissions[0], "admission_after": admissions[1], "reason": reason,
                "refused": False, **more}

    old = [move(90000 + 700 * n, "ap-southeast-1", "HEALTHY", "SUSPECT", (1.0, 1.0), f"1 of 3 places, look {n}")
           for n in range(30)]
    return [
        move(40, "us-west-2", "RAMPING", "RAMPING", (0.01, 0.1), "30 s without a failure on the step of 1 %"),
        move(70, "us-west-2", "EVICTED", "RAMPING", (0.0, 0.01), "20 good looks in a row, the hold-down is over"),
        move(95, "ap-southeast-1", "HEALTHY", "EVICTED", (1.0, 0.0), "refused: one region is out already",
             refused=True),
        move(130, "eu-west-1", "SUSPECT", "EVICTED", (1.0, 0.0),
             "errors 6.3 % of 1,530 requests in 15 s, surely above 5 %; edge-1 and prometheus agree"),
        move(140, "eu-west-1", "HEALTHY", "SUSPECT", (1.0, 1.0), f"errors 6.1 % {HOSTILE}"),
        move(1900, "us-west-2", "", "drain", (None, None), "work on the uplink", kind="order", by="maria"),
        *old,
    ]


def bad_day(at: float = NOW) -> dict[str, Any]:
    """status.json of the day, its times moved so that it is of `at`."""
    verdicts = (
        Verdict(subject="us-east-1", verdict="OK", evidence=("3 of 3 places reach it",)),
        Verdict(subject="us-west-2", verdict="OK", evidence=("2 of 2 places reach it",)),
        Verdict(subject="eu-west-1", verdict="ERRORS",
                evidence=("errors 6.3 % of 1,530 requests in 15 s at edge-1", "prometheus counts 6.2 %",
                          "3 of 3 places reach it")),
        Verdict(subject="ap-southeast-1", verdict="INTER_REGION_PARTITION",
                evidence=("us-west-2 doesn't reach it", "both edges reach it: clients do, too")),
    )
    states = (
        RegionState(name="us-east-1", since=NOW - 400000),
        RegionState(name="us-west-2", phase=RAMPING, since=NOW - 70, admission=0.1, step=1,
                    reason="step 2 of 4 of the ramp, the next one in 20 s"),
        RegionState(name="eu-west-1", phase=EVICTED, since=NOW - 130, admission=0.0, flaps=1, hold_until=NOW + 110,
                    reason="held out for 240 s: it was out 6 minutes ago, too"),
        RegionState(name="ap-southeast-1", phase=HEALTHY, since=NOW - 90000),
    )
    orders = (Order(kind=DRAIN, region="us-west-2", by="maria", reason="work on the uplink", at=NOW - 1900,
                    until=NOW + 1700),
              Order(kind="force_up", region="ap-southeast-1", by="li", reason="customers' launch; errors are ours",
                    at=NOW - 800, force=True))
    drills = ({"at": NOW - 86400, "target": "eu-west-1", "fault": "down", "requests": 8998, "failed": 0,
               "slowest": 1.21, "detection": 1.3, "answers_changed": 4.9},
              {"at": NOW - 172800, "target": "edge-1", "fault": "down", "requests": 9004, "failed": 0, "slowest": 0.62,
               "detection": None, "answers_changed": None})
    decision = decided({"eu-west-1": 0.0, "us-west-2": 0.1}, states, verdicts, orders)
    document = status_document(POLICY, REGIONS, SITE, decision, seen(cut=("us-west-2", "ap-southeast-1")),
                               generated_at=NOW, active_edge="edge-1",
                               changes=_changes(), drills=drills)
    moved: dict[str, Any] = _moved(document, at - NOW)
    return moved


def _moved(item: Any, by: float) -> Any:
    """Every time in plain data, moved."""
    if isinstance(item, dict):
        return {key: _moved(value, by) for key, value in item.items()}
    if isinstance(item, list):
        return [_moved(value, by) for value in item]
    return item + by if isinstance(item, float) and item > NOW / 2 else item


def lost(*regions: str) -> tuple[RegionState, ...]:
    """States in which both edges see these regions fail."""
    counters = tuple(Counter(vantage=edge, failures=3) for edge in ("edge-1", "edge-2"))
    return tuple(RegionState(name=name, phase=HEALTHY, counters=counters) for name in regions)
