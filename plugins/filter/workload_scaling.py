# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Deployments and autoscalers of a workload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube import placement, scaling

DOCUMENTATION = r"""
name: workload_scaling
short_description: The Deployments and autoscalers of a workload, and what can't go together
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Makes a HorizontalPodAutoscaler and, where it is asked for, a VerticalPodAutoscaler of what is wanted.
  - Makes one Deployment, or with a floor on nodes that stay two.
  - Refuses that both act on the same resource, and tells every other problem.
positional: _input
options:
  _input:
    description:
      - C(name), C(namespace), C(container), C(autoscaling), C(min_replicas), C(max_replicas), C(cpu_percent),
        C(requests_per_second), C(requests_metric), C(behavior), C(resources), C(vpa), C(vpa_resources), C(vpa_minimum),
        C(vpa_maximum), C(replicas), C(node_selector), C(tolerations), C(on_demand_floor), C(on_demand_nodes),
        C(spot_nodes) and C(spot_tolerations), as the role regional_deploy describes its variables of these names.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Tell what can't go together
  ansible.builtin.assert:
    that: not (wanted | llm_verifier.multi_region.workload_scaling).problems
"""

RETURN = r"""
_value:
  description:
    - C(problems), a list of texts, and, empty when there are any, C(objects), the autoscalers, and C(pools), what the
      Deployments differ in.
  type: dict
"""


def workload_scaling(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filter."""
    try:
        want, place = scaling.Scaling.from_dict(given), placement.Placement.from_dict(given)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"workload_scaling: {error!r}") from error
    problems = [*scaling.problems(want), *placement.problems(place)]
    if problems:
        return {"problems": problems, "objects": [], "pools": []}
    return {"problems": [], "objects": scaling.objects(want), "pools": placement.pools(place)}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"workload_scaling": workload_scaling}
