# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every Molecule scenario on one shared instance of the local provider, made from nothing and taken away at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.clean import clean
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.tests.machine import changed, machine_wide

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "extensions/molecule"
NAME, STATE = "llmm", Path("/var/lib/llm-verifier/llmm")
INSTANCE = Instance(NAME, os.environ.get("LLM_VERIFIER_MOLECULE_PREFIX", "10.79"), STATE,
                    Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier")))
# In the order of the site, so that each scenario makes what the next one builds on.
ORDER = ("validate", "local_machine", "resolver", "support_services", "image_build", "region_cluster", "dns",
         "certificates", "secrets", "regional_deploy", "monitoring", "global_lb", "routing", "verify", "check_mode")
SECONDS = 420.0
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
DULL = ("PLAY [Role", "included: ", "[WARNING]")
BAD = ("[ERROR]", "fatal:", "failed:", "CRITICAL", "ERROR")
Molecule = Callable[..., tuple[int, str]]


def run(words: list[str], environment: dict[str, str], seconds: float) -> tuple[int, str]:
    """Run Molecule in a process group of its own, ended after some seconds; its exit status and all that it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "molecule", *words], cwd=ROOT, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )
    try:
        said = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0] + f"\nended after {seconds:.0f} s"
    return process.returncode, COLOURS.sub("", said)


def worth_reading(said: str) -> str:
    """What a failed run said from the first failure on, without lines that only count."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(DULL)]
    first = next((at for at, line in enumerate(lines) if line.startswith(BAD)), 0)
    lines = lines[max(first - 3, 0):]
    return "\n".join(lines if len(lines) <= 160 else [*lines[:80], "…", *lines[-80:]])


def leftovers() -> list[str]:
    """What of the instance is still on this machine."""
    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    found = [line for command in (("ip", "netns"), ("ip", "-o", "link"), ("ip", "route"))
             for line in lines(*command) if re.search(rf"\b{NAME}-", line)]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if f"{STATE}/" in line]
    found += [line for line in lines("ps", "-eo", "args") if f"{STATE}/nodes" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{NAME}") if path.is_dir()]
    return found + ([str(STATE)] if STATE.exists() else [])


@pytest.fixture(name="molecule", scope="module")
def fixture_molecule(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Molecule]:
    """Runs Molecule; the shared instance is gone before the first scenario and after the last one, come what may."""
    if os.geteuid() != 0:
        pytest.skip("nodes are namespaces and mounts: run `sudo make test`")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
    environment = {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path_factory.mktemp("molecule")),
        "MOLECULE_COMMAND_BORDERS": "0",
        "MOLECULE_REPORT": "0",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }

    def molecule(*words: str, seconds: float = SECONDS) -> tuple[int, str]:
        return run(list(words), environment, seconds)

    # Of an earlier run nothing is taken over.
    clean(INSTANCE, check=False)
    before = machine_wide(INSTANCE.cache_dir)
    yield molecule
    status, said = molecule("destroy", "--scenario-name", "default")
    assert status == 0, worth_reading(said)
    assert not leftovers() + changed(before, INSTANCE)


@pytest.fixture(name="broken", scope="module")
def fixture_broken() -> set[str]:
    """Scenarios that failed so far."""
    return set()


def test_every_role_has_its_scenario() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir()}
    scenarios = {path.parent.name for path in SCENARIOS.glob("*/molecule.yml")}
    assert roles <= scenarios
    assert scenarios == {"default", *ORDER}


@pytest.mark.parametrize("scenario", ORDER)
def test_scenario(scenario: str, molecule: Molecule, broken: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    needs = yaml.safe_load((SCENARIOS / scenario / "vars.yml").read_text()).get("scenario_needs", [])
    lost = [name for name in ORDER if name in broken & set(needs)]
    if lost:
        pytest.fail(f"not run: it needs {', '.join(lost)}, which failed", pytrace=False)
    started = time.monotonic()
    status, said = molecule("test", "--scenario-name", scenario, "--destroy", "never")
    verdict, seconds = "ok" if status == 0 else "FAILED", time.monotonic() - started
    with capsys.disabled():
        print(f"\n{scenario:<18}{verdict:<7}{seconds:6.1f} s ", end="", flush=True)
    if status != 0:
        broken.add(scenario)
        pytest.fail(f"molecule test --scenario-name {scenario}\n{worth_reading(said)}", pytrace=False)
