# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which nodes a workload runs: one Deployment, or a floor on nodes that stay and the rest on others. Pure.

One Deployment can't keep a number of its pods on some nodes, so with a floor there are two: the floor has its fixed
number, the other one scales. Both have the same pods but for their label POOL, and one Service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

POOL = "llm-verifier.com/pool"
SPOT_SUFFIX = "-spot"
WITH_VALUES, WITHOUT_VALUES = ("In", "NotIn", "Gt", "Lt"), ("Exists", "DoesNotExist")
TOLERATION_KEYS = {"key", "operator", "value", "effect", "tolerationSeconds"}
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Placement:
    """What is wanted.

    Attributes:
        name: the Deployment.
        autoscaling, min_replicas, replicas: whether its number is an autoscaler's, at least how many, else how many.
        node_selector, tolerations: of all pods, as in a pod.
        on_demand_floor: pods that run on nodes that stay; 0: all pods are alike.
        on_demand_nodes: what those nodes' labels must match, as matchExpressions.
        spot_nodes: what the nodes of the others should match; where there are none, they run on any.
        spot_tolerations: what these pods tolerate besides.
    """

    name: str
    autoscaling: bool
    min_replicas: int
    replicas: int
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]
    on_demand_floor: int
    on_demand_nodes: tuple[Mapping[str, Any], ...]
    spot_nodes: tuple[Mapping[str, Any], ...]
    spot_tolerations: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Placement:
        """Read what a role hands over; numbers may be texts. KeyError, TypeError or ValueError when it can't be."""
        values = {item.name: given[item.name] for item in fields(cls)}
        for name in ("min_replicas", "replicas", "on_demand_floor"):
            values[name] = int(values[name])
        for name in ("tolerations", "on_demand_nodes", "spot_nodes", "spot_tolerations"):
            values[name] = tuple(values[name])
        return cls(**values)


def problems(want: Placement) -> list[str]:
    """Every reason why this can't be."""
    found = [f"{name}: {wrong}" for name in ("on_demand_nodes", "spot_nodes")
             for item in getattr(want, name) for wrong in _bad_expression(item)]  # fmt: skip
    found += [f"{name}: {wrong}" for name in ("tolerations", "spot_tolerations")
              for item in getattr(want, name) for wrong in _bad_toleration(item)]  # fmt: skip
    if want.on_demand_floor == 0:
        if want.spot_nodes or want.spot_tolerations:
            found.append("spot_nodes and spot_tolerations need an on_demand_floor: not every pod may be taken away")
        return found
    least = want.min_replicas if want.autoscaling else want.replicas
    if not 0 < want.on_demand_floor < least:
        found.append(f"on_demand_floor {want.on_demand_floor}: above 0 and below the fewest replicas, {least}")
    if not want.on_demand_nodes or not want.spot_nodes:
        found.append("an on_demand_floor needs on_demand_nodes and spot_nodes: which nodes stay, and which may go?")
    return found


def _bad_expression(item: Mapping[str, Any]) -> Iterator[str]:
    operator, values = item.get("operator"), item.get("values")
    if not item.get("key") or operator not in (*WITH_VALUES, *WITHOUT_VALUES):
        yield f"{dict(item)} needs key and operator, one of {', '.join((*WITH_VALUES, *WITHOUT_VALUES))}"
    elif (operator in WITH_VALUES) != bool(values):
        yield f"{dict(item)}: {operator} has {'values' if operator in WITH_VALUES else 'no values'}"


def _bad_toleration(item: Mapping[str, Any]) -> Iterator[str]:
    unknown = sorted(set(item) - TOLERATION_KEYS)
    if unknown:
        yield f"{dict(item)} has {', '.join(unknown)}: allowed are {', '.join(sorted(TOLERATION_KEYS))}"
    if item.get("operator", "Equal") not in ("Equal", "Exists") or item.get("effect", EFFECTS[0]) not in EFFECTS:
        yield f"{dict(item)}: operator is Equal or Exists, effect one of {', '.join(EFFECTS)}"
    if item.get("operator") == "Exists" and item.get("value"):
        yield f"{dict(item)}: Exists has no value"


def pools(want: Placement) -> list[dict[str, Any]]:
    """The Deployments of a workload that `problems` found nothing wrong with.

    Each has `name`, `labels` of its pods, `selector` besides the workload's own, `replicas` (None: an autoscaler's),
    `initial_replicas` (0: none) and `scheduling`, a part of the pods' specification.
    """
    floor = want.on_demand_floor
    least, fixed = want.min_replicas - floor, want.replicas - floor
    rest = {"replicas": None if want.autoscaling else fixed, "initial_replicas": least if want.autoscaling else 0}
    if not floor:
        return [{"name": want.name, "labels": {}, "selector": {}, **rest, "scheduling": _scheduling(want, ())}]
    stays = {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": list(want.on_demand_nodes)}]}}
    may_go = {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 100, "preference": {"matchExpressions": list(want.spot_nodes)}}]}
    return [
        {"name": want.name, "labels": {POOL: "on-demand"}, "selector": {}, "replicas": floor, "initial_replicas": 0,
         "scheduling": {**_scheduling(want, ()), "affinity": {"nodeAffinity": stays}}},
        {"name": want.name + SPOT_SUFFIX, "labels": {POOL: "spot"}, "selector": {POOL: "spot"}, **rest,
         "scheduling": {**_scheduling(want, want.spot_tolerations), "affinity": {"nodeAffinity": may_go}}},
    ]  # fmt: skip


def _scheduling(want: Placement, more: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    tolerations = [*want.tolerations, *more]
    found: dict[str, Any] = {"nodeSelector": dict(want.node_selector)} if want.node_selector else {}
    return {**found, **({"tolerations": tolerations} if tolerations else {})}
