# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Debian root file system as a tar file, for any architecture.

The packages are unpacked, never configured, so that nothing of another architecture has to run. What their
installation scripts would have made and a program needs (users, certificates, compiled Python) is added here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import marshal
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator

from .plan import Base, ImageError

USER_ID = 10001
LEFT_OUT = re.compile(
    r"dev/.|proc/.|boot/|media/|srv/|home/.|etc/(?:apt|dpkg|perl|rc\d?\.?[dS]?|rcS\.d|init\.d|cron\.\w+|logrotate\.d|"
    r"pam\.d|security|hostname|resolv\.conf|fstab|passwd|group|nsswitch\.conf|mime\.types|adduser\.conf|deluser\.conf|"
    r"debconf\.conf)(?:/|$)|usr/share/(?:man|locale|info|lintian|perl|perl5|bug|gdb|pixmaps|mime|debconf|bash-completion|"
    r"zsh|menu|applications|polkit-1|keyrings)(?:/|$)|usr/share/doc/(?![^/]+(?:/copyright)?$)|"
    r"usr/lib/[^/]+/(?:perl|perl-base|perl5|gconv|libperl\.so[^/]*|libapt-[^/]*)(?:/|$)|usr/lib/(?:apt|dpkg|systemd)(?:/|$)|"
    r"lib/[^/]+/security(?:/|$)|lib/systemd(?:/|$)|usr/s?bin/(?:perl[^/]*|apt[^/]*|dpkg[^/]*|deb(?:conf|-)[^/]*|"
    r"adduser|deluser|addgroup|delgroup)$|var/(?:cache|log)/.|var/lib/(?!dpkg(?:/status)?$).")
TOOLS = ("cat", "env", "grep", "head", "id", "ip", "ls", "nc", "nslookup", "ping", "ps", "sed", "sleep", "tail", "vi",
         "wget")
PASSWD = ("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
          f"verifier:x:{USER_ID}:{USER_ID}:verifier:/nonexistent:/usr/sbin/nologin\n")
GROUP = f"root:x:0:\nnogroup:x:65534:\nverifier:x:{USER_ID}:\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"
# Unpacked packages are no installed ones for dpkg: what the image holds is written down while their files are there.
NOTED = (r"""for file in "$1"/var/cache/apt/archives/*.deb; do dpkg-deb --show --showformat='Package: ${Package}\n"""
         r"""Status: install ok unpacked\nArchitecture: ${Architecture}\nVersion: ${Version}\n"""
         r"""Source: ${source:Package} (${source:Version})\n\n' "$file"; done > "$1"/var/lib/dpkg/status""")
AUTHORITIES = "usr/share/ca-certificates/mozilla/"


def command(base: Base, arch: str, target: str) -> list[str]:
    """Return the mmdebstrap command that unpacks ``base`` for ``arch`` into the tar file ``target``."""
    return ["mmdebstrap", "--mode=root", "--variant=extract", f"--architectures={arch}",
            f"--include={','.join(base.packages)}", f"--extract-hook={NOTED}", "--aptopt=Acquire::Retries \"3\"",
            base.suite, target,
            *([base.mirror] if base.mirror else [])]


def build(base: Base, arch: str, path: str) -> None:
    """Write the base for ``arch`` to the tar file ``path``, all or nothing; raise ImageError."""
    if shutil.which("mmdebstrap") is None:
        raise ImageError("mmdebstrap is missing: apt-get install mmdebstrap, or set image_build_base_image to an image "
                         "that your registry has")
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path), prefix=".base-") as folder:
        raw, ready = os.path.join(folder, "raw.tar"), os.path.join(folder, "base.tar")
        done = subprocess.run(command(base, arch, raw), capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"the Debian base for {arch} could not be made: {done.stderr.strip()[-1500:]}")
        slim(raw, ready)
        os.replace(ready, path)


def slim(source: str, target: str) -> None:
    """Copy a root file system's tar file without what no container needs, with what installation would have added."""
    sources, authorities = [], []
    with tarfile.open(source) as old, tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as new:
        for member in old:
            name = member.name.removeprefix("./").strip("/")
            if LEFT_OUT.match(name) or member.ischr() or member.isblk():
                continue
            member.mtime = 0
            content = _content(old, member)
            new.addfile(member, io.BytesIO(content) if content is not None else None)
            if content is not None and name.endswith(".py"):
                sources.append((name, content))
            elif content is not None and name.startswith(AUTHORITIES):
                authorities.append(content)
        for member, content in _added(sources, authorities):
            new.addfile(member, io.BytesIO(content))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    handle = archive.extractfile(member) if member.isreg() else None
    return handle.read() if handle else None


def _file(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(f"./{name}")
    member.size, member.mode = len(content), 0o644
    return member, content


def _added(sources: list[tuple[str, bytes]], authorities: list[bytes]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield _file("etc/passwd", PASSWD.encode())
    yield _file("etc/group", GROUP.encode())
    yield _file("etc/nsswitch.conf", NSSWITCH.encode())
    if authorities:
        yield _file("etc/ssl/certs/ca-certificates.crt", b"".join(text.rstrip() + b"\n" for text in authorities))
    for tool in TOOLS:
        link = tarfile.TarInfo(f"./bin/{tool}")
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, "busybox", 0o777
        yield link, b""
    yield from compiled(sources)


def compiled(sources: list[tuple[str, bytes]]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Compile Python sources where this Python's byte code is theirs; without it a start takes longer, no more."""
    tag = sys.implementation.cache_tag or ""
    magic = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")  # hash-based, unchecked
    folders = set()
    for name, source in sources:
        folder, _unused, leaf = name.rpartition("/")
        if f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/" not in name:
            continue
        with contextlib.suppress(SyntaxError, ValueError):
            code = compile(source, f"/{name}", "exec", dont_inherit=True, optimize=0)
            if folder not in folders:
                folders.add(folder)
                made = tarfile.TarInfo(f"./{folder}/__pycache__")
                made.type, made.mode = tarfile.DIRTYPE, 0o755
                yield made, b""
            content = magic + importlib.util.source_hash(source) + marshal.dumps(code)
            yield _file(f"{folder}/__pycache__/{leaf.removesuffix('.py')}.{tag}.pyc", content)
