# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a registry to hold the image that a context describes, or finds the digest of one."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..local.tools import missing_image_tools
from . import context, debian, libraries, plan
from .buildah import Buildah
from .buildx import Buildx
from .engine import Engine, Job, Progress, emulation_problem
from .plan import Base, ImageError
from .registry import Registry


@dataclass(frozen=True)
class Wish:
    """What the caller wants: an image built from ``context``, or ``image_ref`` as it is."""

    image_ref: str
    registry: Registry | None
    name: str
    context: str
    containerfile: str
    arguments: Mapping[str, str]
    base: Base
    platforms: tuple[str, ...]
    cache_dir: str = ""
    tree: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """An image in a registry; ``digest`` empty when it isn't there."""

    repository: str
    key: str
    digest: str
    platforms: tuple[str, ...] = ()
    built: bool = False
    changed: bool = False

    @property
    def image(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else ""


def wish(parameters: Mapping[str, Any]) -> Wish:
    """Return the wish that a module's parameters express."""
    host = parameters["registry"] or ""
    if not host and not parameters["image_ref"]:
        raise ImageError("either registry or image_ref is needed")
    folder = os.path.realpath(parameters["context"] or ".")
    base = Base(parameters["base_image"], parameters["base_suite"], tuple(parameters["base_packages"]),
                parameters["base_mirror"], parameters["base_serial"], context.requirements(folder))
    return Wish(
        image_ref=parameters["image_ref"], registry=_registry(parameters, host) if host else None,
        name=parameters["name"], context=folder,
        containerfile=parameters["containerfile"], arguments=parameters["build_args"], base=base,
        platforms=tuple(parameters["platforms"]), tags=tuple(parameters.get("tags") or ()),
        cache_dir=parameters.get("cache_dir") or "",
        tree=os.path.realpath(parameters["tree"]) if parameters.get("tree") else "")


def _registry(parameters: Mapping[str, Any], host: str) -> Registry:
    return Registry(host, parameters["registry_insecure"], parameters["registry_ca_file"] or "",
                    parameters["registry_username"] or "", parameters["registry_password"] or "",
                    float(parameters["registry_timeout"]))


def access(text: str, parameters: Mapping[str, Any]) -> tuple[plan.Reference, Registry]:
    """Return what a reference names and the registry to ask for it; raise ImageError."""
    reference = plan.parse_reference(text)
    if parameters["registry"] in ("", reference.registry):
        return reference, _registry(parameters, reference.registry)
    # its user, password and plain HTTP are meant for another host
    return reference, Registry(reference.registry, timeout=float(parameters["registry_timeout"]))


def resolve(text: str, parameters: Mapping[str, Any]) -> Found:
    """Return the image that a reference names; raise ImageError when its registry has none."""
    reference, registry = access(text, parameters)
    digest = registry.digest(reference.name, reference.digest or reference.tag)
    if not digest:
        raise ImageError(f"registry {reference.registry} has no {reference.name} {reference.digest or reference.tag}")
    return Found(reference.repository, "", digest, tuple(registry.platforms(reference.name, digest)))


def discover(parameters: Mapping[str, Any]) -> Found:
    """Return the image that the parameters name or describe; raise ImageError when its registry has none."""
    if parameters["image_ref"]:
        return resolve(parameters["image_ref"], parameters)
    want = wish(parameters)
    found = find(want, make_job(want, platform.machine()))
    if not found.digest:
        raise ImageError(f"{found.repository}:{found.key}, the image of {want.context}, isn't in the registry: run "
                         "playbooks/30_image.yml")
    return resolve(found.image, parameters)


def make_job(want: Wish, machine: str) -> Job:
    """Return the job with its key; reads the context, writes nothing."""
    name = context.containerfile(want.context, want.containerfile)
    archs = plan.architectures(want.platforms, machine)
    if plan.runs_commands(context.read(want.context, name)):
        problems = [problem for problem in (emulation_problem(arch, machine) for arch in archs) if problem]
        if problems:
            raise ImageError("; ".join(problems))
    key = plan.content_key(context.digest(want.context), name, want.base, archs, want.arguments)
    return Job(want.name, key, want.context, name, archs, want.arguments, want.base.key(),
               lambda arch: base_context(want.base, arch, want.cache_dir), want.base.image)


def base_context(base: Base, arch: str, cache_dir: str) -> str:
    """Make the Debian base of ``arch`` unless it is cached; return the folder with it and a Containerfile."""
    bases = os.path.join(cache_dir, "images", "base")
    folder, system = os.path.join(bases, base.key()), os.path.join(bases, base.system_key(), f"{arch}.tar")
    for needed in (folder, os.path.dirname(system)):
        os.makedirs(needed, exist_ok=True)
    if not os.path.exists(system):
        debian.build(base, arch, system)
    archives = [f"{arch}.tar"]
    if base.requirements:
        archives.append(f"{arch}-libraries.tar")
        if not os.path.exists(os.path.join(folder, archives[0])):
            os.link(system, os.path.join(folder, archives[0]))
        if not os.path.exists(os.path.join(folder, archives[1])):
            libraries.build(base, arch, os.path.join(folder, archives[1]))
    recipe = os.path.join(folder, "Containerfile")
    if not os.path.exists(recipe):
        added = "".join(f"ADD {name.replace(arch, '${TARGETARCH}', 1)} /\n" for name in archives)
        with open(recipe, "w", encoding="utf-8") as handle:
            handle.write(f"FROM scratch\nARG TARGETARCH\n{added}")
    return folder


def find(want: Wish, job: Job) -> Found:
    """Return the image of a job as the registry has it: by its key, which stands for all of its content."""
    if want.registry is None:
        raise AssertionError("no registry")
    for reference in (recorded(want, job), job.key):
        digest = want.registry.digest(want.name, reference) if reference else ""
        if digest:
            break
    return _found(want, job, digest)


def _found(want: Wish, job: Job, digest: str) -> Found:
    if want.registry is None:
        raise AssertionError("no registry")
    platforms = tuple(f"linux/{arch}" for arch in job.architectures)
    return Found(f"{want.registry.host}/{want.name}", job.key, digest, platforms)


def record_path(want: Wish, job: Job) -> str:
    """Return where the digest of a key is kept."""
    if want.registry is None:
        raise AssertionError("no registry")
    place = f"{want.registry.host}_{want.name}".replace("/", "_").replace(":", "_")
    return os.path.join(want.cache_dir, "images", "records", place, f"{job.key}.json")


def recorded(want: Wish, job: Job) -> str:
    """Return the digest that this machine pushed last for the key, empty when it pushed none."""
    if not want.cache_dir:
        return ""
    try:
        with open(record_path(want, job), encoding="utf-8") as handle:
            digest = json.load(handle).get("digest", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return digest if isinstance(digest, str) and plan.DIGEST.fullmatch(digest) else ""


def _record(want: Wish, job: Job, digest: str) -> None:
    path = record_path(want, job)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as handle:
        json.dump({"digest": digest, "architectures": job.architectures}, handle)
    os.replace(f"{path}.new", path)


def choose_engine(want: Wish) -> Engine:
    """Return what can build here; raise ImageError when nothing can."""
    if want.tree:
        if not os.path.exists(os.path.join(want.tree, "usr/bin/buildah")):
            raise ImageError(f"there is no buildah in the Debian tree {want.tree}")
        return Buildah(os.path.join(want.cache_dir, "images"), want.tree)
    if shutil.which("buildah"):
        return Buildah(os.path.join(want.cache_dir, "images"))
    lacking = missing_image_tools()
    if lacking:
        raise ImageError("nothing here can build an image: " + "; ".join(lacking))
    return Buildx()


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(want: Wish, check: bool, progress: Progress,
           engine: Callable[[Wish], Engine] = choose_engine) -> Found:
    """Build and push what the registry lacks; with ``check`` only say whether that would happen."""
    if want.registry is None:
        raise AssertionError("no registry")
    job = make_job(want, platform.machine())
    try:
        found = find(want, job)
    except ImageError:
        if not check:
            raise
        found = _found(want, job, "")
    built = False
    changed = not found.digest
    if changed and not check:
        with _locked(os.path.join(want.cache_dir, "images")):
            built, digest = _supply(want, job, engine(want), progress)
        found = _found(want, job, digest)
    if found.digest and not check and recorded(want, job) != found.digest:
        _record(want, job, found.digest)
    for tag in want.tags if found.digest else ():
        if want.registry.digest(want.name, tag) != found.digest:
            changed = True
            if not check:
                want.registry.tag(want.name, found.digest, tag)
    return Found(found.repository, job.key, found.digest, found.platforms, built, changed)


def _supply(want: Wish, job: Job, engine: Engine, progress: Progress) -> tuple[bool, str]:
    if want.registry is None:
        raise AssertionError("no registry")
    built = not engine.has(job)
    if built:
        engine.build(job, want.registry, progress)
    digest = engine.push(job, want.registry, want.name, progress)
    if want.registry.digest(want.name, digest) != digest:
        raise ImageError(f"registry {want.registry.host} doesn't have {want.name}@{digest} after the push")
    return built, digest
