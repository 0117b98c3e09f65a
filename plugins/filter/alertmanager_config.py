# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told of which alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import alertmanager, rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

DOCUMENTATION = r"""
name: alertmanager_config
short_description: Alertmanager's configuration
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes Alertmanager's configuration - routing by contact, region and severity, inhibition, receivers - for the alerts
    of P(llm_verifier.multi_region.monitoring_rules#filter). Secrets stay in files, which it only names.
positional: _input, folder
options:
  _input:
    description:
      - C(contacts), mail addresses by name; C(receivers), lists by contact of entries with C(kind) C(webhook),
        C(mail), C(slack) or C(pagerduty); C(regions), by region other contacts in a contact's place; C(mail), where
        mail is sent; C(timing), seconds by severity.
    type: dict
    required: true
  folder:
    description: Folder where Alertmanager finds the secrets.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Make the configuration
  ansible.builtin.set_fact:
    alerting: "{{ given | llm_verifier.multi_region.alertmanager_config('/etc/alertmanager/secrets') }}"
  vars:
    given:
      contacts: {devops: devops@example.com}
      receivers:
        devops: [{kind: webhook, url: "https://example.com/alerts", token_file: /etc/alerting/token}]
"""

RETURN = r"""
_value:
  description: C(data) is the configuration, C(secrets) are files of the control host by their names in the folder.
  type: dict
"""


def alertmanager_config(given: dict[str, Any], folder: str) -> dict[str, Any]:
    """The filter."""
    try:
        notify = alertmanager.Notify.from_dict(given)
        made = alertmanager.configuration(notify, rules.all_alerts(Settings()), folder)
    except MonitoringError as error:
        raise AnsibleFilterError(f"Nobody can be told of alerts: {error}") from error
    return {"data": made.data, "secrets": made.secrets}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"alertmanager_config": alertmanager_config}
