# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards for Grafana."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards.all import config_maps
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

DOCUMENTATION = r"""
name: monitoring_dashboards
short_description: Dashboards for Grafana
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes the dashboards (overview, region, routing, objectives, cost) as ConfigMaps, which the sidecar of
    kube-prometheus-stack gives to Grafana.
  - They read what the rules of P(llm_verifier.multi_region.monitoring_rules#filter) record, and what an edge's
    Prometheus scrapes. Their variable C(datasource) chooses the Prometheus.
positional: _input, namespace
options:
  _input:
    description: Thresholds as of P(llm_verifier.multi_region.monitoring_rules#filter).
    type: dict
    required: true
  namespace:
    description: Namespace of the objects.
    type: str
    required: true
  labels:
    description: Labels that the sidecar selects dashboards by.
    type: dict
    default: {grafana_dashboard: "1"}
  folder:
    description: Folder in Grafana, where its sidecar takes one.
    type: str
    default: LLM Verifier
"""

EXAMPLES = r"""
- name: Give the dashboards to Grafana
  llm_verifier.multi_region.region_apply:
    kubeconfig: "{{ region_kubeconfig }}"
    region: "{{ inventory_hostname }}"
    owner: dashboards
    objects: "{{ monitoring_slo | llm_verifier.multi_region.monitoring_dashboards('monitoring') }}"
"""

RETURN = r"""
_value:
  description: The ConfigMaps; each holds a dashboard's JSON.
  type: list
  elements: dict
"""


def monitoring_dashboards(
    settings: dict[str, Any],
    namespace: str,
    labels: dict[str, str] | None = None,
    folder: str = "LLM Verifier",
) -> list[dict[str, Any]]:
    """The filter."""
    chosen = {"grafana_dashboard": "1"} if labels is None else labels
    try:
        return config_maps(Settings.from_dict(settings), namespace, chosen, folder)
    except MonitoringError as error:
        raise AnsibleFilterError(f"No dashboards can be made: {error}") from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"monitoring_dashboards": monitoring_dashboards}
