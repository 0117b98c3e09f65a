# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking everything at once, in bounded time whatever is down, and keeping the answers."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ...durable import write_atomically
from ...local.commands import run
from ...local.instance import Instance, LocalError
from ...local.node import Node
from .plan import API, Question
from .redact import redacted, values

AT_ONCE = 8
MOST_BYTES = 4_000_000
"""Of one answer; of a longer one the end is kept, where what happened last stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question: output and errors. `trouble` says why there is no answer or none to rely on."""

    text: str = ""
    errors: str = ""
    trouble: str = ""
    seconds: float = 0.0
    quiet: bool = False


def ask_all(
    instance: Instance, questions: Iterable[Question], secrets: Iterable[str], deadline: float
) -> dict[str, Answer]:
    """The answers by file, without the secrets. Ends within `deadline` (seconds) and the time of one question."""
    hidden, end = set(secrets), time.monotonic() + deadline
    asked = list(questions)
    dead: dict[str, str] = {}

    def answer(question: Question) -> Answer:
        left = end - time.monotonic()
        reason = dead.get(question.region) or ("" if left > 0.5 else f"not asked: {deadline:.0f} s were over")
        if reason:
            return Answer(trouble=reason, quiet=question.quiet)
        return _answer(instance, question, min(question.seconds, left), hidden)

    first = [question for question in asked if question.file == API.format(question.region)]
    found: dict[str, Answer] = {}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for question, said in zip(first, pool.map(answer, first), strict=True):
            found[question.file] = said
            if said.trouble:
                dead[question.region] = "not asked: the region's API doesn't answer"
        rest = [question for question in asked if question.file not in found]
        found |= {question.file: said for question, said in zip(rest, pool.map(answer, rest), strict=True)}
    return {question.file: found[question.file] for question in asked}


def _answer(instance: Instance, question: Question, seconds: float, hidden: set[str]) -> Answer:
    began = time.monotonic()
    try:
        # The node's own `timeout` ends the program itself; ours would only end the way to it.
        start = [*Node(instance, question.node).enter(), "timeout", "-k1", f"{seconds:.1f}"] if question.node else []
        done = run([*start, *question.argv], stdin=question.stdin, check=False, timeout=seconds + 2)
        text, errors = done.stdout, done.stderr
        trouble = _trouble(done.returncode, errors or text, seconds)
    except LocalError as error:
        text, errors, trouble = "", "", str(error)
    clean = [redacted(said[-MOST_BYTES:], hidden) for said in (text, errors, trouble)]
    return Answer(text=clean[0], errors=clean[1], trouble=clean[2], quiet=question.quiet,
                  seconds=time.monotonic() - began)  # fmt: skip


def _trouble(status: int, said: str, seconds: float) -> str:
    if status == 0:
        return ""
    if status in (124, 137):
        return f"no answer within {seconds:.0f} s"
    last = (said.strip().splitlines() or ["nothing said"])[-1]
    return f"exit {status}: {last[-300:]}"


def secrets_of(patterns: Iterable[str]) -> set[str]:
    """Values of all files that hold secrets, so that none of them is in a bundle whoever printed it."""
    paths = [Path(path) for pattern in patterns for path in glob(pattern, recursive=True)]
    return {value for path in paths if path.is_file() for value in values(path.read_text(errors="replace"))}


def files(answers: Mapping[str, Answer]) -> dict[str, str]:
    """What a bundle holds of the answers, and a list of all of them."""
    told = {file: "\n".join(filter(None, (item.text, item.errors))) for file, item in answers.items()}
    listed = [f"{item.seconds:6.1f} s  {file}  {item.trouble}".rstrip() for file, item in answers.items()]
    return {**{file: text for file, text in told.items() if text}, "questions.txt": "\n".join([*listed, ""])}


def keep(folder: Path, name: str, files: Mapping[str, str], now: float) -> Path:
    """Write a bundle that only its owner reads; returns where."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in sorted(files.items()):
            member = tarfile.TarInfo(f"{name}/{path}")
            content = text.encode(errors="replace")
            member.size, member.mode, member.mtime = len(content), 0o600, int(now)
            archive.addfile(member, io.BytesIO(content))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    where = folder / f"{name}.tar.gz"
    write_atomically(where, packed.getvalue(), 0o600)
    return where
