# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook and what it shows: table, JSON, maps; it fails on what nobody waived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Site
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.steering import BACKENDS as NAMES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site import simulation

from .conftest import ROOT, MakeTable


def simulate(*options: str, **variables: Any) -> tuple[int, str]:
    """Exit code and output of the playbook on the local inventory."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "simulate.yml", "-i", "inventories/local"]
    done = subprocess.run(
        [*command, *options, "-e", json.dumps(variables)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_playbook_writes_once_and_nothing_in_check_mode(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, output = simulate("--check", simulate_folder=str(folder))
    assert code == 0 and "changed=1" in output and not folder.exists(), output
    code, output = simulate(simulate_folder=str(folder))
    assert code == 0 and "changed=1" in output, output
    report = json.loads((folder / "simulation.json").read_text(encoding="utf-8"))
    assert report["passed"] and {item["backend"] for item in report["answers"]} == set(NAMES)
    assert "SIMULATION  9 back ends" in (folder / "simulation.txt").read_text(encoding="utf-8")
    maps = sorted(path.name for path in (folder / "maps").iterdir())
    assert {"haproxy-all-up.svg", "route53-edges-down-eu-west-1-down.svg", "front-door-no-region.svg"} <= set(maps)
    assert all((folder / "maps" / name).read_text(encoding="utf-8").startswith("<svg") for name in maps)
    code, output = simulate(simulate_folder=str(folder))
    assert code == 0 and "changed=0" in output, output


def test_the_playbook_fails_on_what_is_not_waived() -> None:
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    policy = yaml.safe_load(text)["routing_policy"]
    policy["front_door"]["waivers"] = []
    code, output = simulate(routing_policy=policy, simulate_backends=["gdnsd", "cloud_dns"])
    assert code == 2, output
    assert "the policy says static, cloud_dns answers eu-west-1" in output
    assert "gdnsd dead-region" not in output
    code, output = simulate(routing_policy={"version": 1}, simulate_backends=["gdnsd"])
    assert code == 2 and "The policy can't be simulated" in output


def test_all_sets_of_twelve_regions_take_less_than_ten_seconds(make_table: MakeTable, site: Site) -> None:
    more = dict.fromkeys(("eu-west-2", "eu-central-1", "eu-north-1"), "europe")
    more |= dict.fromkeys(("ap-south-1", "ap-northeast-1"), "asia")
    table = make_table(more={**more, "sa-east-1": "other", "af-south-1": "other", "ca-central-1": "north-america"})
    started = time.process_time()
    report = compare(table, site)
    pictures = simulation.pictures(report, table)
    assert time.process_time() - started < 10
    assert report.sets == 3 * (2**12 - 1) + 1 and not report.sampled
    assert len(pictures) > len(NAMES)


def test_the_report_tells_every_country_and_every_divergence(make_table: MakeTable, site: Site) -> None:
    table = make_table(door={"steering": {}})
    report = compare(table, site)
    data, text = simulation.plain(report), simulation.text(report)
    assert not data["passed"] and "DIVERGENCES that fail" in text and "DIVERGENCES that the policy waives" in text
    for name in NAMES:
        told = [code for item in data["answers"] if item["backend"] == name for code in item["countries"]]
        assert set(COUNTRIES) <= set(told)
    assert all(len(item["answers"]) == len(data["situations"]) for item in data["answers"])
    assert "route53: BV, CX, EH, HM unknown there" in text
    assert data["unsupported_countries"]["traffic_manager"] == ["EH"]
    assert all(f"{item['backend']} {item['id']}" in text for item in data["divergences"])


def test_a_needless_waiver_is_told(make_table: MakeTable, site: Site) -> None:
    waiver = {"backend": "gdnsd", "divergence": "no-answer", "reason": "just in case"}
    report = compare(make_table(door={"waivers": [waiver]}), site, ["gdnsd"])
    assert "needless waiver: gdnsd no-answer" in simulation.text(report)
    assert simulation.plain(report)["unused_waivers"] == [waiver]


def test_maps_show_what_is_dead_and_what_says_nothing(make_table: MakeTable) -> None:
    table = make_table(door={"waivers": []})
    report = compare(table, Site(), ["cloud_dns", "google_lb"])
    pictures = simulation.pictures(report, table)
    assert "something that is down" in pictures["cloud-dns-no-region.svg"]
    assert "no answer" in pictures["google-lb-no-region.svg"]
    spread = make_table(algorithm="weighted")
    assert not simulation.pictures(compare(spread, Site(), ["memory"]), spread).keys() & {"memory-all-up.svg"}
