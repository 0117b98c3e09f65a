# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The validation stage itself, by ansible-playbook on the local inventory: no network, no facts, no secret shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SECRET = "a-secret-that-nobody-may-see"


def validate(*options: str, **variables: Any) -> tuple[int, str]:
    """Exit code and output of the stage with extra variables."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/10_validate.yml", "-vvv", "--diff"]
    given = {**variables, "secrets_values": {"jwt-secret": SECRET}}
    done = subprocess.run(
        [*command, "-i", "inventories/local", *options, "-e", json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_local_inventory_is_valid_and_its_budget_is_told() -> None:
    """Also on a run that is limited to one region, whose other regions still count."""
    code, output = validate("--limit", "us-west-2", "--check", cloud_provider="local", skip_monitoring="true")
    assert code == 0, output
    assert '"total_seconds": 38' in output
    assert "Gathering Facts" not in output
    assert SECRET not in output


def test_a_broken_one_is_told_whole_and_fails() -> None:
    spoilt = {"version": 1, "geographies": {"europe": {"regions": ["eu-west-9"], "countries": [False]}}}
    code, output = validate(routing_policy=spoilt, skip_monitoring="maybe", region_geography="{{ nowhere }}")
    assert code == 2, output
    for words in (
        "routing_policy.geographies.europe.regions[0]: eu-west-9 is no region of the inventory [region-unknown]",
        'mend: quote it: "NO"',
        "skip_monitoring: 'maybe' is not true or false",
        "eu-west-1: region_geography: 'nowhere' is undefined [variable-undefined]",
    ):
        assert words in output
    assert SECRET not in output
