# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The board: what it shows, and a real run through it in plain lines."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.plugin_utils import board, board_text

ROOT = Path(__file__).resolve().parents[3]
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
PLAYBOOK = """
- name: Try
  hosts: regions
  gather_facts: false
  connection: local
  tasks:
    - name: Keep quiet
      ansible.builtin.command: echo hush-hush
      no_log: true
      changed_when: true
    - name: Write
      ansible.builtin.copy: {content: "new\\n", dest: "{{ folder }}/{{ inventory_hostname }}", mode: "0600"}
    - name: Fail
      ansible.builtin.fail: {msg: the disk is full}
      when: inventory_hostname == 'eu-west-1'
"""


def running(regions: tuple[str, ...] = REGIONS) -> board.Board:
    """A board in the middle of its second stage."""
    shown = board.Board(started=0.0, regions=regions)
    shown.begin("image", "playbooks/30_image.yml", ("localhost",), 0.0)
    shown.start_task("localhost", "Build", 0.0)
    shown.finish_task("localhost", board.CHANGED, 5.0)
    shown.begin("clusters", "playbooks/40_clusters.yml", regions, 5.0)
    for region in regions:
        shown.start_task(region, "Wait for the node", 6.0)
    return shown


def test_stages_are_named_after_their_playbooks() -> None:
    assert board.stage_name("/x/playbooks/40_clusters.yml", "A play") == "clusters"
    assert board.stage_name("/x/drill.yml", "A play") == "drill" and board.stage_name("", "A play") == "A play"


def test_a_failed_region_stays_failed_and_the_others_go_on() -> None:
    shown = running()
    shown.finish_task("eu-west-1", board.FAILED, 7.0)
    shown.start_task("us-east-1", "Next", 7.0)
    shown.finish_task("us-east-1", board.OK, 8.0)
    shown.end(9.0)
    states = {host: cell.state for host, cell in shown.stages["clusters"].cells.items()}
    assert states == {"us-east-1": board.OK, "us-west-2": board.OK, "eu-west-1": board.FAILED}
    assert shown.stages["clusters"].state() == board.FAILED
    assert shown.times(20.0) == [("image", 5.0), ("clusters", 4.0)]


@pytest.mark.parametrize(("width", "count"), [(60, 3), (100, 3), (100, 100)])
def test_no_line_is_wider_than_the_terminal_however_many_regions(width: int, count: int) -> None:
    regions = tuple(f"region-{number:03d}" for number in range(count))
    shown = running(regions)
    lines = board.render(shown, 30.0, board.Look(width=width), {"region-000": "apiserver " * 40}, "Title")
    assert max(map(len, lines)) <= max(width, 72)
    assert len(lines) < 20
    assert any("Wait for the node" in line and "0:24" in line for line in lines)


def test_a_failure_tells_all_but_what_is_hidden() -> None:
    result = {"msg": "no route", "rc": 3, "stderr": "a\nb", "invocation": {"module_args": "x"}}
    text = board_text.failure_text("eu-west-1", "dns", "Start", result, "make status")
    assert all(word in text for word in ("eu-west-1", "dns", "Start", "no route", "rc: 3", "a\n", "next: make status"))
    assert "module_args" not in text


def play(folder: Path, *words: str) -> str:
    book = folder / "50_try.yml"
    book.write_text(PLAYBOOK)
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    command = ["ansible-playbook", "-i", str(ROOT / "inventories/local"), str(book), "-e", f"folder={folder}", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stdout


def test_a_run_is_told_in_plain_lines(tmp_path: Path) -> None:
    said = play(tmp_path, "--diff")
    assert re.search(r"^eu-west-1 +: ok=2 +changed=2 +unreachable=0 +failed=1 ", said, re.M)
    assert re.search(r"^us-east-1 +: ok=2 +changed=2 +unreachable=0 +failed=0 ", said, re.M)
    assert "+new" in said and "the disk is full" in said and "make region-logs REGION=eu-west-1" in said
    assert "hush-hush" not in said


def test_a_file_shows_at_once_what_a_long_task_has_come_to(tmp_path: Path) -> None:
    (tmp_path / "progress").mkdir()
    book, output = tmp_path / "60_wait.yml", tmp_path / "output"
    wait = f"seq -f 'step %g' 999 > {tmp_path}/progress/localhost; for i in $(seq 100); do " \
           f"grep -q 'Wait: step 999$' {output} && exit 0; sleep 0.1; done; exit 1"
    task = {"name": "Wait", "ansible.builtin.shell": wait}
    plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}]
    book.write_text(yaml.safe_dump(plays))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LLM_VERIFIER_BOARD_HEARTBEAT": "1"}
    inventory, state = str(ROOT / "inventories/local"), f"local_state_dir={tmp_path}"
    command = ["ansible-playbook", "-i", inventory, str(book), "-e", state]
    with output.open("w") as stream:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=stream, check=False)
    assert done.returncode == 0, output.read_text()


def test_check_mode_is_marked_and_its_changes_are_none_yet(tmp_path: Path) -> None:
    said = play(tmp_path, "--check")
    assert "check mode: nothing is written" in said and "would change" in said
    assert not (tmp_path / "us-east-1").exists()
