#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a site takes: from nothing with warm caches, a second run, one region more; and what that region takes.

`benchmarks/site.py` makes an instance of its own (llmp, 10.72) and takes it away. Prints a table and a line of JSON.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NAME, PREFIX, FIFTH = "llmp", "10.72", "eu-north-1"


def play(inventory: Path, playbook: str) -> tuple[float, int]:
    """Run a playbook; return its seconds and the number of changes."""
    words = ["-e", f"local_instance_name={NAME}", "-e", f"local_network_prefix={PREFIX}"]
    started = time.monotonic()
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(inventory), playbook, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{playbook} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return time.monotonic() - started, sum(int(number) for number in re.findall(r"changed=(\d+)", done.stdout))


def with_a_fifth_region(folder: Path) -> Path:
    """The local inventory with one region more."""
    inventory = Path(shutil.copytree(ROOT / "inventories/local", folder / "local"))
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
    children = hosts["all"]["children"]
    children["regions"]["children"]["secondary"]["hosts"][FIFTH] = None
    children["local"]["hosts"][FIFTH] = {
        "region_location": "Stockholm", "region_geography": "europe", "region_context_aliases": [], "node_subnet": 5,
    }
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return inventory


def resources() -> dict[str, dict[str, float]]:
    """What the instance takes, by benchmarks/resources.py."""
    command = [str(ROOT / ".venv/bin/python"), str(ROOT / "benchmarks/resources.py"), "--instance", NAME]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, dict[str, float]] = json.loads(output.splitlines()[-1])
    return figures


def main() -> None:
    """Measure and print."""
    local = ROOT / "inventories/local"
    play(local, "playbooks/clean.yml")
    figures: dict[str, float] = {}
    figures["from nothing, caches warm [s]"], _changes = play(local, "site.yml")
    figures["second run [s]"], figures["changes of the second run"] = play(local, "site.yml")
    time.sleep(60)
    idle = resources()["all"]
    figures["four regions idle [PSS MiB]"] = idle["pss_mib"] + idle["pods_pss_mib"]
    figures["four regions idle [cores]"] = idle["cores"]
    with tempfile.TemporaryDirectory() as folder:
        five = with_a_fifth_region(Path(folder))
        took, _changes = play(five, "site.yml")
        figures["a fifth region, over a second run [s]"] = took - figures["second run [s]"]
        figures["a fifth region without pods [PSS MiB]"] = resources()[FIFTH]["pss_mib"]
    play(local, "playbooks/clean.yml")
    for name, value in figures.items():
        print(f"{name:<45}{value:>10.1f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
