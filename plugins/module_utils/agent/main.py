# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's commands: `serve` runs it, the others are what playbooks ask of an edge. JSON in, JSON out."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..providers.interface import BackendError
from ..routing.errors import RoutingError
from . import commands
from .disk import BusyError
from .journal import JournalError
from .peer import PeerError
from .service import Service, say
from .settings import Settings, SettingsError
from .store import ElsewhereError, StateError

SETTINGS = Path("/node/etc/routing/agent.json")
REFUSED = 3
"""Exit status of a command that was refused with a reason."""

ERRORS = (
    RoutingError, BackendError, SettingsError, StateError, BusyError, JournalError, PeerError, OSError, ValueError,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="routing-agent", description=__doc__)
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("command", choices=["serve", *sorted(commands.COMMANDS)])
    options = parser.parse_args(argv)
    try:
        settings = Settings.load(options.settings)
        if options.command == "serve":
            return serve(settings)
        text = "" if sys.stdin.isatty() else sys.stdin.read()
        answer = commands.COMMANDS[options.command](settings, json.loads(text or "{}"))
    except ElsewhereError as error:
        answer_with({"error": str(error), "active": error.active})
        return REFUSED
    except ERRORS as error:
        return _refused(options.command, str(error) or type(error).__name__)
    answer_with(answer)
    return 0


def answer_with(answer: object) -> None:
    """Write one line of JSON, which is what whoever runs the command reads."""
    sys.stdout.write(json.dumps(answer) + "\n")


def serve(settings: Settings) -> int:
    """Run the agent until it is told to end."""
    service = Service(settings)

    def end(_signal: int, _frame: Any) -> None:
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    say(f"the routing agent of {settings.edge} begins")
    service.serve()
    return 0


def _refused(command: str, text: str) -> int:
    if command == "serve":
        say(text)
    else:
        answer_with({"error": text})
    return REFUSED
