# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards that Prometheus shows itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards.all import consoles
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

DOCUMENTATION = r"""
name: monitoring_consoles
short_description: Dashboards that Prometheus shows itself
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes the dashboards of P(llm_verifier.multi_region.monitoring_dashboards#filter) as console templates of
    Prometheus 2, for where there is no Grafana.
options:
  _input:
    description: Thresholds as of P(llm_verifier.multi_region.monitoring_rules#filter).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write them where --web.console.templates points to
  ansible.builtin.copy:
    content: "{{ item.value }}"
    dest: "/etc/prometheus/consoles/{{ item.key }}"
    mode: "0644"
  loop: "{{ {} | llm_verifier.multi_region.monitoring_consoles | dict2items }}"
"""

RETURN = r"""
_value:
  description: Texts by the names of their files; C(index.html) is the overview.
  type: dict
"""


def monitoring_consoles(settings: dict[str, Any]) -> dict[str, str]:
    """The filter."""
    try:
        return consoles(Settings.from_dict(settings))
    except MonitoringError as error:
        raise AnsibleFilterError(f"No pages can be made: {error}") from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"monitoring_consoles": monitoring_consoles}
