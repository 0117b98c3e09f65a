# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One region, or some beside each other: its requests, its health, what it uses."""

from __future__ import annotations

from ..records import PERCENTILES
from ..settings import Settings
from .model import (
    BYTES,
    ORANGE,
    PER_SECOND,
    RATIO,
    RED,
    REGION,
    SECONDS,
    Dashboard,
    Panel,
    Row,
    Target,
    of_regions,
    one,
)

DAY = 86400


def dashboard(settings: Settings) -> Dashboard:
    """The dashboard."""
    return Dashboard(
        uid="llm-verifier-region",
        title="LLM Verifier / Region",
        description="What a region says of itself, and what the others see of it.",
        rows=(
            Row(title="Requests", panels=_requests(settings)),
            Row(title="Health", panels=_health(settings)),
            Row(title="Workload and gateway", panels=_inside()),
            Row(title="Pods", panels=_objects()),
            Row(title="Cluster", panels=_cluster()),
        ),
    )


def _requests(settings: Settings) -> tuple[Panel, ...]:
    latency = [
        Target(expr=of_regions(f"region:http_request_duration_seconds:{name}_rate5m"),
               legend=f"{{{{region}}}} {name.upper()}")
        for name, _percentile in PERCENTILES
    ]  # fmt: skip
    slow = f"region:http_slow:rate2m{REGION} / (region:http_requests:rate2m{REGION} > 0)"
    return (
        Panel(title="Requests a second", unit=PER_SECOND, targets=one(of_regions("region:http_requests:rate5m"))),
        Panel(title="Answers a second by class", unit=PER_SECOND, stacked=True,
              targets=one(f"sum by (region, class) (region_class:http_requests:rate5m{REGION})",
                          "{{region}} {{class}}")),
        Panel(title="Latency", unit=SECONDS, bounds=(0, None), targets=tuple(latency),
              steps=((settings.latency_seconds, RED),), alerts=("HighLatency",)),
        Panel(title="Error ratio", unit=RATIO, bounds=(0, None),
              targets=one(of_regions("region:http_errors:ratio_rate5m")), steps=((1 - settings.objective, RED),),
              alerts=("AvailabilityBudgetBurnsFast",)),
        Panel(title=f"Ratio of answers over {settings.latency_seconds:g} s", unit=RATIO, bounds=(0, None),
              targets=one(f"max by (region) ({slow})"), steps=((1 - settings.latency_objective, RED),),
              alerts=("LatencyBudgetBurnsFast",)),
        Panel(title="Requests being answered", targets=one(of_regions("region:http_requests_in_flight:sum"))),
    )  # fmt: skip


def _health(settings: Settings) -> tuple[Panel, ...]:
    left = "min by (region) (region:probe_ssl_earliest_cert_expiry:min" + REGION + ") - time()"
    return (
        Panel(width=8, title="Whether it answers the edges", bounds=(0, 1), alerts=("RegionalFailure",),
              targets=one('max by (region) (up{job="region",region=~"$region"})')),
        Panel(width=8, title="Ratio of what is scraped that answers", unit=RATIO, bounds=(0, 1),
              targets=one(f"max by (region, job) (region_job:up:avg{REGION})", "{{region}} {{job}}"),
              alerts=("RegionalFailure", "WorkloadMetricsMissing")),
        Panel(width=8, title="Probes that other regions make", unit=RATIO, bounds=(0, 1),
              targets=one(f"region:probe_success:avg5m{REGION}", "{{region}} from {{instance}}"),
              alerts=("RegionalFailure", "NetworkPartition")),
        Panel(title="Time of a probe", unit=SECONDS, bounds=(0, None),
              targets=one(f"region:probe_duration_seconds:avg5m{REGION}", "{{region}} from {{instance}}")),
        Panel(title="Time left of the certificate", unit=SECONDS,
              targets=one(left), steps=((0, RED), (settings.certificate_days * DAY, ORANGE),
                                        (2 * settings.certificate_days * DAY, "green")),
              alerts=("CertificateExpiresSoon",)),
    )  # fmt: skip


def _inside() -> tuple[Panel, ...]:
    return (
        Panel(width=8, title="What is scraped and answers", bounds=(0, None), alerts=("WorkloadMetricsMissing",),
              targets=one('max by (region, job) (region_job:up:sum{region=~"$region",job!="vantage"})',
                          "{{region}} {{job}}")),
        Panel(width=8, title="Processors that the workload uses", bounds=(0, None),
              targets=one(of_regions("region:workload_cpu_cores:rate5m"))),
        Panel(width=8, title="Memory of the workload", unit=BYTES, bounds=(0, None),
              targets=one(of_regions("region:workload_memory_bytes:sum"))),
        Panel(title="Answers a second of the gateway by class", unit=PER_SECOND, stacked=True,
              description="Health checks and answers of the gateway itself count.",
              targets=one(f"sum by (region, class) (region_class:gateway_answers:rate5m{REGION})",
                          "{{region}} {{class}}")),
        Panel(title="Connections of the gateway", bounds=(0, None),
              targets=one(of_regions("region:gateway_connections:sum"))),
    )  # fmt: skip


def _objects() -> tuple[Panel, ...]:
    by_deployment, deployment = "sum by (region, deployment) (region_deployment:replicas_{}:max{})", "{{deployment}}"
    autoscaler = "sum by (region, horizontalpodautoscaler) (region_autoscaler:replicas_{}:max{})"
    restarts = f"sum by (region, namespace) (region_namespace:container_restarts:increase15m{REGION})"
    quota = f"max by (region, namespace, resource) (region_quota:used:ratio{REGION})"
    return (
        Panel(width=8, title="Pods wanted and available", bounds=(0, None), alerts=("ReplicasMissing",), targets=(
            Target(expr=by_deployment.format("wanted", REGION), legend=f"{{{{region}}}} {deployment} wanted"),
            Target(expr=by_deployment.format("available", REGION), legend=f"{{{{region}}}} {deployment}"),
        )),
        Panel(width=8, title="Pods that the autoscaler wants, and may have", bounds=(0, None),
              alerts=("AutoscalerAtMost",), targets=(
                  Target(expr=autoscaler.format("desired", REGION), legend="{{region}} wanted"),
                  Target(expr=autoscaler.format("most", REGION), legend="{{region}} most"))),
        Panel(width=8, title="Restarts of containers in 15 minutes", bounds=(0, None), alerts=("PodsRestart",),
              targets=one(restarts, "{{region}} {{namespace}}")),
        Panel(width=24, title="Ratio of quotas that is used", unit=RATIO, bounds=(0, 1), alerts=("QuotaAlmostUsed",),
              targets=one(quota, "{{region}} {{namespace}} {{resource}}")),
    )  # fmt: skip


def _cluster() -> tuple[Panel, ...]:
    by_namespace, legend = "sum by (region, namespace) ({})", "{{region}} {{namespace}}"
    return (
        Panel(title="Processors that pods use", stacked=True,
              targets=one(by_namespace.format(f"region_namespace:pod_cpu_cores:rate5m{REGION}"), legend)),
        Panel(title="Memory that pods use", unit=BYTES, stacked=True,
              targets=one(by_namespace.format(f"region_namespace:pod_memory_bytes:sum{REGION}"), legend)),
        Panel(title="Answers a second of the API server by class", unit=PER_SECOND, stacked=True,
              targets=one(f"sum by (region, class) (region_class:apiserver_answers:rate5m{REGION})",
                          "{{region}} {{class}}"), alerts=("ClusterComponentDown",)),
        Panel(title="Answers a second of the cluster's DNS", unit=PER_SECOND, stacked=True,
              targets=one(f"sum by (region, rcode) (region_rcode:dns_answers:rate5m{REGION})",
                          "{{region}} {{rcode}}"), alerts=("ClusterComponentDown",)),
    )  # fmt: skip
