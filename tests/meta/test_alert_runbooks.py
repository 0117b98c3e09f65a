# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every alert has its runbook, where its link leads, and every runbook its alert."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import PLACES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.rules import all_alerts, rule_file
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/runbooks/alerts"


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    assert pages == {alert.name for alert in all_alerts(Settings())}


def test_links_lead_to_the_pages_of_this_project() -> None:
    home = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"] + "/blob/main/"
    rules = [rule for group in rule_file(Settings(), PLACES)["groups"] for rule in group["rules"] if "alert" in rule]
    for rule in rules:
        link = rule["annotations"]["runbook_url"]
        assert link.startswith(home)
        page = ROOT / link.removeprefix(home)
        assert page.read_text().startswith(f"# {rule['alert']}\n"), "the page's title is the alert's name"


def test_the_list_of_runbooks_says_what_the_rules_say() -> None:
    text = (FOLDER / "README.md").read_text()
    assert re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| ([\w, ]+) \|$", text, re.M) == [
        (alert.name, alert.name, alert.severity, ", ".join(alert.contacts)) for alert in all_alerts(Settings())
    ]


def test_pages_link_to_what_there_is() -> None:
    for page in FOLDER.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (FOLDER / link).exists(), f"{page.name}: {link}"
