# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules as data: the guide's own, the workbook's figures, one source for both forms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import rules, slo
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import (
    PLACES,
    MonitoringError,
    duration,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


def rendered(**given: Any) -> dict[str, dict[str, Any]]:
    """Every rule of a region's and an edge's file by its name."""
    found = rules.rule_file(Settings.from_dict(given), PLACES)
    return {rule.get("alert") or rule["record"]: rule for group in found["groups"] for rule in group["rules"]}


def test_the_guides_alerts_are_the_guides() -> None:
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    block = re.search(r"### Alerting Rules\n+```yaml\n(.*?)```", guide, re.DOTALL)
    assert block
    wanted, mine = yaml.safe_load(block[1]), rendered()
    assert [alert["alert"] for alert in wanted] == ["HighLatency", "RegionalFailure"]
    for alert in wanted:
        own = mine[alert["alert"]]
        assert [own[key] for key in ("alert", "expr", "for")] == [alert[key] for key in ("alert", "expr", "for")]
        assert own["labels"].items() >= alert["labels"].items()
        assert own["annotations"].items() >= alert["annotations"].items()


def test_the_factors_are_the_workbooks() -> None:
    assert [round(pair.factor(30), 6) for pair in slo.PAIRS] == [14.4, 6, 3, 1]
    assert [(pair.long_seconds / 3600, pair.short_seconds / 60) for pair in slo.PAIRS] == [
        (1, 5), (6, 30), (24, 120), (72, 360),
    ]  # fmt: skip


def test_an_objective_of_the_inventory_is_in_the_alerts() -> None:
    mine = rendered(objective=0.995, window_days=28, latency_seconds=0.5, minimum_requests=7)
    fast = mine["AvailabilityBudgetBurnsFast"]["expr"]
    assert "region:http_errors:ratio_1h > 0.0672 and region:http_errors:ratio_5m > 0.0672" in fast
    assert "region:http_requests:count_1h >= 7" in fast
    assert mine["HighLatency"]["expr"].endswith("> 0.5")
    assert 'le=~"0[.]5([.]0)?"' in mine["region:http_slow:rate2m"]["expr"]


def test_every_ratio_and_count_that_an_alert_reads_is_recorded() -> None:
    mine = rendered()
    read = {name for rule in mine.values() for name in re.findall(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+", rule["expr"])}
    assert read and read <= set(mine)


def test_what_follows_names_alerts_that_there_are() -> None:
    alerts = rules.all_alerts(Settings())
    names = {alert.name for alert in alerts}
    assert {cause for alert in alerts for cause in alert.follows} <= names
    assert not [alert.name for alert in alerts if alert.name in alert.follows]


def test_the_operators_object_holds_the_files_rules() -> None:
    made = rules.prometheus_rule(
        Settings(), ["region"], name="llm-verifier", namespace="monitoring", labels={"release": "prometheus"}
    )
    assert made["spec"] == rules.rule_file(Settings(), ["region"])
    assert made["metadata"] == {"name": "llm-verifier", "namespace": "monitoring", "labels": {"release": "prometheus"}}


def test_groups_and_records_have_names_of_their_own() -> None:
    groups = rules.groups(Settings())
    assert len({group.name for group in groups}) == len(groups)
    with pytest.raises(MonitoringError, match="places are region, global, not moon"):
        rules.groups(Settings(), ["moon"])


@pytest.mark.parametrize(("seconds", "text"), [(15, "15s"), (300, "5m"), (5400, "90m"), (7200, "2h"), (259200, "3d")])
def test_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("seconds", [0, -5, 0.5])
def test_no_durations(seconds: float) -> None:
    with pytest.raises(MonitoringError):
        duration(seconds)


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(MonitoringError) as told:
        Settings.from_dict({"objective": 99.9, "latency_seconds": "fast", "window_days": 3, "colour": "red",
                            "minimum_requests": -1, "health_path": 'a"', "runbooks": "here", "interval_seconds": 0,
                            "certificate_days": True})  # fmt: skip
    for part in ("objective is 99.9", "latency_seconds is 'fast'", "window_days is 3", "colour is no setting",
                 "minimum_requests is -1", "health_path is", "runbooks is", "interval_seconds is 0",
                 "certificate_days"):  # fmt: skip
        assert part in str(told.value)
    assert Settings.from_dict({"latency_seconds": 3}).latency_seconds == 3.0


def test_numbers_with_a_tag_of_ansible_are_numbers() -> None:
    class Tagged(float):
        """As Ansible gives them."""

    assert Settings.from_dict({"objective": Tagged(0.9)}) == Settings(objective=0.9)
