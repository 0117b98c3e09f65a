# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts. An expression without its metric is silent, but for those that say that a metric is missing."""

from __future__ import annotations

from collections.abc import Iterator

from .model import CRITICAL, DEVOPS, GLOBAL, REGION, SECURITY, SUPPORT, WARNING, Alert, Group
from .settings import Settings

_EVERYBODY = (DEVOPS, SUPPORT)
_DOWN = ("RegionalFailure",)
_SICK = ("REGION_DOWN", "ERRORS", "LATENCY", "OVERLOADED")
_CUT = ("VANTAGE_PARTITIONED", "INTER_REGION_PARTITION")
_DAY, _HOUR = 86400, 3600


def groups(settings: Settings) -> Iterator[Group]:
    """Every group of alerts but those on objectives."""
    interval = settings.interval_seconds
    guide = tuple(_guide(settings))
    yield Group(name="guide-region", place=REGION, interval_seconds=interval, rules=guide)
    # A region that is gone says nothing of itself: the same rule sees that its Prometheus doesn't answer the edges.
    failure = tuple(alert for alert in guide if alert.name == "RegionalFailure")
    yield Group(name="guide-global", place=GLOBAL, interval_seconds=interval, rules=failure)
    yield Group(name="region", place=REGION, interval_seconds=interval, rules=(*_region(), *_pods()))
    yield Group(name="routing", place=GLOBAL, interval_seconds=5, rules=(*_regions_verdicts(), *_agents(settings)))
    yield Group(name="edges", place=GLOBAL, interval_seconds=interval, rules=tuple(_edges(settings)))
    yield Group(name="data", place=GLOBAL, interval_seconds=interval, rules=tuple(_data(settings)))


def _guide(settings: Settings) -> Iterator[Alert]:
    """The deployment guide's alerts, by its names, expressions and times."""
    yield Alert(
        name="HighLatency",
        expr=f"histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > {settings.latency_seconds:g}",
        hold_seconds=300,
        severity=WARNING,
        summary="High request latency detected",
        description="{{ $labels.method }} {{ $labels.path }} in {{ $labels.region }}: the 95th percentile is "
        "{{ $value | humanizeDuration }}.",
        follows=_DOWN,
    )
    yield Alert(
        name="RegionalFailure",
        expr='up{region=~".+"} == 0',
        hold_seconds=300,
        severity=CRITICAL,
        summary="Regional deployment failure detected",
        description="{{ $labels.job }} at {{ $labels.instance }} in {{ $labels.region }} doesn't answer.",
        contacts=_EVERYBODY,
    )


def _region() -> Iterator[Alert]:
    yield Alert(
        name="WorkloadMetricsMissing",
        expr='absent(up{job="workload"} == 1)',
        hold_seconds=300,
        severity=CRITICAL,
        summary="No pod of the workload shows metrics",
        description="Nothing tells how the region's requests end: no pod runs, or none may be scraped.",
        follows=_DOWN,
    )
    yield Alert(
        name="ClusterComponentDown",
        expr='up{cluster=~".+"} == 0',
        hold_seconds=300,
        severity=WARNING,
        summary="{{ $labels.job }} of {{ $labels.cluster }} doesn't answer",
        description="Pods go on; what it does in the cluster isn't done, or isn't seen.",
        follows=_DOWN,
    )


def _pods() -> Iterator[Alert]:
    yield Alert(
        name="ReplicasMissing",
        expr="region_deployment:replicas_wanted:max - region_deployment:replicas_available:max > 0",
        hold_seconds=600,
        severity=WARNING,
        summary="{{ $value }} pods of {{ $labels.deployment }} in {{ $labels.region }} aren't available",
        follows=_DOWN,
    )
    yield Alert(
        name="PodsRestart",
        expr="region_namespace:container_restarts:increase15m > 2",
        hold_seconds=300,
        severity=WARNING,
        summary="Containers of {{ $labels.namespace }} in {{ $labels.region }} restart again and again",
        follows=_DOWN,
    )
    yield Alert(
        name="AutoscalerAtMost",
        expr="region_autoscaler:replicas_desired:max >= region_autoscaler:replicas_most:max",
        hold_seconds=600,
        severity=WARNING,
        summary="{{ $labels.horizontalpodautoscaler }} in {{ $labels.region }} can't add to its {{ $value }} pods",
        follows=_DOWN,
    )
    yield Alert(
        name="QuotaAlmostUsed",
        expr="region_quota:used:ratio > 0.9",
        hold_seconds=600,
        severity=WARNING,
        summary="{{ $value | humanizePercentage }} of {{ $labels.resource }} of {{ $labels.namespace }} "
        "in {{ $labels.region }} is used",
        follows=_DOWN,
    )


def _verdict(verdicts: tuple[str, ...], label: str) -> str:
    named = f'routing_agent_verdict{{verdict=~"{"|".join(verdicts)}"}} == 1'
    return f'max by ({label}, verdict) (label_replace({named}, "{label}", "$1", "subject", "(.+)"))'


def _regions_verdicts() -> Iterator[Alert]:
    yield Alert(
        name="RegionEvicted",
        expr='max by (region) (routing_agent_phase{phase="EVICTED"}) == 1',
        severity=CRITICAL,
        summary="{{ $labels.region }} gets no traffic",
        description="The routing took it out; its clients are served by the next regions of their lists.",
        contacts=_EVERYBODY,
    )
    yield Alert(
        name="RegionSick",
        expr=_verdict(_SICK, "region"),
        hold_seconds=60,
        severity=WARNING,
        summary="{{ $labels.region }} is seen as {{ $labels.verdict }} and still gets traffic",
        follows=(*_DOWN, "RegionEvicted"),
    )
    yield Alert(
        name="NetworkPartition",
        expr=_verdict(_CUT, "subject"),
        hold_seconds=60,
        severity=WARNING,
        summary="{{ $labels.subject }} is cut off from others ({{ $labels.verdict }})",
    )
    yield Alert(
        name="CommonModeFailure",
        expr=f"count({_verdict(('COMMON_MODE',), 'region')}) > 0",
        hold_seconds=15,
        severity=CRITICAL,
        summary="{{ $value }} regions fail alike, so none is taken out",
        description="A failure that most regions share is one of what they share, or of those that look.",
        contacts=_EVERYBODY,
    )


def _agents(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        name="RoutingNotAsDecided",
        expr="max by (instance) (routing_agent_failures) > 0",
        hold_seconds=120,
        severity=CRITICAL,
        summary="{{ $labels.instance }}: {{ $value }} things aren't as decided",
    )
    yield Alert(
        name="RoutingStateRefused",
        expr="max by (instance) (routing_agent_state_refused) == 1",
        hold_seconds=30,
        severity=CRITICAL,
        summary="{{ $labels.instance }} refuses its routing state",
        description="It is damaged or another site's. Serving goes on as last decided, nothing new is.",
        contacts=(DEVOPS, SECURITY),
    )
    yield Alert(
        name="RoutingAgentStuck",
        expr=f"max by (instance) (routing_agent_tick_age_seconds) > {3 * settings.tick_seconds + 5:g}",
        hold_seconds=30,
        severity=CRITICAL,
        summary="The routing agent of {{ $labels.instance }} has made no round for {{ $value | humanizeDuration }}",
    )


def _edges(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        name="RoutingAgentMissing",
        expr="absent(routing_agent_active)",
        hold_seconds=120,
        severity=CRITICAL,
        summary="No routing agent shows metrics",
        description="Plain failover goes on; nothing is decided on errors, latency or partitions.",
    )
    yield Alert(
        name="NoActiveEdge",
        expr="sum(routing_agent_active) == 0",
        hold_seconds=60,
        severity=CRITICAL,
        summary="No edge decides",
    )
    yield Alert(
        name="SeveralActiveEdges",
        expr="sum(routing_agent_active) > 1",
        hold_seconds=60,
        severity=CRITICAL,
        summary="{{ $value }} edges decide at the same time",
        contacts=(DEVOPS, SECURITY),
    )
    yield Alert(
        name="EdgeDown",
        expr='up{job="load-balancer"} == 0',
        hold_seconds=30,
        severity=CRITICAL,
        summary="The load balancer of {{ $labels.instance }} doesn't answer",
        contacts=_EVERYBODY,
    )
    yield Alert(
        name="CrossRegionTrafficHigh",
        expr=f"region:cross_region_requests:ratio_rate5m > {settings.moved_ratio:g}"
        " and region:cross_region_requests:rate5m > 0.1",
        hold_seconds=300,
        severity=WARNING,
        summary="{{ $value | humanizePercentage }} of {{ $labels.region }}'s requests are answered elsewhere",
        follows=(*_DOWN, "RegionEvicted"),
    )
    yield Alert(
        name="NotificationsFail",
        expr="sum by (instance, integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
        hold_seconds=300,
        severity=WARNING,
        summary="Alertmanager of {{ $labels.instance }} can't reach {{ $labels.integration }}",
    )


def _data(settings: Settings) -> Iterator[Alert]:
    """Certificates, replicas and backups; the last two are silent until there is a database and a backup."""
    yield Alert(
        name="CertificateExpiresSoon",
        expr="min by (region) (region:probe_ssl_earliest_cert_expiry:min) - time()"
        f" < {settings.certificate_days * _DAY:.0f}",
        hold_seconds=600,
        severity=WARNING,
        summary="The certificate that {{ $labels.region }} shows ends in {{ $value | humanizeDuration }}",
        contacts=(DEVOPS, SECURITY),
    )
    yield Alert(
        name="ReplicaLag",
        # Both names that postgres_exporter has given it.
        expr='max by (region) ({__name__=~"pg_replication_lag(_seconds)?"})'
        f" > {settings.replica_lag_seconds:g}",
        hold_seconds=60,
        severity=WARNING,
        summary="The replica in {{ $labels.region }} is {{ $value | humanizeDuration }} behind",
        description="It can't be promoted, and reads there are old.",
        follows=_DOWN,
    )
    yield Alert(
        name="BackupTooOld",
        expr="time() - max by (region, schedule) "
        '({__name__=~"velero_backup_last_successful_timestamp|llm_verifier_backup_last_success_timestamp_seconds"} > 0)'
        f" > {settings.backup_hours * _HOUR:.0f}",
        hold_seconds=600,
        severity=WARNING,
        summary="The last good backup of {{ $labels.region }} is {{ $value | humanizeDuration }} old",
    )
