# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source tells every change once, whatever happens to the files; the sample rulebook acts on it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.extensions.eda.plugins.event_source import decision_log

ROOT = Path(__file__).resolve().parents[3]
RULEBOOK = "1.3.2"


def line(number: int, **more: Any) -> str:
    return json.dumps({"hash": f"h{number}", "previous": f"h{number - 1}", "at": float(number), **more}) + "\n"


def verdict(number: int, region: str, name: str) -> str:
    return line(number, verdicts=[{"subject": region, "verdict": name, "evidence": ["seen"]}])


def told(folder: Path, act: Callable[[], Awaitable[None]], count: int, **more: Any) -> list[dict[str, Any]]:
    """What the source puts into its queue while `act` goes on, until there are `count` events."""

    async def run() -> list[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        paths = [str(folder / "one.jsonl"), str(folder / "two.jsonl")]
        task = asyncio.create_task(decision_log.main(queue, {"paths": paths, "interval": 0.01, **more}))
        await asyncio.sleep(0.1)
        await act()
        found = [await asyncio.wait_for(queue.get(), 20) for _event in range(count)]
        await asyncio.sleep(0.1)
        task.cancel()
        assert queue.empty()
        return found

    return asyncio.run(run())


def test_each_change_is_told_once_though_two_logs_hold_it(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(verdict(1, "us-east-1", "ERRORS"))

    async def act() -> None:
        for name in ("one.jsonl", "two.jsonl"):
            with (tmp_path / name).open("a") as log:
                log.write(verdict(2, "eu-west-1", "REGION_DOWN") + verdict(3, "eu-west-1", "REGION_DOWN") + line(4))

    found = [event["verdict_change"] for event in told(tmp_path, act, 2)]
    assert [(item["region"], item["before"], item["after"]) for item in found] == [
        ("eu-west-1", "OK", "REGION_DOWN"),
        ("eu-west-1", "REGION_DOWN", "OK"),
    ]
    assert found[0]["evidence"] == ["seen"] and found[0]["hash"] == "h2"


def test_moves_and_orders_are_told(tmp_path: Path) -> None:
    change = {"region": "eu-west-1", "before": "HEALTHY", "after": "EVICTED"}
    order = {"kind": "drain", "region": "eu-west-1", "by": "anna", "reason": "work"}
    (tmp_path / "one.jsonl").write_text(line(1, changes=[change], orders=[order]) + line(2, lifted=[order]))

    async def act() -> None:
        pass

    moved, given, lifted = told(tmp_path, act, 3, from_start=True)
    assert moved["region_change"]["after"] == "EVICTED"
    assert (given["order_change"]["kind"], given["order_change"]["order"]) == ("given", "drain")
    assert lifted["order_change"]["kind"] == "lifted"


def test_nothing_is_lost_by_rotation_halves_of_lines_and_rubbish(tmp_path: Path) -> None:
    log = tmp_path / "one.jsonl"
    log.write_text("")

    async def act() -> None:
        for number in range(1, 21):
            text = verdict(number, f"r{number}", "ERRORS")
            with log.open("a") as opened:
                opened.write(text[:10])
            await asyncio.sleep(0.005)
            with log.open("a") as opened:
                opened.write(text[10:])
            if number % 3 == 0:
                os.replace(log, tmp_path / f"one-{number}.jsonl")
            if number % 5 == 0:
                with log.open("a") as opened:
                    opened.write("rubbish\n[]\n")

    # Every entry names one sick region alone, so that the one before is told as well again.
    found = [event["verdict_change"] for event in told(tmp_path, act, 39)]
    assert [item["region"] for item in found if item["after"] == "ERRORS"] == [f"r{number}" for number in range(1, 21)]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="paths"):
        asyncio.run(decision_log.main(asyncio.Queue(), {}))


@pytest.mark.long
def test_the_sample_rulebook_acts(tmp_path: Path) -> None:
    """With the real ansible-rulebook, in an environment of its own."""
    if not shutil.which("java"):
        pytest.skip("ansible-rulebook needs Java: run scripts/setup.sh --dev")
    home = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier")) / f"rulebook-{RULEBOOK}"
    if not (home / "bin/ansible-rulebook").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        packages = [f"ansible-rulebook=={RULEBOOK}", "ansible-runner", "ansible-core"]
        subprocess.run([home / "bin/pip", "install", "--quiet", *packages], check=True, timeout=600)
    log = tmp_path / "decisions.jsonl"
    log.write_text("")
    (tmp_path / "vars.yml").write_text(json.dumps({"decision_logs": [str(log)]}))
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    command: list[str | Path] = [
        home / "bin/ansible-rulebook", "-i", tmp_path / "hosts", "-r", ROOT / "extensions/eda/rulebooks/verdicts.yml",
        "-S", ROOT / "extensions/eda/plugins/event_source", "--vars", tmp_path / "vars.yml",
    ]  # fmt: skip
    environment = {**os.environ, "PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    said = tmp_path / "said"
    with said.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=tmp_path)
        try:
            until, number = time.monotonic() + 120, 0
            while "eu-west-1 is REGION_DOWN" not in said.read_text() and time.monotonic() < until:
                assert running.poll() is None, said.read_text()
                number += 2
                with log.open("a") as opened:
                    opened.write(line(number) + verdict(number + 1, "eu-west-1", "REGION_DOWN"))
                time.sleep(2)
        finally:
            running.terminate()
            running.wait(30)
    assert "eu-west-1 is REGION_DOWN: ['seen']" in said.read_text()
