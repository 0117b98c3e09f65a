# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording rules: what a region says of itself, and what its edges make of all regions."""

from __future__ import annotations

from collections.abc import Iterator

from .model import GLOBAL, REGION, Group, Record
from .settings import Settings
from .slo import ERRORS, REQUESTS, SLOW

PERCENTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
_GATEWAY = 'job="gateway",proxy="gateway"'


def groups(settings: Settings) -> Iterator[Group]:
    """Every group of recording rules but those of the objectives."""
    interval = settings.interval_seconds
    traffic = f'{settings.workload},path!="{settings.health_path}"'
    yield Group(name="region-budget", place=REGION, interval_seconds=interval, rules=tuple(_budget(settings, traffic)))
    yield Group(name="region-signals", place=REGION, interval_seconds=interval, rules=tuple(_signals(traffic)))
    yield Group(name="region-probes", place=REGION, interval_seconds=interval, rules=_PROBES)
    yield Group(name="region-use", place=REGION, interval_seconds=interval, rules=tuple(_use(settings.workload)))
    yield Group(name="region-cluster", place=REGION, interval_seconds=interval, rules=_CLUSTER)
    yield Group(name="global-traffic", place=GLOBAL, interval_seconds=interval, rules=_GLOBAL)


def _budget(settings: Settings, traffic: str) -> Iterator[Record]:
    requests = f"sum by (region) (rate(http_requests_total{{{traffic}}}[2m]))"
    errors = f'sum by (region) (rate(http_requests_total{{{traffic},code=~"5.."}}[2m]))'
    every = f"sum by (region) (rate(http_request_duration_seconds_count{{{traffic}}}[2m]))"
    bound = f"{settings.latency_seconds:g}".replace(".", "[.]")
    bucket = f'{traffic},le=~"{bound}([.]0)?"'  # clients write a whole number with or without .0
    fast = f"sum by (region) (rate(http_request_duration_seconds_bucket{{{bucket}}}[2m]))"
    yield Record(name=REQUESTS, expr=requests)
    yield Record(name=ERRORS, expr=f"{errors} or {requests} * 0")
    yield Record(name=SLOW, expr=f"clamp_min({every} - {fast}, 0)")


def _signals(traffic: str) -> Iterator[Record]:
    buckets = f"sum by (region, le) (rate(http_request_duration_seconds_bucket{{{traffic}}}[5m]))"
    for name, percentile in PERCENTILES:
        yield Record(
            name=f"region:http_request_duration_seconds:{name}_rate5m",
            expr=f"histogram_quantile({percentile}, {buckets})",
        )
    rate = f"rate(http_requests_total{{{traffic}}}[5m])"
    yield Record(name="region:http_requests:rate5m", expr=f"sum by (region) ({rate})")
    yield Record(
        name="region_class:http_requests:rate5m",
        expr=f"sum by (region, class) (label_replace({rate}, {_CLASS}))",
    )
    yield Record(
        name="region:http_errors:ratio_rate5m",
        expr='(region_class:http_requests:rate5m{class="5xx"} or ignoring (class) region:http_requests:rate5m * 0)'
        " / ignoring (class) (region:http_requests:rate5m > 0)",
    )
    answers = f"""up{{region=~".+"}} or {_of_clusters('up{cluster=~".+"}')}"""
    yield Record(name="region_job:up:avg", expr=f"avg by (region, job) ({answers})")
    yield Record(name="region_job:up:sum", expr=f"sum by (region, job) ({answers})")


def _use(workload: str) -> Iterator[Record]:
    """What the workload uses, and what its gateway does; answers to health checks count there."""
    cores = f"sum by (region) (rate(process_cpu_seconds_total{{{workload}}}[5m]))"
    yield Record(name="region:workload_cpu_cores:rate5m", expr=cores)
    memory = f"sum by (region) (process_resident_memory_bytes{{{workload}}})"
    yield Record(name="region:workload_memory_bytes:sum", expr=memory)
    in_flight = f"sum by (region) (http_requests_in_flight{{{workload}}})"
    yield Record(name="region:http_requests_in_flight:sum", expr=in_flight)
    answers = f"rate(haproxy_frontend_http_responses_total{{{_GATEWAY}}}[5m])"
    yield Record(
        name="region_class:gateway_answers:rate5m",
        expr=f'sum by (region, class) (label_replace({answers}, "class", "$1", "code", "(.+)"))',
    )
    connections = f"sum by (region) (haproxy_frontend_current_sessions{{{_GATEWAY}}})"
    yield Record(name="region:gateway_connections:sum", expr=connections)


def _of_clusters(series: str) -> str:
    """Series of a cluster's own programs, which name their region by another label."""
    return f'label_replace({series}, "region", "$1", "cluster", "(.+)")'


_CLASS = '"class", "${1}xx", "code", "(.).*"'
_AUTOSCALER = "max by (region, namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_{})"
_CLUSTER = (
    Record(name="region_namespace:pod_cpu_cores:rate5m",
           expr="sum by (region, namespace) (rate(pod_cpu_usage_seconds_total[5m]))"),
    Record(name="region_namespace:pod_memory_bytes:sum",
           expr="sum by (region, namespace) (pod_memory_working_set_bytes)"),
    Record(name="region_deployment:replicas_wanted:max",
           expr="max by (region, namespace, deployment) (kube_deployment_spec_replicas)"),
    Record(name="region_deployment:replicas_available:max",
           expr="max by (region, namespace, deployment) (kube_deployment_status_replicas_available)"),
    Record(name="region_autoscaler:replicas_desired:max",
           expr=_AUTOSCALER.format("status_desired_replicas")),
    Record(name="region_autoscaler:replicas_most:max",
           expr=_AUTOSCALER.format("spec_max_replicas")),
    Record(name="region_namespace:container_restarts:increase15m",
           expr="sum by (region, namespace) (increase(kube_pod_container_status_restarts_total[15m]))"),
    Record(name="region_quota:used:ratio",
           expr='max by (region, namespace, resource) (kube_resourcequota{type="used"}'
                ' / ignoring (type) (kube_resourcequota{type="hard"} > 0))'),
    Record(name="region_class:apiserver_answers:rate5m",
           expr=f"sum by (region, class) (label_replace(rate(apiserver_request_total[5m]), {_CLASS}))"),
    Record(name="region_rcode:dns_answers:rate5m",
           expr="sum by (region, rcode) (rate(coredns_dns_responses_total[5m]))"),
)  # fmt: skip


# Here `region` is the one that is probed; who probes it is the label `instance` where regions are federated.
_PROBES = (
    Record(name="region:probe_success:avg5m", expr="avg by (region) (avg_over_time(probe_success[5m]))"),
    Record(name="region:probe_duration_seconds:avg5m",
           expr="avg by (region) (avg_over_time(probe_duration_seconds[5m]))"),
    Record(name="region:probe_ssl_earliest_cert_expiry:min",
           expr="min by (region) (probe_ssl_earliest_cert_expiry > 0)"),
)  # fmt: skip


def _by_region(rate: str) -> str:
    return f'sum by (region) (label_replace({rate}, "region", "$1", "server", "(.+)"))'


_BYTES = 'rate(haproxy_server_bytes_out_total{proxy="regions"}[5m])'
_ANSWERS = 'rate(haproxy_server_http_responses_total{proxy="regions"}[5m])'
_MOVED = 'rate(haproxy_server_redispatch_warnings_total{proxy="regions"}[5m])'
_GLOBAL = (
    Record(name="global:http_requests:rate5m", expr="sum(region:http_requests:rate5m)"),
    Record(name="region:availability:avg5m", expr="avg by (region) (region:probe_success:avg5m)"),
    Record(name="region:edge_answers:rate5m", expr=_by_region(_ANSWERS)),
    Record(name="region:edge_answers:share_rate5m",
           expr="region:edge_answers:rate5m / ignoring (region) group_left () (sum(region:edge_answers:rate5m) > 0)"),
    Record(name="region:edge_answers_bytes:rate5m", expr=_by_region(_BYTES)),
    # Requests that left a region for another one, because an attempt there failed. Of none, none left.
    Record(name="region:cross_region_requests:rate5m", expr=_by_region(_MOVED)),
    Record(name="region:cross_region_requests:ratio_rate5m",
           expr="region:cross_region_requests:rate5m"
                " / clamp_min(region:edge_answers:rate5m + region:cross_region_requests:rate5m, 1e-9)"),
)  # fmt: skip
