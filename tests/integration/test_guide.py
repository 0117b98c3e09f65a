# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of the guide either runs as printed against the site or is listed with the reason why not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
import urllib.request
from pathlib import Path

import pytest

from .conftest import Site

ROOT = Path(__file__).resolve().parents[2]
IN_A_CLIENT = ("dig", "nslookup", "curl")


def blocks() -> list[str]:
    """Return the guide's command blocks."""
    text = (ROOT / "docs/guide.md").read_text()
    return [textwrap.dedent(block) for block in re.findall(r"^[ ]*```bash\n(.*?)^[ ]*```", text, re.S | re.M)]


def commands(block: str) -> list[str]:
    """Return a block's commands: continued lines and loops are one."""
    joined = re.sub(r"\\\n\s*", "", block)
    found: list[str] = []
    inside = False
    for line in joined.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if inside:
            found[-1] += "\n" + line
            inside = line.strip() != "done"
        else:
            found.append(line.strip())
            inside = line.startswith("for ")
    return found


def differences() -> list[str]:
    """Return the beginnings of the commands that differ."""
    text = (ROOT / "docs/guide-differences.md").read_text()
    return re.findall(r"^\| `([^`]+)` \| .+ \| .+ \|$", text, re.M)


ALL = [command for block in blocks() for command in commands(block)]
# In the guide's order and as often as it says them: a later command counts on the context chosen before.
AS_PRINTED = [command for command in ALL if not any(command.startswith(start) for start in differences())]


def test_the_guide_has_commands_and_each_difference_is_one_of_them() -> None:
    assert len(ALL) > 25 and len(AS_PRINTED) >= 8
    stale = [start for start in differences() if not any(command.startswith(start) for command in ALL)]
    assert not stale


@pytest.fixture(name="kubeconfig", scope="module")
def fixture_kubeconfig(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the merged kubeconfig: the guide changes its current context."""
    copy = tmp_path_factory.mktemp("guide") / "kubeconfig"
    shutil.copy(site.state / "kubeconfig", copy)
    copy.chmod(0o600)
    return copy


def forwarded(command: str, environment: dict[str, str]) -> str:
    """What answers at the port that a command forwards until it is ended."""
    process = subprocess.Popen(["bash", "-ec", f"exec {command}"], env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)  # fmt: skip
    assert process.stdout
    try:
        said = process.stdout.readline()
        found = re.match(r"Forwarding from (127\.0\.0\.1:\d+)", said)
        assert found, said + process.stdout.read()
        with urllib.request.urlopen(f"http://{found[1]}/", timeout=10) as answer:
            return str(answer.read().decode())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("command", AS_PRINTED, ids=lambda command: re.sub(r"\W+", "-", command)[:50])
def test_a_command_runs_as_printed(site: Site, kubeconfig: Path, command: str) -> None:
    command = command.replace("<global-lb-ip>", f"{site.instance.prefix}.201.10")
    if command.split()[0] in IN_A_CLIENT:
        output = site.run("client-eu", "sh", "-c", command)
    else:
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig),
                       "PATH": f"{site.state}/opt/kubernetes:{os.environ['PATH']}"}
        if command.startswith("kubectl port-forward"):
            output = forwarded(command, environment)
        else:
            done = subprocess.run(["bash", "-ec", command], env=environment, capture_output=True, text=True,
                                  check=False, timeout=90)  # fmt: skip
            assert done.returncode == 0, done.stderr
            output = done.stdout
    assert output.strip(), "nothing came of it"
