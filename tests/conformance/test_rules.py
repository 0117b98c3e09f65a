# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules before the real promtool: it takes them all, and they fire and end when they should."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import GLOBAL, PLACES, REGION
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.rules import rule_file
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .programs import program

FIRING = 'count by (alertname, region, severity) (ALERTS{alertstate="firing"})'
PAGES = FIRING.replace("}", ',severity="critical"}')
Series = dict[str, str]
Expected = tuple[str, str, list[tuple[str, float]]]
"""When (a duration), an expression, and its samples: labels and value."""
Check = Callable[..., None]


def firing(*alerts: str) -> list[tuple[str, float]]:
    """Samples of FIRING; an alert is `Name/severity/region`, or without a region."""
    found = []
    for alert in alerts:
        name, severity, *region = alert.split("/")
        labels = {"alertname": name, "severity": severity, **({"region": region[0]} if region else {})}
        found.append(("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}", 1.0))
    return found


@pytest.fixture(name="promtool")
def fixture_promtool(tmp_path: Path) -> Check:
    """Try the rules of a place on made-up series, one sample and one evaluation every `interval`."""

    def check(place: str, series: Series, *expected: Expected, interval: str = "15s") -> None:
        (tmp_path / "rules.yml").write_text(json.dumps(rule_file(Settings(), [place])))
        tests = {
            "rule_files": ["rules.yml"],
            "evaluation_interval": interval,
            "tests": [{
                "interval": interval,
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"eval_time": at, "expr": expr,
                     "exp_samples": [{"labels": labels, "value": value} for labels, value in samples]}
                    for at, expr, samples in expected
                ],
            }],
        }  # fmt: skip
        (tmp_path / "test.yml").write_text(json.dumps(tests))
        done = subprocess.run([program("promtool"), "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True,
                              text=True, timeout=120, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    return check


@pytest.mark.parametrize("place", PLACES)
def test_promtool_takes_the_rules(place: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(json.dumps(rule_file(Settings(), [place])))
    done = subprocess.run([program("promtool"), "check", "rules", "--lint-fatal", tmp_path / "rules.yml"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_any_metric_only_what_misses_them_speaks(promtool: Check) -> None:
    promtool(REGION, {}, ("4h", FIRING, firing("WorkloadMetricsMissing/critical")), interval="1m")
    promtool(GLOBAL, {}, ("4h", FIRING, firing("RoutingAgentMissing/critical")), interval="1m")


def test_a_whole_site_is_silent(promtool: Check) -> None:
    pod = '{job="workload",region="a",path="/api/models"'
    promtool(REGION, {
        'up{job="workload",region="a"}': "1x140",
        f'http_requests_total{pod},code="200"}}': "0+150x140",
        f'http_request_duration_seconds_count{pod}}}': "0+150x140",
        f'http_request_duration_seconds_bucket{pod},le="0.1"}}': "0+150x140",
        f'http_request_duration_seconds_bucket{pod},le="2.0"}}': "0+150x140",
        f'http_request_duration_seconds_bucket{pod},le="+Inf"}}': "0+150x140",
        'probe_success{region="b"}': "1x140",
    }, ("30m", FIRING, []),
       ("30m", "region:http_requests:rate5m", [('region:http_requests:rate5m{region="a"}', 10)]),
       ("30m", "region:http_errors:rate2m", [('region:http_errors:rate2m{region="a"}', 0)]),
       ("30m", "region:http_slow:rate2m", [('region:http_slow:rate2m{region="a"}', 0)]),
       ("30m", "region:http_errors:ratio_rate5m", [('region:http_errors:ratio_rate5m{region="a"}', 0)]),
       ("30m", "region:probe_success:avg5m", [('region:probe_success:avg5m{region="b"}', 1)]))  # fmt: skip
    agent = '{instance="edge-1",job="routing-agent"'
    promtool(GLOBAL, {
        'up{job="region",region="a"}': "1x140",
        'up{job="load-balancer",instance="edge-1"}': "1x140",
        f"routing_agent_active{agent}}}": "1x140",
        f"routing_agent_failures{agent}}}": "0x140",
        f"routing_agent_state_refused{agent}}}": "0x140",
        f"routing_agent_tick_age_seconds{agent}}}": "1x140",
        f'routing_agent_phase{agent},region="a",phase="EVICTED"}}': "0x140",
        f'routing_agent_phase{agent},region="a",phase="HEALTHY"}}': "1x140",
        f'routing_agent_verdict{agent},subject="a",verdict="OK"}}': "1x140",
        'region:http_requests:rate2m{region="a"}': "10x140",
        'region:http_errors:rate2m{region="a"}': "0x140",
        'region:probe_ssl_earliest_cert_expiry:min{region="a",instance="b"}': "9000000x140",
        'pg_replication_lag{region="a"}': "1x140",
        'velero_backup_last_successful_timestamp{region="a",schedule="daily"}': "1x140",
        'haproxy_server_http_responses_total{proxy="regions",server="a",code="2xx"}': "0+150x140",
        'haproxy_server_redispatch_warnings_total{proxy="regions",server="a"}': "0x140",
    }, ("30m", FIRING, []))  # fmt: skip


def test_a_region_that_is_gone_is_told_after_five_minutes_and_its_return(promtool: Check) -> None:
    promtool(GLOBAL, {
        'up{job="region",region="a"}': "1x3 0x31 1x10",  # down from 1m on, up from 9m on
        "routing_agent_active": "1x60",
    }, ("5m45s", FIRING, []),
       ("6m", FIRING, firing("RegionalFailure/critical/a")),
       ("8m45s", FIRING, firing("RegionalFailure/critical/a")),
       ("9m", FIRING, []))  # fmt: skip


def test_a_pod_that_is_gone_is_told_by_its_region(promtool: Check) -> None:
    promtool(REGION, {'up{job="workload",region="a",instance="1"}': "1x100",
                      'up{job="workload",region="a",instance="2"}': "0x100"},
             ("4m45s", FIRING, []), ("5m", FIRING, firing("RegionalFailure/critical/a")))  # fmt: skip


def test_a_silent_part_of_the_cluster_is_no_lost_region(promtool: Check) -> None:
    promtool(REGION, {
        'up{job="workload",region="a",instance="1"}': "1x40",
        'up{job="coredns",cluster="a",instance="2"}': "0x40",
        'up{job="kubelet",cluster="a",instance="3"}': "1x40",
        'pod_cpu_usage_seconds_total{region="a",namespace="x",pod="p"}': "0+7.5x40",
        'pod_cpu_usage_seconds_total{region="a",namespace="x",pod="q"}': "0+3.75x40",
    }, ("4m45s", FIRING, []), ("5m", FIRING, firing("ClusterComponentDown/warning")),
       ("5m", "region_job:up:avg", [(f'region_job:up:avg{{job="{job}",region="a"}}', up)
                                    for job, up in (("coredns", 0), ("kubelet", 1), ("workload", 1))]),
       ("6m", "region_namespace:pod_cpu_cores:rate5m",
        [('region_namespace:pod_cpu_cores:rate5m{namespace="x",region="a"}', 0.75)]))  # fmt: skip


def test_pods_that_are_missing_or_restart_and_bounds_that_are_reached_are_told(promtool: Check) -> None:
    there = 'region="a",namespace="x"'
    pods, scaler = f'{there},deployment="d"', f'{there},horizontalpodautoscaler="h"'
    always = firing("PodsRestart/warning/a", "QuotaAlmostUsed/warning/a")
    promtool(REGION, {
        'up{job="workload",region="a"}': "1x100",
        f"kube_deployment_spec_replicas{{{pods}}}": "3x100",
        f"kube_deployment_status_replicas_available{{{pods}}}": "2x60 3x40",
        f"kube_horizontalpodautoscaler_spec_max_replicas{{{scaler}}}": "5x100",
        f"kube_horizontalpodautoscaler_status_desired_replicas{{{scaler}}}": "4x20 5x60 4x20",
        f'kube_pod_container_status_restarts_total{{{there},pod="p",container="c"}}': "0x20 4x80",
        f'kube_resourcequota{{{there},resource="pods",type="used"}}': "95x100",
        f'kube_resourcequota{{{there},resource="pods",type="hard"}}': "100x100",
        f'kube_resourcequota{{{there},resource="cpu",type="used"}}': "5x100",
        f'kube_resourcequota{{{there},resource="cpu",type="hard"}}': "10x100",
    }, ("9m45s", FIRING, []),
       ("14m", FIRING, [*always, *firing("ReplicasMissing/warning/a")]),
       ("16m", FIRING, [*always, *firing("AutoscalerAtMost/warning/a")]),
       ("21m", FIRING, firing("QuotaAlmostUsed/warning/a")))  # fmt: skip


def test_half_of_the_requests_above_two_seconds_are_a_high_latency(promtool: Check) -> None:
    pod = '{job="workload",region="a",method="GET",path="/x"'
    promtool(REGION, {
        'up{job="workload",region="a"}': "1x100",
        f'http_request_duration_seconds_bucket{pod},le="2.0"}}': "0+10x100",
        f'http_request_duration_seconds_bucket{pod},le="5.0"}}': "0+20x100",
        f'http_request_duration_seconds_bucket{pod},le="+Inf"}}': "0+20x100",
        f'http_request_duration_seconds_count{pod}}}': "0+20x100",
    }, ("5m", FIRING, []), ("6m", FIRING, firing("HighLatency/warning/a")),
       ("6m", "region:http_slow:rate2m > bool 0.6", [('{region="a"}', 1)]),
       ("6m", "region:http_request_duration_seconds:p95_rate5m > bool 2", [('{region="a"}', 1)]))  # fmt: skip


def test_a_budget_that_burns_fast_is_told_and_told_over(promtool: Check) -> None:
    """Six quiet hours, 5 % of errors for half an hour, then none."""
    promtool(GLOBAL, {
        "routing_agent_active": "1x500",
        'region:http_requests:rate2m{region="a"}': "10x500",
        'region:http_errors:rate2m{region="a"}': "0x359 0.5x29 0x100",
    }, ("6h10m", PAGES, []),  # 10 of 60 minutes: 0.8 % over an hour, 1.44 % are wanted
       ("6h20m", PAGES, firing("AvailabilityBudgetBurnsFast/critical/a")),
       ("6h29m", PAGES, firing("AvailabilityBudgetBurnsFast/critical/a")),
       ("6h40m", PAGES, []), interval="1m")  # fmt: skip


def test_a_budget_that_burns_slowly_is_told_by_day(promtool: Check) -> None:
    """0.4 % of errors burn four times as fast as they may: no page, a ticket."""
    promtool(GLOBAL, {
        "routing_agent_active": "1x400",
        'region:http_requests:rate2m{region="a"}': "10x400",
        'region:http_errors:rate2m{region="a"}': "0.04x400",
        'region:http_slow:rate2m{region="a"}': "0.01x400",
    }, ("26h", FIRING, firing("AvailabilityBudgetBurnsSlowly/warning/a")), interval="5m")  # fmt: skip


def test_few_requests_say_nothing_of_the_objective(promtool: Check) -> None:
    promtool(GLOBAL, {
        "routing_agent_active": "1x300",
        'region:http_requests:rate2m{region="a"}': "0.01x240",  # 36 in an hour
        'region:http_errors:rate2m{region="a"}': "0.01x240",
    }, ("1h", FIRING, []))  # fmt: skip


def test_slow_answers_spend_a_budget_of_their_own(promtool: Check) -> None:
    promtool(GLOBAL, {
        "routing_agent_active": "1x300",
        'region:http_requests:rate2m{region="a"}': "10x300",
        'region:http_errors:rate2m{region="a"}': "0x300",
        'region:http_slow:rate2m{region="a"}': "2x300",
    }, ("1h", FIRING, firing("LatencyBudgetBurnsFast/critical/a", "LatencyBudgetBurnsSlowly/warning/a")))  # fmt: skip


@pytest.mark.parametrize(("series", "at", "alert"), [
    ('routing_agent_phase{phase="EVICTED",region="a",instance="edge-1"}', "0s", "RegionEvicted/critical/a"),
    ('routing_agent_verdict{verdict="LATENCY",subject="a"}', "60s", "RegionSick/warning/a"),
    ('routing_agent_verdict{verdict="INTER_REGION_PARTITION",subject="a"}', "60s", "NetworkPartition/warning"),
    ('routing_agent_verdict{verdict="COMMON_MODE",subject="a"}', "15s", "CommonModeFailure/critical"),
    ('routing_agent_failures{instance="edge-1"}', "2m", "RoutingNotAsDecided/critical"),
    ('routing_agent_state_refused{instance="edge-1"}', "30s", "RoutingStateRefused/critical"),
    ('routing_agent_active{instance="edge-2"}', "1m", "SeveralActiveEdges/critical"),
])  # fmt: skip
def test_what_the_agent_says_becomes_an_alert(promtool: Check, series: str, at: str, alert: str) -> None:
    others = {'routing_agent_active{instance="edge-1"}': "1x40"}
    promtool(GLOBAL, {**others, series: "1x19 0x20"}, (at, FIRING, firing(alert)), ("5m", FIRING, []))


@pytest.mark.parametrize(("series", "bad", "good", "at", "alert"), [
    ("routing_agent_active", "0", "1", "1m", "NoActiveEdge/critical"),
    ('routing_agent_tick_age_seconds{instance="edge-1"}', "12", "2", "30s", "RoutingAgentStuck/critical"),
    ('up{job="load-balancer",instance="edge-1"}', "0", "1", "30s", "EdgeDown/critical"),
    ('region:probe_ssl_earliest_cert_expiry:min{region="a"}', "1209000", "9999999", "10m",
     "CertificateExpiresSoon/warning/a"),
    ('pg_replication_lag_seconds{region="a"}', "31", "30", "1m", "ReplicaLag/warning/a"),
])  # fmt: skip
def test_a_bad_value_is_told_a_good_one_is_not(
    promtool: Check, series: str, bad: str, good: str, at: str, alert: str
) -> None:
    active = {} if series == "routing_agent_active" else {"routing_agent_active": "1x120"}
    promtool(GLOBAL, {**active, series: f"{bad}x79 {good}x40"}, (at, FIRING, firing(alert)), ("25m", FIRING, []))


def test_a_backup_is_told_when_it_is_older_than_a_day_and_two_hours(promtool: Check) -> None:
    promtool(GLOBAL, {
        "routing_agent_active": "1x400",
        'llm_verifier_backup_last_success_timestamp_seconds{region="a"}': "60x400",
        'velero_backup_last_successful_timestamp{region="b",schedule="daily"}': "60x200 90000x200",
        'velero_backup_last_successful_timestamp{region="c",schedule="never"}': "0x400",
    }, ("26h", FIRING, []), ("26h30m", FIRING, firing("BackupTooOld/warning/a")), interval="5m")  # fmt: skip


def test_requests_that_are_answered_elsewhere_are_told_by_region(promtool: Check) -> None:
    edges = [f'proxy="regions",instance="{edge}"' for edge in ("edge-1", "edge-2")]
    promtool(GLOBAL, {
        "routing_agent_active": "1x100",
        **{f'haproxy_server_http_responses_total{{{edge},server="a",code="2xx"}}': "0+135x100" for edge in edges},
        **{f'haproxy_server_redispatch_warnings_total{{{edge},server="a"}}': "0+15x100" for edge in edges},
        **{f'haproxy_server_http_responses_total{{{edge},server="b",code="2xx"}}': "0+405x100" for edge in edges},
        **{f'haproxy_server_redispatch_warnings_total{{{edge},server="b"}}': "0x100" for edge in edges},
    }, ("20m", FIRING, firing("CrossRegionTrafficHigh/warning/a")),
       ("20m", "region:cross_region_requests:ratio_rate5m",
        [('region:cross_region_requests:ratio_rate5m{region="a"}', 0.1),
         ('region:cross_region_requests:ratio_rate5m{region="b"}', 0)]),
       ("20m", "region:edge_answers:share_rate5m",
        [('region:edge_answers:share_rate5m{region="a"}', 0.25),
         ('region:edge_answers:share_rate5m{region="b"}', 0.75)]))  # fmt: skip
