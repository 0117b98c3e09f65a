# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in its worker's fork and the same module the usual way, in one real run: what they say is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins import action

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.llm_verifier.multi_region.plugins"
OWN = "{{ ansible_playbook_python }}"
SECRET = "a-password-that-nobody-sees"
MODULE = """
import os, subprocess, sys, time
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule(argument_spec={"does": {"type": "str"}, "password": {"type": "str", "no_log": True}},
                           supports_check_mode=True)
    does = module.params["does"]
    if does == "sleep":
        open(os.environ["PID_FILE"], "w").write(str(os.getpid()))
        time.sleep(60)
    if does == "crash":
        raise RuntimeError("out of paper")
    if does == "exit":
        sys.exit("no answer at all")
    if does == "noise":
        subprocess.run(["echo", "noise of a child"], check=True)
    if does == "warn":
        module.warn("it rains, packed" if ".zip" in __file__ else "it rains, here")
    if does == "fail":
        module.fail_json(msg="it can't", code=7, password=module.params["password"])
    module.exit_json(changed=True, packed="AnsiballZ" in __file__ or ".zip" in __file__, check=module.check_mode,
                     diff_mode=module._diff, folder=os.getcwd(), word=module.params["password"])
"""
ACTION = f"""
import importlib.util, os
from {PLUGINS}.plugin_utils.in_process import InProcess

path = os.path.join(os.path.dirname(__file__), "../library/whereabouts.py")
spec = importlib.util.spec_from_file_location("whereabouts", path)
loaded = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loaded)

class ActionModule(InProcess):
    MODULE = loaded
"""
CASES: dict[str, dict[str, Any]] = {
    "plain": {}, "delegated": {"delegate_to": "same"}, "check": {"check_mode": True}, "diff": {"diff": True},
    "noise": {}, "warn": {}, "crash": {}, "exit": {}, "fail": {}, "sleep": {"timeout": 2},
}  # fmt: skip
USUAL: dict[str, dict[str, Any]] = {
    "environment": {"environment": {"SAID": "so"}}, "other_python": {"delegate_to": "other"},
    "interpreter": {"vars": {"ansible_python_interpreter": os.path.realpath(sys.executable)}},
}  # fmt: skip


@pytest.fixture(name="told", scope="module")
def fixture_told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every case gave, here and the usual way, and all that was printed."""
    folder = tmp_path_factory.mktemp("play")
    ends = "if __name__ == '__main__':\n    main()\n"
    for place, text in (("library", MODULE + ends), ("action_plugins", ACTION)):
        (folder / place).mkdir()
        (folder / place / "whereabouts.py").write_text(text)

    def task(name: str, does: str, words: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "whereabouts": {"does": does, "password": SECRET}, "register": f"said_{name}",
                "ignore_errors": True, **words}  # fmt: skip

    here = [task(name, name, words) for name, words in CASES.items()]
    usual = [task(f"usual_{name}", name, {**words, "environment": {"PID_FILE": str(folder / "usual.pid")}})
             for name, words in CASES.items()]  # fmt: skip
    others = [task(name, "plain", words) for name, words in USUAL.items()]
    names = [item["name"] for item in [*here, *usual, *others]]
    kept = {"name": "Keep", "ansible.builtin.copy": {
        "dest": str(folder / "said.json"), "mode": "0600",
        "content": "{{ {" + ", ".join(f"'{name}': said_{name}" for name in names) + "} | to_json }}"}}  # fmt: skip
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*here, *usual, *others, kept]}
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    hosts = {name: {"ansible_connection": "local", "ansible_python_interpreter": python}
             for name, python in (("same", OWN), ("other", os.path.realpath(sys.executable)))}  # fmt: skip
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(folder / "hosts.yml"), "-vv", str(folder / "play.yml")], cwd=ROOT,
        env=os.environ | {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "PID_FILE": str(folder / "here.pid")},
        capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert (folder / "said.json").exists(), done.stdout + done.stderr
    said = json.loads((folder / "said.json").read_text())
    return {"said": said, "printed": done.stdout + done.stderr, "folder": folder}


@pytest.mark.parametrize("case", CASES)
def test_it_says_what_the_usual_way_says(told: dict[str, Any], case: str) -> None:
    def essence(name: str) -> dict[str, Any]:
        telling = {"changed", "failed", "msg", "code", "rc", "timedout", "check", "diff_mode", "folder", "word"}
        found = {key: value for key, value in told["said"][name].items() if key in telling}
        return found | {"msg": str(found.get("msg")).removeprefix("Task failed: Module failed: ")}

    assert essence(case) == essence(f"usual_{case}")


def test_it_is_packed_only_where_something_differs(told: dict[str, Any]) -> None:
    packed = {name: said["packed"] for name, said in told["said"].items() if "packed" in said}
    assert {name for name in packed if not packed[name]} == {"plain", "delegated", "check", "diff", "noise", "warn"}
    assert set(USUAL) <= set(packed)


def test_a_crash_tells_where_and_a_warning_is_shown(told: dict[str, Any]) -> None:
    assert told["said"]["crash"]["msg"] == "out of paper"
    assert "no answer at all" in told["said"]["exit"]["module_stderr"]
    assert "it rains, packed" in told["printed"] and "it rains, here" in told["printed"]


def test_a_secret_is_shown_nowhere(told: dict[str, Any]) -> None:
    assert SECRET not in told["printed"] and SECRET not in json.dumps(told["said"])


def test_what_takes_too_long_is_ended(told: dict[str, Any]) -> None:
    number = (told["folder"] / "here.pid").read_text()
    assert not Path(f"/proc/{number}").exists()


def test_an_action_runs_the_module_of_its_name() -> None:
    names = [path.stem for path in Path(next(iter(action.__path__))).glob("[!_]*.py")]
    assert len(names) > 10
    for name in names:
        loaded = __import__(f"{PLUGINS}.action.{name}", fromlist=["ActionModule"])
        assert loaded.ActionModule.MODULE.__name__ == f"{PLUGINS}.modules.{name}"
