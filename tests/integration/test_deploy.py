# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments that go wrong: a region that fails returns to what it ran, and a run that dies is resumed."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .conftest import REGIONS, ROOT, Site, changes, until, watched

PRIMARY, OTHER = "us-east-1", "us-west-2"
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "crashes": ({"regional_deploy_env": {"FAULT_CRASH": "1"}}, "it crashes: pod llm-verifier/llm-verifier-"),
    "answers 500": (
        {
            "regional_deploy_env": {"FAULT_STATUS": "500", "FAULT_PATH": "/api/models"},
            "regional_deploy_gate_paths": ["/api/health", "/api/models"],
            "regional_deploy_patience_seconds": 10,
        },
        "the last fault: GET /api/models: HTTP 500",
    ),
    "is never ready": (
        {"regional_deploy_env": {"FAULT_NOT_READY": "1"}, "regional_deploy_deadline_seconds": 15},
        "deadline",
    ),
}
QUICK_FAULT = "answers 500"
"""The others are in `make test-all`."""


def with_fault(variables: dict[str, Any]) -> str:
    """The variables of a run, for `-e`."""
    if "regional_deploy_env" in variables:
        variables = {**variables, "regional_deploy_env": {"FAULT_INJECTION": "1", **variables["regional_deploy_env"]}}
    return json.dumps(variables)


def last_run(site: Site) -> dict[str, Any]:
    """The record of the last deployment."""
    found: dict[str, Any] = json.loads(max((site.state / "runs").glob("deploy-*.json")).read_text())
    return found


@contextmanager
def process_list(values: Collection[str]) -> Iterator[set[str]]:
    """Reads every process's command line all the time; the set holds the programs that showed a value."""
    shown: set[str] = set()
    end = threading.Event()
    wanted = [value.encode() for value in values]

    def watch() -> None:
        while not end.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it ended meanwhile
                    line = path.read_bytes()
                    if any(value in line for value in wanted):
                        shown.add(line.partition(b"\0")[0].decode(errors="replace"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield shown
    finally:
        end.set()
        thread.join()


def test_the_process_list_is_watched() -> None:
    with process_list(["sk-value-that-anybody-may-see"]) as shown:
        subprocess.run(["sh", "-c", "sleep 1; : sk-value-that-anybody-may-see"], check=True)
    assert shown == {"sh"}


@pytest.fixture(name="restored")
def fixture_restored(site: Site) -> Iterator[None]:
    """Deploys what the site had, whatever the test left."""
    yield
    site.play("playbooks/70_secrets.yml")
    site.play("playbooks/80_deploy.yml")


@pytest.mark.parametrize("fault", [QUICK_FAULT, *(pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS
                                                  if fault != QUICK_FAULT)])
def test_a_region_that_fails_runs_its_last_good_release_and_never_stops_serving(site: Site, fault: str) -> None:
    variables, said = FAULTS[fault]
    with watched(site.region(OTHER)) as seen:
        output = site.play("playbooks/80_deploy.yml", "--limit", OTHER, "-e", with_fault(variables), check=False)
    assert "failed=1" in output and said in output, output[-4000:]
    assert f"{OTHER}: deploy: " in output and f"next: {'curl' if '500' in fault else 'kubectl'}" in output
    assert last_run(site)["regions"][OTHER]["state"] == "rolled_back"
    assert seen.asked and not seen.bad, seen
    assert set(changes(site.play("playbooks/80_deploy.yml", "--limit", OTHER)).values()) == {0}


def test_no_region_begins_after_the_primary_one_failed(site: Site) -> None:
    variables, _said = FAULTS["is never ready"]
    output = site.play("playbooks/80_deploy.yml", "-e", with_fault(variables), check=False)
    assert all(f"{region} wasn't begun: the primary region {PRIMARY} failed" in output for region in REGIONS[1:])
    states = {region: outcome["state"] for region, outcome in last_run(site)["regions"].items()}
    assert states == {PRIMARY: "rolled_back", **dict.fromkeys(REGIONS[1:], "waiting")}


@pytest.mark.long
def test_a_run_that_is_killed_half_way_is_resumed_by_the_next(site: Site, restored: None) -> None:
    variables = with_fault({"regional_deploy_env": {"LOG_HEALTH": "1"}})
    before = last_run(site)["id"]
    command = ["ansible-playbook", "-i", "inventories/local", "playbooks/80_deploy.yml", *site.variables()]
    words = ["--limit", f"{PRIMARY},{OTHER}", "-e", variables]
    run = subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)

    def begun() -> bool:
        record = last_run(site)
        return record["id"] != before and record["regions"][PRIMARY]["state"] == "started"

    until(begun, 60, "the primary region has begun")
    time.sleep(2)
    os.killpg(run.pid, signal.SIGKILL)
    # Ansible's workers are sessions of their own and would wait for ever.
    subprocess.run(["pkill", "-9", "-f", f"ansible-playbook .*local_instance_name={site.instance.name}"], check=False)
    run.wait()
    assert last_run(site)["regions"][PRIMARY]["state"] == "started"
    output = site.play("playbooks/80_deploy.yml", *words)
    assert f"without an outcome for {PRIMARY}" in output
    states = {region: outcome["state"] for region, outcome in last_run(site)["regions"].items()}
    assert states == {PRIMARY: "passed", OTHER: "passed"}


def vaulted(folder: Path, whole: str, inline: str) -> list[str]:
    """Words that give one value in an encrypted file and another one as an encrypted text in a file."""
    password, file, text = folder / "password", folder / "vault.json", folder / "values.yml"
    password.write_text("a password of a vault")
    file.write_text(json.dumps({"secrets_region_values": {"anthropic-api-key": whole}}))
    run = partial(subprocess.run, cwd=ROOT, check=True, capture_output=True, text=True)
    run(["ansible-vault", "encrypt", "--vault-password-file", str(password), str(file)])
    command = ["ansible-vault", "encrypt_string", "--vault-password-file", str(password), "--stdin-name", "own-key"]
    encrypted = run(command, input=inline).stdout
    text.write_text("secrets_values:\n" + "".join(f"  {line}\n" for line in encrypted.splitlines()))
    assert file.read_text().startswith("$ANSIBLE_VAULT;") and "$ANSIBLE_VAULT;" in text.read_text()
    return ["-e", f"@{file}", "-e", f"@{text}", "--vault-password-file", str(password)]


@pytest.mark.long
def test_a_changed_secret_rolls_the_pods_and_shows_nowhere(
    site: Site, restored: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    template = "jsonpath={.spec.template.metadata.annotations.llm-verifier\\.com/content-digest}"
    show = ["get", "deployment", "llm-verifier", "-n", "llm-verifier", "-o", template]
    before = site.kubectl(OTHER, *show)
    names = ("openai-api-key", "anthropic-api-key", "own-key")
    values = {name: f"sk-value-that-nobody-may-see-{name}" for name in names}
    monkeypatch.setenv("OPENAI_API_KEY", values["openai-api-key"])
    words = ["--limit", OTHER, *vaulted(tmp_path, values["anthropic-api-key"], values["own-key"]), "-vvv", "--diff"]
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in values.items()}
    shown = [*values.values(), *encoded.values()]
    ring = json.loads((site.state / "secrets/jwt-ring.json").read_text())
    keys = [ring["current"], base64.b64encode(ring["current"].encode()).decode()]
    with process_list([*shown, *keys]) as listed:
        output = site.play("playbooks/70_secrets.yml", *words) + site.play("playbooks/80_deploy.yml", *words)
    assert not listed
    assert not [form for form in shown if form in output]
    held = json.loads(site.kubectl(OTHER, "get", "secret", "llm-verifier-secrets", "-n", "llm-verifier", "-o", "json"))
    assert {name: held["data"][name] for name in values} == encoded
    assert before and site.kubectl(OTHER, *show) != before


@pytest.mark.long
def test_the_jwt_key_is_replaced_in_every_region(site: Site) -> None:
    ring = site.state / "secrets/jwt-ring.json"
    before = json.loads(ring.read_text())
    site.play("playbooks/rotate_jwt.yml", timeout=1200)
    after = json.loads(ring.read_text())
    assert after["previous"] == before["current"] != after["current"] and after["phase"] == "steady"
    key = base64.b64encode(after["current"].encode()).decode()
    for region in REGIONS:
        words = ("get", "secret", "llm-verifier-secrets", "-n", "llm-verifier", "-o", "jsonpath={.data.jwt-secret}")
        assert site.kubectl(region, *words) == key
