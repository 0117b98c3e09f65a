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


_DOCKER = Tool(
    "docker", ("--version",), (20, 10),
    "apt-get install buildah, or https://docs.docker.com/engine/install/, or name an image that exists with image_ref",
)
_BUILDX = Tool("docker", ("buildx", "version"), (0, 0), "https://docs.docker.com/build/install-buildx/")


def missing_tools(providers: Iterable[str]) -> list[str]:
    """Every command that these providers need and that isn't there or is too old, each with what mends it."""
    users: dict[Tool, list[str]] = {}
    for provider in sorted(set(providers)):
        for tool in PROVIDER_TOOLS.get(provider, ()):
            users.setdefault(tool, []).append(provider)
    found = [_fault(tool, f"regions of {', '.join(names)}") for tool, names in users.items()]
    return [line for line in found if line]


def missing_image_tools() -> list[str]:
    """What the path lacks to build an image: buildah or, without it, docker with buildx; each with what mends it."""
    if shutil.which("buildah"):
        return []
    docker = _fault(_DOCKER, "building the image")
    return [line for line in (docker, "" if docker else _fault(_BUILDX, "building the image")) if line]


def _fault(tool: Tool, users: str) -> str:
    wanted = ".".join(map(str, tool.minimum))
    if not shutil.which(tool.command):
        return f"{tool.command} is not there, needed for {users}: {tool.mend}"
    words = [tool.command, *tool.arguments]
    try:
        said = run(words, timeout=30).stdout
    except LocalError as error:
        return f"`{' '.join(words)}` doesn't work, needed for {users}: {error}; {tool.mend}"
    found = _VERSION.search(said)
    if (found and (int(found[1]), int(found[2])) >= tool.minimum) or tool.minimum == (0, 0):
        return ""
    version = found[0] if found else "of an unknown version"
    return f"{tool.command} is {version}, {wanted} or newer is needed for {users}: {tool.mend}"
