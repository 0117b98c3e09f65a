# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's configuration before the real amtool: it is taken, and leads where it should."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import alertmanager, rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .programs import program

GIVEN: dict[str, Any] = {
    "contacts": {"devops": "devops@example.com", "devops-eu": "eu@example.com", "security": "security@example.com",
                 "support": "support@example.com"},
    "mail": {"smarthost": "mail.example.com:587", "from": "alerts@example.com", "username": "alerts",
             "password_file": "/vault/mail"},
    "receivers": {"devops": [
        {"kind": "webhook", "url": "https://example.com/a", "token_file": "/vault/token", "ca_file": "/vault/ca"},
        {"kind": "slack", "url_file": "/vault/slack", "channel": "#ops"},
        {"kind": "pagerduty", "key_file": "/vault/key"},
        {"kind": "mail"},
    ]},
    "regions": {"eu-west-1": {"devops": "devops-eu"}},
}  # fmt: skip
Amtool = Callable[..., str]


@pytest.fixture(name="amtool", params=["full", "bare"])
def fixture_amtool(request: pytest.FixtureRequest, tmp_path: Path) -> Amtool:
    """Run amtool on a configuration with everything, and on one with contacts alone."""
    given = GIVEN if request.param == "full" else {"contacts": GIVEN["contacts"], "regions": GIVEN["regions"]}
    made = alertmanager.configuration(alertmanager.Notify.from_dict(given), rules.all_alerts(Settings()), str(tmp_path))
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(made.data))

    def run(*words: str) -> str:
        done = subprocess.run([program("amtool"), *words], capture_output=True, text=True, check=False,
                              env={"AMTOOL_CONFIG": str(file), "HOME": str(tmp_path)})  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_amtool_takes_it(amtool: Amtool, tmp_path: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(tmp_path / "alertmanager.yml"))


@pytest.mark.parametrize(("alert", "region", "told"), [
    ("RegionalFailure", "us-east-1", "devops,support"),
    ("RegionalFailure", "eu-west-1", "devops-eu,support"),
    ("HighLatency", "eu-west-1", "devops-eu"),
    ("RoutingStateRefused", "", "devops,security"),
    ("CertificateExpiresSoon", "eu-west-1", "devops-eu,security"),
    ("AvailabilityBudgetBurnsSlowly", "ap-southeast-1", "devops"),
])  # fmt: skip
def test_an_alert_goes_to_its_contacts(amtool: Amtool, tmp_path: Path, alert: str, region: str, told: str) -> None:
    found = rules.rule_file(Settings(), ["region", "global"])["groups"]
    labels = next(rule["labels"] for group in found for rule in group["rules"] if rule.get("alert") == alert)
    words = [f"{key}={value}" for key, value in {"alertname": alert, "region": region, **labels}.items()]
    amtool("config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}",
           f"--verify.receivers={told}", *words)  # fmt: skip


def test_somebody_elses_alert_goes_to_devops(amtool: Amtool, tmp_path: Path) -> None:
    amtool("config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}", "--verify.receivers=devops",
           "alertname=Other")  # fmt: skip
