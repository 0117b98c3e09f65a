# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docker buildx: builds every architecture and pushes in one go. Who may push is up to ``docker login``."""

from __future__ import annotations

import json
import os
import tempfile

from .engine import Job, Progress, checked, run, valid_digest
from .plan import ImageError
from .registry import Registry


class Buildx:
    """docker buildx of the path."""

    def has(self, job: Job) -> bool:
        return False

    def build(self, job: Job, registry: Registry, progress: Progress) -> None:
        """Do nothing: the push builds."""

    def push(self, job: Job, registry: Registry, name: str, progress: Progress) -> str:
        base = job.base_image
        if not base:
            base = f"{registry.host}/{name}-base:{job.base_key}"
            for arch in job.architectures:
                progress(f"making the Debian base for linux/{arch}")
                folder = job.base_context(arch)
            self._build(job, folder, "Containerfile", base, {})
        progress(f"building and pushing {registry.host}/{name}")
        return self._build(job, job.context, job.containerfile, f"{registry.host}/{name}:{job.key}",
                           {**job.arguments, "BASE": base})

    def _build(self, job: Job, context: str, containerfile: str, target: str, arguments: dict[str, str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "metadata.json")
            platforms = ",".join(f"linux/{arch}" for arch in job.architectures)
            argv = ["docker", "buildx", "build", "--platform", platforms, "--provenance=false", "--sbom=false",
                    "--push", "--metadata-file", report, "--tag", target,
                    "--file", os.path.join(context, containerfile),
                    *[f"--build-arg={name}={value}" for name, value in sorted(arguments.items())], context]
            checked(f"docker buildx build of {target}", run(argv, {**os.environ, "SOURCE_DATE_EPOCH": "0"}))
            try:
                with open(report, encoding="utf-8") as handle:
                    return valid_digest(str(json.load(handle).get("containerimage.digest", "")))
            except (OSError, ValueError) as error:
                raise ImageError(f"docker buildx left no metadata of {target}: {error}") from error
