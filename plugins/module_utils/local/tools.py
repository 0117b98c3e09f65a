# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider's regions need of the control host's path: a table, and what is missing of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from .commands import run
from .instance import LocalError

_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """A command, what makes it print its version, the oldest (major, minor) that will do, and what gets it."""

    command: str
    arguments: tuple[str, ...]
    minimum: tuple[int, int]
    mend: str


_KUBECTL = Tool(
    "kubectl", ("version", "--client"), (1, 24),
    "https://kubernetes.io/docs/tasks/tools/, or PATH=$PATH:<local_state_dir>/opt/kubernetes",
)

PROVIDER_TOOLS: dict[str, tuple[Tool, ...]] = {
    "local": (),
    "aws": (_KUBECTL, Tool("aws", ("--version",), (2, 0), "https://docs.aws.amazon.com/cli/ (version 2)")),
    "gcp": (
        _KUBECTL,
        Tool("gcloud", ("version",), (400, 0), "https://cloud.google.com/sdk/docs/install"),
        Tool("gke-gcloud-auth-plugin", ("--version",), (0, 0), "gcloud components install gke-gcloud-auth-plugin"),
    ),
    "azure": (_KUBECTL, Tool("az", ("version",), (2, 40), "https://learn.microsoft.com/cli/azure/install-azure-cli")),
}
"""Provider of a region to the commands that its path uses. kubectl 1.24 is the guide's; Helm isn't used."""


def missing_tools(providers: Iterable[str]) -> list[str]:
    """Every command that these providers need and that isn't there or is too old, each with what mends it."""
    users: dict[Tool, list[str]] = {}
    for provider in sorted(set(providers)):
        for tool in PROVIDER_TOOLS.get(provider, ()):
            users.setdefault(tool, []).append(provider)
    return [line for tool, names in users.items() if (line := _fault(tool, ", ".join(names)))]


def _fault(tool: Tool, users: str) -> str:
    wanted = ".".join(map(str, tool.minimum))
    if not shutil.which(tool.command):
        return f"{tool.command} is not there, which regions of {users} need: {tool.mend}"
    try:
        said = run([tool.command, *tool.arguments], timeout=30).stdout
    except LocalError as error:
        return f"{tool.command} doesn't work: {error}"
    found = _VERSION.search(said)
    if (found and (int(found[1]), int(found[2])) >= tool.minimum) or tool.minimum == (0, 0):
        return ""
    version = found[0] if found else "of an unknown version"
    return f"{tool.command} is {version}, regions of {users} need {wanted} or newer: {tool.mend}"
