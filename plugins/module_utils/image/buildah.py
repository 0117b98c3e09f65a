# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""buildah, on the path or in a Debian tree that stays as it is."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from .engine import Job, Progress, checked, run, valid_digest
from .registry import Registry

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
# The tree, read-only, with mounts that end with the command. $1 tree, $2 work folder, $3 context.
ENTER = r"""
set -eu
tree=$1 work=$2 context=$3; shift 3
mount --bind "$tree" "$tree"
mount -o remount,ro,bind "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
for path in run tmp mnt var/lib; do mount -t tmpfs -o mode=1777 tmpfs "$tree/$path"; done
mkdir -p "$tree/mnt/work" "$tree/mnt/context" "$work/cache" "$tree/var/lib/containers"
mount --bind "$work" "$tree/mnt/work"
mount --bind "$work/cache" "$tree/var/lib/containers"
mount --bind "$context" "$tree/mnt/context"
for file in /etc/resolv.conf /etc/hosts; do
  if [ -f "$file" ] && [ -f "$tree$file" ]; then mount --bind "$file" "$tree$file"; fi
done
exec chroot "$tree" "$@"
"""


class Buildah:
    """buildah with its storage below ``folder``; ``tree`` is the Debian tree to run it in, empty for the path's own."""

    def __init__(self, folder: str, tree: str = "") -> None:
        self._folder, self._tree = folder, tree
        self._work = "/mnt/work" if tree else folder
        os.makedirs(os.path.join(folder, "tmp"), mode=0o700, exist_ok=True)

    def _buildah(self, context: str, *arguments: str, proxies: bool = True) -> subprocess.CompletedProcess[str]:
        """Run buildah; ``context`` is the folder that it sees as self._context(context)."""
        argv = ["buildah", "--root", f"{self._work}/storage", "--runroot", "/run/llm-verifier-buildah",
                "--storage-driver", "overlay", *arguments]
        if self._tree:
            argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c",
                    ENTER, "enter", self._tree, self._folder, context, *argv]
        environment = {name: value for name, value in os.environ.items() if proxies or name.lower() not in PROXIES}
        return run(argv, {**environment, "TMPDIR": f"{self._work}/tmp", "HOME": f"{self._work}/tmp"})

    def _context(self, folder: str) -> str:
        return "/mnt/context" if self._tree else folder

    @staticmethod
    def _local(job: Job, arch: str = "") -> str:
        return f"localhost/{job.name}:{job.key}" + (f"-{arch}" if arch else "")

    def has(self, job: Job) -> bool:
        done = self._buildah(job.context, "manifest", "inspect", self._local(job))
        if done.returncode:
            return False
        found = {entry["platform"]["architecture"] for entry in json.loads(done.stdout).get("manifests", [])}
        return found == set(job.architectures)

    def build(self, job: Job, registry: Registry, progress: Progress) -> None:
        for arch in job.architectures:
            base = job.base_image or self._base(job, arch, progress)
            progress(f"building {job.name} for linux/{arch}")
            with self._access(registry, job.base_image.startswith(f"{registry.host}/")) as options:
                self._bud(job.context, job.containerfile, arch, self._local(job, arch), *options,
                          *[f"--build-arg={name}={text}" for name, text in {**job.arguments, "BASE": base}.items()])
        self._buildah(job.context, "manifest", "rm", self._local(job))
        members = [self._local(job, arch) for arch in job.architectures]
        checked("buildah manifest create", self._buildah(job.context, "manifest", "create", self._local(job), *members))

    def _base(self, job: Job, arch: str, progress: Progress) -> str:
        """Import the Debian base of ``arch`` unless it is there, and return its name."""
        name = f"localhost/llm-verifier-base:{job.base_key}-{arch}"
        if self._buildah(job.context, "inspect", "--type", "image", name).returncode:
            progress(f"making the Debian base for linux/{arch}")
            self._bud(job.base_context(arch), "Containerfile", arch, name)
        return name

    def _bud(self, context: str, containerfile: str, arch: str, tag: str, *options: str) -> None:
        inside = self._context(context)
        done = self._buildah(
            context, "bud", "--isolation", "chroot", "--platform", f"linux/{arch}", "--timestamp", "0",
            "--format", "oci", *options, "--file", f"{inside}/{containerfile}", "--tag", tag, inside)
        checked(f"building {tag}", done)

    def push(self, job: Job, registry: Registry, name: str, progress: Progress) -> str:
        progress(f"pushing {registry.host}/{name}")
        report = os.path.join(self._folder, "digest")
        with self._access(registry) as options:
            done = self._buildah(job.context, "manifest", "push", "--all", *options, "--digestfile",
                                 f"{self._work}/digest", self._local(job), f"docker://{registry.host}/{name}:{job.key}",
                                 proxies=not registry.insecure)
        checked(f"pushing {registry.host}/{name}", done)
        with open(report, encoding="ascii") as handle:
            digest = handle.read().strip()
        os.unlink(report)
        return valid_digest(digest)

    @contextmanager
    def _access(self, registry: Registry, needed: bool = True) -> Iterator[list[str]]:
        """Give the options for a registry; what is secret is in a file of root alone, and gone afterwards."""
        if not needed:
            yield []
            return
        with tempfile.TemporaryDirectory(dir=os.path.join(self._folder, "tmp")) as folder:
            inside = f"{self._work}/tmp/{os.path.basename(folder)}"
            options = [f"--tls-verify={'false' if registry.insecure else 'true'}"]
            if registry.username:
                _write_private(os.path.join(folder, "auth.json"), _authentication(registry))
                options += ["--authfile", f"{inside}/auth.json"]
            if registry.ca_file:
                shutil.copyfile(registry.ca_file, os.path.join(folder, "ca.crt"))
                options += ["--cert-dir", inside]
            yield options


def _authentication(registry: Registry) -> str:
    pair = base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()
    return json.dumps({"auths": {registry.host: {"auth": pair}}})


def _write_private(path: str, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
