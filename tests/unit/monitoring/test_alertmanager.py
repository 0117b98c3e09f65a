# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's configuration as data; tests/conformance tries it on amtool."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import alertmanager, rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

CONTACTS = {"devops": "devops@example.com", "security": "security@example.com", "support": "support@example.com"}
MAIL = {"smarthost": "mail.example.com:587", "from": "alerts@example.com"}


def made(**given: Any) -> alertmanager.Configuration:
    notify = alertmanager.Notify.from_dict({"contacts": CONTACTS, **given})
    return alertmanager.configuration(notify, rules.all_alerts(Settings()), "/run/alertmanager/secrets")


def receivers(**given: Any) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in made(**given).data["receivers"]}


def test_nobody_is_told_before_the_inventory_says_how() -> None:
    assert receivers() == {name: {"name": name} for name in CONTACTS}
    assert "global" not in made().data


def test_with_a_mail_server_every_contact_is_told_by_mail() -> None:
    found = receivers(mail=MAIL)
    assert {name: item["email_configs"] for name, item in found.items()} == {
        name: [{"to": address, "send_resolved": True}] for name, address in CONTACTS.items()
    }


def test_secrets_are_files_and_never_text() -> None:
    found = made(
        mail={**MAIL, "username": "alerts", "password_file": "/vault/mail"},
        receivers={"devops": [
            {"kind": "webhook", "url": "https://example.com/a", "token_file": "/vault/token", "ca_file": "/vault/ca"},
            {"kind": "slack", "url_file": "/vault/slack", "channel": "#ops"},
            {"kind": "pagerduty", "key_file": "/vault/key"},
            {"kind": "mail", "to": "night@example.com"},
        ]},
    )  # fmt: skip
    assert found.secrets == {"mail": "/vault/mail", "devops-0.token": "/vault/token", "devops-0.ca": "/vault/ca",
                             "devops-1.url": "/vault/slack", "devops-2.key": "/vault/key"}  # fmt: skip
    text = json.dumps(found.data)
    assert "/vault" not in text and all(f"/run/alertmanager/secrets/{name}" in text for name in found.secrets)
    assert '"night@example.com"' in text


def test_a_receiver_leads_nowhere_else() -> None:
    found = receivers(receivers={"devops": [
        {"kind": "webhook", "url": "https://example.com/a"},
        {"kind": "webhook", "url": "https://example.com/b", "ca_file": "/vault/ca"},
        {"kind": "slack", "url_file": "/vault/slack"}, {"kind": "pagerduty", "key_file": "/vault/key"},
    ]})["devops"]  # fmt: skip
    configs = [item for key, items in found.items() if key.endswith("_configs") for item in items]
    assert len(configs) == 4 and all(item["http_config"]["follow_redirects"] is False for item in configs)


def test_what_follows_from_a_regions_failure_is_silent_in_that_region() -> None:
    rule = next(item for item in made().data["inhibit_rules"] if "RegionalFailure" in item["source_matchers"][0])
    silent = rule["target_matchers"][0]
    assert rule["equal"] == ["region"]
    assert all(name in silent for name in ("HighLatency", "AvailabilityBudgetBurnsFast", "RegionSick", "ReplicaLag"))
    assert not any(name in silent for name in ("RegionalFailure", "RegionEvicted", "BackupTooOld", "EdgeDown"))


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(MonitoringError) as told:
        alertmanager.Notify.from_dict({
            "contacts": {"support": "a", "No.Name": "b"},
            "receivers": {"nobody": [],
                          "support": [{"kind": "pigeon"}, {"kind": "slack", "colour": 1}, {"kind": "mail"}]},
            "regions": {"eu-west-1": {"support": "night"}},
            "mail": {"password": "x"},
            "timing": {"critical": [1, 2], "loud": [1, 1, 1]},
        })  # fmt: skip
    for part in ("devops is wanted", "No.Name is no name", "receivers: nobody", "night is no contact", "kind is one of",
                 "url_file is wanted", "colour isn't for slack", "mail.smarthost is wanted", "password is no setting",
                 "smarthost and from", "timing.critical", "loud is no severity"):  # fmt: skip
        assert part in str(told.value)
