# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures and the picture of drills whose truth is known."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.picture import picture
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.report import (
    Moments,
    analyse,
    percentile,
    text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.watch import check_state

REGION = Moments("eu-west-1", "down", True, 110.0, 120.0)
EDGE = Moments("edge-1", "down", False, 110.0, 120.0)


def record(start: float, region: str, seconds: float = 0.01, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"start": start, "kind": "get", "seconds": seconds, "status": status, "region": region, "address": "a",
            "attempts": 1, "first_error": "", "error": "" if status == 200 else "status", **more}


def region_drill() -> list[dict[str, Any]]:
    """Ten requests a second; the region serves until 1.5 s after the fault and again from 3 s after its end."""
    return [record(100 + n / 10, "us-east-1" if 111.5 <= 100 + n / 10 < 123 else "eu-west-1",
                   0.5 if 110 <= 100 + n / 10 < 111 else 0.01) for n in range(300)]


def test_a_region_that_died_and_came_back() -> None:
    changes = [{"at": at, "probe": probe, "kind": "check", "value": value} for at, probe, value in (
        (101.0, "edge-1", "UP"), (101.0, "edge-2", "UP"), (114.0, "edge-1", "DOWN"), (116.0, "edge-2", "DOWN"),
        (123.0, "edge-1", "UP"), (123.0, "edge-2", "UP"))]
    report = analyse(region_drill(), changes, REGION)
    assert (report.requests, report.failed, report.slowest) == (300, 0, 0.5)
    assert report.detection == 6.0, "the slowest edge counts"
    assert report.answers_changed is not None and 1.4 < report.answers_changed < 1.5
    assert report.back_up is not None and 2.9 < report.back_up < 3.1
    assert report.p99["before"] == 0.01 and report.p99["during"] == 0.5
    assert "us-east-1" not in report.regions["before"] and "us-east-1" in report.regions["during"]
    assert "failed 0" in text(report)


def test_failures_are_counted_by_kind() -> None:
    records = [*region_drill(), record(111.0, "", 10.0, 0, error="connect"),
               record(111.0, "", 3.0, 503, kind="plain")]
    report = analyse(records, [], REGION)
    assert (report.failed, report.plain_failed, report.plain_requests) == (1, 1, 1)
    assert report.slowest == 10.0 and report.slowest_plain == 3.0
    assert report.detection is None and "not seen" in text(report)


def test_an_edge_is_seen_by_its_name_servers_answers() -> None:
    both, one = "10.0.0.1,10.0.0.2", "10.0.0.2"
    changes = [{"at": at, "probe": probe, "kind": "dns", "value": value} for at, probe, value in (
        (101.0, "edge-1", both), (101.0, "edge-2", both), (110.2, "edge-1", "no answer"), (116.5, "edge-2", one),
        (124.0, "edge-2", both), (126.0, "edge-1", both))]
    report = analyse(region_drill(), changes, EDGE)
    assert report.dns_changed == 6.5, "a name server that is down doesn't tell"
    assert report.back_up == 6.0


def test_a_region_that_never_let_go_changes_no_answer() -> None:
    records = [record(100 + n / 10, "eu-west-1") for n in range(300)]
    assert analyse(records, [], REGION).answers_changed is None


def test_percentiles_and_the_picture() -> None:
    assert percentile(range(1, 101), 0.99) == 99 and percentile([], 0.5) == 0
    for records in (region_drill(), []):
        root = ElementTree.fromstring(picture(records, REGION))
        assert root.tag.endswith("svg")


def test_the_check_of_an_edge_is_read_from_its_metrics() -> None:
    page = ('haproxy_server_status{proxy="regions",server="eu-west-1",state="DOWN"} 0\n'
            'haproxy_server_status{proxy="regions",server="eu-west-1",state="UP"} 1\n'
            'haproxy_server_status{proxy="other",server="us-east-1",state="UP"} 1\n')
    assert check_state(page, "eu-west-1") == "UP"
    assert check_state(page, "us-east-1") == ""
