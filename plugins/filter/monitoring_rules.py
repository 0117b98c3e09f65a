# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a place, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

DOCUMENTATION = r"""
name: monitoring_rules
short_description: Recording and alerting rules
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes the rules of a place as plain data, for a rule file of Prometheus or, with O(namespace), as an object
    C(PrometheusRule) that kube-prometheus-stack takes. Both hold the same rules.
positional: _input, places
options:
  _input:
    description:
      - Thresholds. Ratios are 0-1. C(objective) (0.999) and C(latency_objective) (0.99) with C(latency_seconds) (2)
        over C(window_days) (30); C(minimum_requests) (100), C(interval_seconds) (15), C(workload) (C(job="workload")),
        C(health_path), C(certificate_days) (14), C(replica_lag_seconds) (30), C(backup_hours) (26),
        C(moved_ratio) (0.05), C(tick_seconds) (2), C(runbooks).
    type: dict
    required: true
  places:
    description:
      - Where they are evaluated, C(region) for a region's own Prometheus, C(global) for one that sees all regions.
    type: list
    elements: str
    required: true
  namespace:
    description: Namespace of the object; without it the rules are those of a file.
    type: str
    default: ""
  name:
    description: Name of the object.
    type: str
    default: llm-verifier
  labels:
    description: Labels that the operator selects rules by.
    type: dict
    default: {release: prometheus}
"""

EXAMPLES = r"""
- name: Write the rules of a region
  ansible.builtin.copy:
    content: "{{ {'objective': 0.995} | llm_verifier.multi_region.monitoring_rules(['region']) | to_nice_yaml }}"
    dest: /etc/prometheus/rules.yml
    mode: "0644"

- name: Give them to the operator
  kubernetes.core.k8s:
    definition: "{{ {} | llm_verifier.multi_region.monitoring_rules(['region'], namespace='monitoring') }}"
"""

RETURN = r"""
_value:
  description: The file, or the object.
  type: dict
"""


def monitoring_rules(
    settings: dict[str, Any],
    places: list[str],
    namespace: str = "",
    name: str = "llm-verifier",
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The filter."""
    try:
        thresholds = Settings.from_dict(settings)
        if not namespace:
            return rules.rule_file(thresholds, places)
        chosen = {"release": "prometheus"} if labels is None else labels
        return rules.prometheus_rule(thresholds, places, name=name, namespace=namespace, labels=chosen)
    except MonitoringError as error:
        raise AnsibleFilterError(f"No rules can be made: {error}") from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"monitoring_rules": monitoring_rules}
