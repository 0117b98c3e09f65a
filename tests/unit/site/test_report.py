# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closing report against the default inventory's policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region, Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import questions, report
from ansible_collections.llm_verifier.multi_region.plugins.modules import site_report

ROOT = Path(__file__).resolve().parents[3]
PLACES = {"ca_file": "/ca", "kubeconfig": "/kubeconfig", "kubectl": "kubectl"}
REGIONS = [Region.from_dict({"name": name, "geography": geography, "endpoint": f"10.0.{index}.10", "weight": 1,
                             "capacity_rps": 1, "provider": "local", "primary": index == 0, "order": index})
           for index, (name, geography) in enumerate({"us-east-1": "north-america", "us-west-2": "north-america",
                                                      "eu-west-1": "europe", "ap-southeast-1": "asia"}.items())]
CLIENTS = {"client-na": "US", "client-eu": "IE", "client-as": "SG", "client-other": "BR"}


@pytest.fixture(name="policy")
def fixture_policy() -> Policy:
    path = ROOT / "inventories/local/group_vars/all/routing_policy.yml"
    return Policy.from_dict(yaml.safe_load(path.read_text())["routing_policy"])


def answered(policy: Policy, **served: str) -> list[dict[str, Any]]:
    rows = report.questions(policy, REGIONS, CLIENTS, {})
    for row in rows:
        region = served.get(row["geography"], row["expected"][0])
        row["answer"] = questions.Answer(("10.0.201.10",), "10.0.201.10", 200, region, "", 0.01).as_dict()
    return rows


def test_each_geography_has_its_own_region(policy: Policy) -> None:
    rows = report.questions(policy, REGIONS, CLIENTS, {})
    assert {row["geography"]: row["expected"][0] for row in rows} == {
        "north-america": "us-east-1", "europe": "eu-west-1", "asia": "ap-southeast-1", "other": "us-east-1"}


def test_a_decision_in_force_is_expected_and_told(policy: Policy) -> None:
    out = {"eu-west-1": 0.0}
    rows = report.questions(policy, REGIONS, CLIENTS, out)
    assert {row["geography"]: row["expected"] for row in rows}["europe"] == ["us-east-1"]
    data = report.data(policy, Site(), REGIONS, [], [], PLACES, {**out, "us-east-1": 1.0})
    assert "eu-west-1 gets 0% of its requests by a decision" in report.text(data)
    assert "us-east-1 gets" not in report.text(data)


def test_a_geography_served_by_a_stranger_or_by_nobody_is_a_problem(policy: Policy) -> None:
    assert not report.problems(answered(policy))
    assert "served by us-east-1" in report.problems(answered(policy, europe="us-east-1"))[0]
    rows = answered(policy)
    rows[2]["answer"] = questions.Answer(error="status 503").as_dict()
    assert report.problems(rows) == ["asia (client-as): status 503"]


def test_the_report_names_what_to_do_next(policy: Policy) -> None:
    site = Site.from_dict({"edges": [{"name": "edge-1", "address": "10.0.201.10"}], "static_site": [], "networks": {}})
    data = report.data(policy, site, REGIONS, answered(policy), [{"stage": "dns", "seconds": 3.2}], PLACES, {})
    text = report.text(data)
    page = "https://api.llm-verifier.com/api/health"
    assert f"curl --resolve api.llm-verifier.com:443:10.0.201.10 --cacert /ca {page}" in text
    assert "dns 3 s" in text and "eu-west-1" in text and "PROBLEM" not in text
    assert all(line["within_objective"] for line in data["budget"])


def test_what_curl_wrote_is_read() -> None:
    output = "HTTP/2 200\r\nx-region: eu-west-1\r\n\r\n" + questions.SEPARATOR + "200 10.0.201.10 0.012"
    answer = questions.parse(output, ("10.0.201.10",))
    assert (answer.status, answer.region, answer.address, answer.error) == (200, "eu-west-1", "10.0.201.10", "")
    assert questions.parse("", ()).error and questions.parse(questions.SEPARATOR + "503 1.2.3.4 0.1", ()).error


def test_a_decision_that_changes_meanwhile_is_what_answers_are_judged_by(policy: Policy) -> None:
    decisions = iter([{}, {"eu-west-1": 0.0}])
    rows, admissions = site_report.answers(
        lambda: next(decisions), lambda found: report.questions(policy, REGIONS, {"client-eu": "IE"}, found),
        lambda client: questions.Answer(address=client, status=200, region="us-east-1"), 60)
    assert admissions == {"eu-west-1": 0.0} and next(decisions, None) is None
    assert report.problems(rows) == [] and rows[0]["answer"]["address"] == "client-eu"
