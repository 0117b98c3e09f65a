# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles say what they take: argument specifications and defaults agree, names begin with the role's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def read(role: str, name: str) -> dict[str, Any]:
    path = ROOT / "roles" / role / name
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def specified(role: str) -> dict[str, Any]:
    """Return the options of all entry points of a role."""
    options: dict[str, Any] = {}
    for entry in read(role, "meta/argument_specs.yml").get("argument_specs", {}).values():
        options |= entry.get("options") or {}
    return options


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_files(role: str) -> None:
    for name in ("tasks/main.yml", "meta/argument_specs.yml"):
        assert (ROOT / "roles" / role / name).is_file(), name
    entries = read(role, "meta/argument_specs.yml")["argument_specs"]
    assert "main" in entries
    assert all(entry.get("short_description") for entry in entries.values())


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_what_the_specification_says(role: str) -> None:
    defaults = read(role, "defaults/main.yml")
    options = specified(role)
    assert set(defaults) == {name for name, option in options.items() if not option.get("required")}
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    assert {name: defaults.get(name) for name in told} == told
    assert not [name for name in options if name not in told and not options[name].get("required")
                and defaults.get(name) not in ("", None, [], {})], "a default that the specification leaves out"


@pytest.mark.parametrize("role", ROLES)
def test_names_begin_with_the_role(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in read(role, "defaults/main.yml"))
    assert all(name.startswith(f"{role}__") for name in read(role, "vars/main.yml")), "a role's own are role__name"


@pytest.mark.parametrize("role", ROLES)
def test_options_are_explained(role: str) -> None:
    assert all(option.get("description") and option.get("type") for option in specified(role).values())


def test_a_gateway_listens_on_no_port_of_the_workload() -> None:
    """A stale endpoint of a workload's pod may be a gateway's address by now: that must refuse, not redirect."""
    folder = ROOT / "roles/regional_deploy"
    settings = yaml.safe_load((folder / "vars/main.yml").read_text())["regional_deploy__gateway_settings"]
    ports = yaml.safe_load((folder / "defaults/main.yml").read_text())["regional_deploy_ports"]
    assert not {settings["https_port"], settings["http_port"]} & {port["port"] for port in ports}


def amount(quantity: str) -> float:
    """A Kubernetes quantity as a number."""
    units = {"m": 0.001, "Mi": 2**20, "Gi": 2**30}
    unit = next((unit for unit in units if quantity.endswith(unit)), "")
    return float(quantity.removesuffix(unit)) * units.get(unit, 1)


def test_the_quota_holds_every_replica_and_a_rollout() -> None:
    defaults = read("regional_deploy", "defaults/main.yml")
    pods = defaults["regional_deploy_max_replicas"] * 1.25 + 1  # maxSurge 25 %, rounded up
    quota = {name: amount(value) for name, value in defaults["regional_deploy_quota"].items()}
    resources = defaults["regional_deploy_resources"]
    assert quota["pods"] >= pods
    assert quota["requests.cpu"] >= pods * amount(resources["requests"]["cpu"])
    assert quota["requests.memory"] >= pods * amount(resources["requests"]["memory"])
    assert quota["limits.memory"] >= pods * amount(resources["limits"]["memory"])
