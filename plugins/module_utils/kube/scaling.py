# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a workload scales: its autoscalers as objects, and what can't go together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .placement import SPOT_SUFFIX

NONE = "none"
UPDATE_MODES = {"recommend": "Off", "initial": "Initial", "recreate": "Recreate", "in_place": "InPlaceOrRecreate"}
"""What may be asked of the vertical autoscaler, as it is called there. Its `Off` is read as a boolean by YAML."""
RESOURCES = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is wanted of one Deployment.

    Attributes:
        name, namespace, container: the Deployment and the container whose requests are set.
        autoscaling: whether the horizontal autoscaler owns the replicas.
        min_replicas, max_replicas: its bounds.
        cpu_percent: CPU of the requests that it aims at; 0: not by CPU.
        requests_per_second: requests of one pod that it aims at, by a metric of pods; 0: not by requests.
        requests_metric: that metric's name.
        behavior: how fast, as in a HorizontalPodAutoscaler.
        resources: requests and limits of the container.
        vpa: `none` or one of UPDATE_MODES.
        vpa_resources: what the vertical autoscaler sets.
        vpa_minimum, vpa_maximum: its bounds.
        on_demand_floor: pods of a Deployment that doesn't scale; see placement.
    """

    name: str
    namespace: str
    container: str
    autoscaling: bool
    min_replicas: int
    max_replicas: int
    cpu_percent: int
    requests_per_second: float
    requests_metric: str
    behavior: Mapping[str, Any]
    resources: Mapping[str, Any]
    vpa: str
    vpa_resources: tuple[str, ...]
    vpa_minimum: Mapping[str, str]
    vpa_maximum: Mapping[str, str]
    on_demand_floor: int = 0

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Scaling:
        """Read what a role hands over; numbers may be texts. KeyError, TypeError or ValueError when it can't be."""
        values = {item.name: given[item.name] for item in fields(cls)}
        for name in ("min_replicas", "max_replicas", "cpu_percent", "on_demand_floor"):
            values[name] = int(values[name])
        values["requests_per_second"] = float(values["requests_per_second"])
        return cls(**{**values, "vpa_resources": tuple(values["vpa_resources"])})


def problems(want: Scaling) -> list[str]:
    """Every reason why this can't be."""
    found = _horizontal_problems(want) if want.autoscaling else []
    if want.vpa == NONE:
        return found
    if want.vpa not in UPDATE_MODES:
        return [*found, f"vpa is {want.vpa!r}, allowed are {', '.join((NONE, *UPDATE_MODES))}"]
    unknown = [name for name in want.vpa_resources if name not in RESOURCES]
    if unknown or not want.vpa_resources:
        found.append(f"vpa_resources are {list(want.vpa_resources)}, allowed are cpu and memory")
    both = sorted(set(want.vpa_resources) & ({"cpu"} if want.autoscaling and want.cpu_percent > 0 else set()))
    if both:
        found.append(
            f"the horizontal and the vertical autoscaler would both act on {', '.join(both)}: take it out of "
            "vpa_resources, or set cpu_percent to 0 and scale by requests_per_second"
        )
    return found


def _horizontal_problems(want: Scaling) -> list[str]:
    found = []
    if not 1 <= want.min_replicas <= want.max_replicas:
        found.append(f"replicas from {want.min_replicas} to {want.max_replicas}: 1 <= min <= max is needed")
    if not 0 <= want.cpu_percent <= 1000 or want.requests_per_second < 0:
        found.append("cpu_percent (0 to 1000) and requests_per_second may not be less than nothing")
    if want.cpu_percent == 0 and want.requests_per_second == 0:
        found.append("the autoscaler has nothing to go by: set cpu_percent or requests_per_second")
    if want.cpu_percent > 0 and not (want.resources.get("requests") or {}).get("cpu"):
        found.append("cpu_percent is a part of what is requested: resources need requests.cpu")
    unknown = sorted(set(want.behavior) - {"scaleUp", "scaleDown"})
    if unknown:
        found.append(f"behavior has {', '.join(unknown)}: allowed are scaleUp and scaleDown")
    return found


def objects(want: Scaling) -> list[dict[str, Any]]:
    """The autoscalers of a workload that `problems` found nothing wrong with."""
    scaled = want.name + SPOT_SUFFIX if want.on_demand_floor else want.name
    made = [_horizontal(want, scaled)] if want.autoscaling else []
    return made + ([_vertical(want, name) for name in sorted({want.name, scaled})] if want.vpa != NONE else [])


def _target(name: str) -> dict[str, str]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def _horizontal(want: Scaling, scaled: str) -> dict[str, Any]:
    metrics: list[dict[str, Any]] = []
    if want.cpu_percent > 0:
        target = {"type": "Utilization", "averageUtilization": want.cpu_percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if want.requests_per_second > 0:
        # Thousandths: the one form of a quantity that every number of requests has.
        target = {"type": "AverageValue", "averageValue": f"{round(want.requests_per_second * 1000)}m"}
        metrics.append({"type": "Pods", "pods": {"metric": {"name": want.requests_metric}, "target": target}})
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": f"{want.name}-hpa", "namespace": want.namespace},
        "spec": {
            "scaleTargetRef": _target(scaled), "minReplicas": want.min_replicas - want.on_demand_floor,
            "maxReplicas": want.max_replicas - want.on_demand_floor,
            "metrics": metrics, "behavior": dict(want.behavior),
        },
    }  # fmt: skip


def _vertical(want: Scaling, name: str) -> dict[str, Any]:
    policy: dict[str, Any] = {"containerName": want.container, "controlledResources": list(want.vpa_resources)}
    for bound, bounds in (("minAllowed", want.vpa_minimum), ("maxAllowed", want.vpa_maximum)):
        policy |= {bound: dict(bounds)} if bounds else {}
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": f"{name}-vpa", "namespace": want.namespace},
        "spec": {
            "targetRef": _target(name), "updatePolicy": {"updateMode": UPDATE_MODES[want.vpa]},
            "resourcePolicy": {"containerPolicies": [policy]},
        },
    }  # fmt: skip
