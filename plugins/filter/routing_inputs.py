# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter routing_inputs: what routing needs to know of an inventory, as plain data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2 import Undefined, UndefinedError

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.inputs import Reader, routing_inputs

DOCUMENTATION = r"""
name: routing_inputs
short_description: What routing needs to know of an inventory, as plain data
version_added: 0.1.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Picks regions, addresses of the front door and networks of known countries out of all hosts' variables.
  - Only variables that routing and validation look at are read. Of secrets only their names are given, and whether
    they have a value.
  - A variable whose template can't be worked out is listed under C(undefined) instead of failing, so that all such
    errors are seen at once.
positional: _input, groups
options:
  _input:
    description: The variable C(hostvars).
    type: dict
    required: true
  groups:
    description: The variable C(groups).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Collect what routing needs
  ansible.builtin.set_fact:
    site: "{{ hostvars | llm_verifier.multi_region.routing_inputs(groups) }}"
"""

RETURN = r"""
_value:
  description: Plain data for the modules of this collection.
  type: dict
  contains:
    regions:
      description: Regions in the order of the inventory, each with name, geography, endpoint, weight, capacity_rps,
        provider, location, labels, primary and order.
      type: list
      elements: dict
    edges:
      description: Hosts of the group C(edge), each with name, address and node_address.
      type: list
      elements: dict
    static_site:
      description: Hosts of the group C(static_site), in the same form.
      type: list
      elements: dict
    networks:
      description: Networks to the country that they lie in.
      type: dict
    trusted_proxies:
      description: Networks whose word about a client's address counts.
      type: list
      elements: str
    groups:
      description: Groups of the collection to their hosts.
      type: dict
    hosts:
      description: Every host's selected variables, for validation.
      type: dict
"""


def plain(value: Any) -> Any:
    """The value with every template in it worked out. Raises UndefinedError or AnsibleError where that fails."""
    if isinstance(value, Undefined):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(value[name]) for name in value}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def reader(hostvars: Mapping[str, Any]) -> Reader:
    """A function that gives (value, "") or (None, why there is none) of one variable of one host."""

    def read(host: str, name: str) -> tuple[Any, str]:
        facts = hostvars[host]
        if name not in facts:
            return None, ""
        try:
            return plain(facts[name]), ""
        except (AnsibleError, UndefinedError) as error:
            return None, str(error).splitlines()[0]

    return read


def inputs(hostvars: Mapping[str, Any], groups: Mapping[str, list[str]]) -> dict[str, Any]:
    """The filter. Raises AnsibleFilterError when it isn't given hostvars and groups."""
    if not isinstance(hostvars, Mapping) or not isinstance(groups, Mapping):
        raise AnsibleFilterError("routing_inputs takes hostvars and groups: {{ hostvars | routing_inputs(groups) }}")
    names = {str(host): list(hostvars[host]) for host in groups.get("all", []) if host in hostvars}
    environment = {name for name, value in os.environ.items() if value}
    return routing_inputs(names, groups, reader(hostvars), environment)


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"routing_inputs": inputs}
