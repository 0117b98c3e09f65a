# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One variable, its name, makes an instance that meets no other, for playbooks and for the commands of make."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, network_prefix
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import CLUSTER_NETWORKS

ROOT = Path(__file__).resolve().parents[3]
LOCAL = ["-i", str(ROOT / "inventories/local")]


def told(*options: str) -> Instance:
    """What scripts/node.py takes for the instance."""
    spec = importlib.util.spec_from_file_location("scripts_node", ROOT / "scripts/node.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found: Instance = script.told_by_ansible([*LOCAL, *options])
    return found


def test_the_known_instances_keep_their_networks() -> None:
    assert [network_prefix(name) for name in ("llmv", "llmt", "llmm")] == ["10.77", "10.78", "10.79"]


def test_every_name_gets_a_private_network_that_is_nobody_elses_by_design() -> None:
    found = [network_prefix(f"x{number}") for number in range(3000)]
    assert found == [network_prefix(f"x{number}") for number in range(3000)]
    networks = {ipaddress.IPv4Network(f"{prefix}.0.0/16") for prefix in found}
    assert len(networks) == 60
    assert all(ipaddress.IPv4Network("10.64.0.0/10").supernet_of(network) for network in networks)
    taken = [ipaddress.IPv4Network(text) for text in CLUSTER_NETWORKS.values()]
    taken += [ipaddress.IPv4Network(f"{network_prefix(name)}.0.0/16") for name in ("llmv", "llmt", "llmm")]
    assert not [network for network in networks for other in taken if network.overlaps(other)]


def test_two_instances_share_nothing_but_the_cache() -> None:
    one, two = told(), told("-e", "local_instance_name=other")
    assert one == Instance("llmv", "10.77", Path("/var/lib/llm-verifier/llmv"), Path("/var/cache/llm-verifier"))
    assert (two.name, two.state_dir) == ("other", Path("/var/lib/llm-verifier/other"))
    assert two.prefix == network_prefix("other") != one.prefix
    apart = [{item.name, item.prefix, item.wan, item.host_link, item.namespace("edge-1"), item.node_dir("edge-1")}
             for item in (one, two)]
    assert not apart[0] & apart[1]
    assert one.cache_dir == two.cache_dir


def test_the_network_can_still_be_chosen() -> None:
    assert told("-e", "local_instance_name=other", "-e", "local_network_prefix=10.80").prefix == "10.80"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-e", "local_instance_name=zznone"], "no node edge-1 in /var/lib/llm-verifier/zznone: there are none"),
        (["-e", "local_instance_name=NOT"], "instance name 'NOT': allowed are"),
        (["-i", "inventories/nowhere", "--no-such-option"], "no instance with"),
    ],
)
def test_a_shell_is_of_the_instance_that_the_options_name(options: list[str], said: str) -> None:
    command = [sys.executable, "scripts/node.py", "edge-1", *LOCAL, *options, "--", "hostname"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="make itself asks for root")
def test_make_hands_inventory_and_arguments_on() -> None:
    given = ["INVENTORY=inventories/x", "ARGS=-e local_instance_name=other", "GEO=eu", "NODE=edge-1", "REGION=x",
             "SERVICE=kubelet", "CMD=hostname"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    for target in ("site", "status", "client", "shell", "drill", "region-down", "region-logs", "programs", "clean"):
        done = subprocess.run(["make", "-n", target, *given], cwd=ROOT, env=plain, capture_output=True, text=True,
                              check=True)
        setup, command = done.stdout.splitlines()
        assert setup == "scripts/setup.sh"
        assert " -i inventories/x" in command and " -e local_instance_name=other" in command, command
        assert ("-e logs_service=kubelet" in command) is (target == "region-logs")


def test_every_target_prints_the_plain_command() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    silent = [line for line in lines if line.startswith("\t@")]
    assert silent and all(line.startswith(("\t@$(ROOT)", "\t@$(call NEED,", "\t@sed -n ")) for line in silent)


def test_what_a_playbook_is_told_is_what_the_shell_is_told() -> None:
    """The validation of a second instance passes, with its own addresses."""
    command = ["ansible", "eu-west-1", *LOCAL, "-e", "local_instance_name=other", "-m", "ansible.builtin.debug", "-a",
               "var=region_endpoint"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert json.loads(said.partition("=>")[2])["region_endpoint"] == f"{network_prefix('other')}.3.10"
