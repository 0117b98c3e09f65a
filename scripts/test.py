#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the stages of tests one after another, with the time and result of each: `scripts/test.py [--all] [stage …]`.

Steps of a stage that leave the machine alone share its processors; what they say is shown when each has ended.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = min(4, os.cpu_count() or 1)
PYTEST = [sys.executable, "-m", "pytest", "--durations=5"]
SPREAD = ["-n", str(WORKERS + 1), "--dist", "loadfile"]  # they wait more than they compute
LONGEST, MOST = 300, 30  # characters and lines of a step's failures that the summary repeats
COVERAGE = ["--cov=plugins", "--cov-report=term:skip-covered"]


@dataclass(frozen=True)
class Step:
    """One command of a stage. Without pytest's own count it counts as one test."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Stage:
    """Steps that are given at most `minutes` together, several at a time where they are `parallel`."""

    name: str
    minutes: float
    steps: list[Step] = field(default_factory=list)
    parallel: bool = False


@dataclass
class Result:
    """What a step gave: counts of tests, seconds, and a line for each that failed."""

    stage: str
    step: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


def stages(everything: bool) -> list[Stage]:
    """Return the stages in order."""
    marks = [] if everything else ["-m", "not long"]
    return [
        Stage("build", 30, [Step("programs", ["ansible-playbook", "playbooks/programs.yml"])]),
        Stage("static", 12, [
            Step("sanity", ["scripts/sanity.sh"]),
            Step("ansible-lint", ["ansible-lint", "--strict"]),
            Step("ruff", ["ruff", "check", "."]),
            Step("mypy", ["mypy"]),
            Step("yamllint", ["yamllint", "--strict", "."]),
            Step("changelog", ["antsibull-changelog", "lint"]),
        ], parallel=True),
        Stage("unit", 20, [
            Step("pytest", [*PYTEST, *SPREAD, *COVERAGE, *marks, "tests/unit", "tests/meta"]),
            Step("routing", [sys.executable, "-m", "coverage", "report", "--include=*/module_utils/routing/*",
                             "--fail-under=100", "--show-missing"]),
            Step("conformance", [*PYTEST, *SPREAD, *marks, "tests/conformance"]),
        ]),
        Stage("molecule", 25, [Step("pytest", [*PYTEST, *marks, "tests/molecule"])]),
        Stage("e2e", 55, [Step("pytest", [*PYTEST, *marks, "tests/integration"])]),
    ]


def counts(output: str) -> dict[str, int]:
    """Read pytest's closing line: {"passed": 3, …}; empty when there is none."""
    for line in reversed(output.splitlines()):
        found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", line)}
        if found and " in " in line:
            return found
    return {}


def failures(lines: Iterable[str]) -> list[str]:
    """Of what pytest says, how errors read and which tests failed; each line shortened."""
    return [line.rstrip()[:LONGEST] for line in lines if line.startswith(("E   ", "FAILED ", "ERROR "))][-MOST:]


def run_step(stage: Stage, step: Step, left: float, say: Callable[[str], None]) -> Result:
    """Run one step for at most `left` seconds; what it says is handed to `say` line by line."""
    say(f"\n=== {stage.name}: {' '.join(step.command)}\n")
    started, lines = time.monotonic(), []
    process = subprocess.Popen(["timeout", "--kill-after=60", f"{max(left, 1):.0f}", *step.command], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert process.stdout is not None
    for line in process.stdout:
        say(line)
        lines.append(line)
    status = process.wait()
    result = Result(stage.name, step.name, seconds=time.monotonic() - started)
    if status == 124:
        say(f"{stage.name} {step.name}: ended after {left:.0f} s, the stage's limit\n")
    found = counts("".join(lines)) if "pytest" in step.command else {}
    result.passed, result.skipped = found.get("passed", 0), found.get("skipped", 0)
    result.failed = found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0)
    if not found:
        result.passed, result.failed = (1, 0) if status == 0 else (0, 1)
    elif status != 0:
        result.failed = max(result.failed, 1)
    if result.failed:
        result.failures = failures(lines) or [f"{stage.name} {step.name}: exit status {status}"]
    return result


def show(text: str) -> None:
    """Print at once."""
    print(text, end="", flush=True)


def run_stage(stage: Stage, everything: bool) -> list[Result]:
    """Run a stage's steps: one after another as they go, or several at a time and each shown when it has ended."""
    until = time.monotonic() + stage.minutes * 60 * (4 if everything else 1)
    if not stage.parallel:
        return [run_step(stage, step, until - time.monotonic(), show) for step in stage.steps]

    def quietly(step: Step) -> Result:
        said: list[str] = []
        result = run_step(stage, step, until - time.monotonic(), said.append)
        show("".join(said))
        return result

    print(f"\n=== {stage.name}: {', '.join(step.name for step in stage.steps)}, {WORKERS} at a time", flush=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(quietly, stage.steps))


def grouped(output: str) -> list[str]:
    """Of a list of tests, as pytest collects them: one line a function, with how many cases it has."""
    cases = Counter(line.partition("[")[0] for line in output.splitlines() if re.match(r"\S+\.py::\w", line))
    return [f"{name} ({number} cases)" if number > 1 else name for name, number in cases.items()]


def left_out() -> list[str]:
    """The tests that only `--all` runs."""
    folders = dict.fromkeys(word for stage in stages(False) for step in stage.steps for word in step.command
                            if word.startswith("tests/"))
    collect = [*PYTEST, "-o", "addopts=--import-mode=importlib", "-q", "--collect-only", "-m", "long", *folders]
    done = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True, check=False)
    return grouped(done.stdout) or [f"which, pytest can't tell: {done.stderr.strip()[-300:]}"]


def summary(results: list[Result], everything: bool, seconds: float) -> int:
    """Print what each step gave and the closing line; return the exit status."""
    print("\n=== summary")
    for result in results:
        verdict = "FAILED" if result.failed else "ok"
        print(f"{result.stage:<10}{result.step:<14}{verdict:<8}{result.passed:>5} passed {result.failed:>3} failed "
              f"{result.skipped:>3} skipped {result.seconds:>8.1f} s")
    print(f"{'all':<32}{seconds:>43.1f} s")
    if not everything:
        print("left out (make test-all):", *left_out(), sep="\n  ")
    for result in results:
        if result.failures:
            print(f"failed in {result.stage} {result.step}:", *result.failures, sep="\n  ")
    passed, failed, skipped = (sum(getattr(r, name) for r in results) for name in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


def main() -> int:
    """Run what the command line names, all stages by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also what takes longer")
    parser.add_argument("stages", nargs="*")
    options = parser.parse_args()
    known = stages(options.all)
    unknown = set(options.stages) - {stage.name for stage in known}
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}: there are {', '.join(stage.name for stage in known)}")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    started = time.monotonic()
    results = [result for stage in known if not options.stages or stage.name in options.stages
               for result in run_stage(stage, options.all)]
    return summary(results, options.all, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
