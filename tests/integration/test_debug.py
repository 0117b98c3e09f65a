# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""debug.yml on a whole site, and while a region is down: what is wrong is told, nothing secret is kept."""

from __future__ import annotations

import base64
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from .conftest import REGIONS, Site, all_own, steady, until

LOST = "ap-southeast-1"


def looked(site: Site) -> tuple[str, dict[str, bytes], float]:
    """The page, the files of the bundle without its folder, and the seconds that it took."""
    before, began = set((site.state / "debug").glob("*")), time.monotonic()
    page = site.play("debug.yml")
    [bundle] = set((site.state / "debug").glob("*")) - before
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert str(bundle) in page
    return page, unpacked(bundle), time.monotonic() - began


def unpacked(bundle: Path) -> dict[str, bytes]:
    with tarfile.open(bundle) as archive:
        return {member.name.partition("/")[2]: file.read() for member in archive
                if (file := archive.extractfile(member))}  # fmt: skip


def secrets(site: Site) -> set[bytes]:
    ring = json.loads((site.state / "secrets/jwt-ring.json").read_text())
    keys = {ring[name].encode() for name in ("current", "previous") if ring.get(name)}
    assert keys
    return keys | {base64.b64encode(key) for key in keys} | {b"PRIVATE KEY", base64.b64encode(b"-----BEGIN")[:12]}


def test_a_whole_site_is_well_and_nothing_secret_is_kept(site: Site) -> None:
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole")
    page, files, seconds = looked(site)
    print(f"{len(files)} files, {sum(map(len, files.values())) // 1024} KiB, {seconds:.0f} s")
    assert seconds < 90
    assert not [name for name, content in files.items() for secret in secrets(site) if secret in content]
    for region in REGIONS:
        assert f"{region}" in page
        assert b"llm-verifier" in files[f"regions/{region}/pods.txt"]
        assert b'"message":"' in files[f"regions/{region}/logs-llm-verifier.txt"]
        assert b"CPU(" in files[f"regions/{region}/top-pods.txt"]
    for file in ("edges/edge-1/explain-IE.json", "edges/edge-2/routing.json", "clients/client-as/dns-edge-2.txt",
                 "nodes/edge-1/logs.txt", "certificates.json", "questions.txt", "summary.txt"):  # fmt: skip
        assert files[file], file
    left = json.loads(files["certificates.json"])
    assert {*REGIONS, "edge-1", "edge-2"} <= set(left) and all("days left" in text for text in left.values()), left
    unanswered = [line for line in files["questions.txt"].decode().splitlines()
                  if len(line.split()) > 3 and "logs-before" not in line]  # fmt: skip
    assert not unanswered


def test_it_works_while_a_region_is_down(site: Site, healed: Callable[[str, str], None]) -> None:
    healed(LOST, "down")
    page, files, seconds = looked(site)
    assert seconds < 120
    assert f"LOOK AT  {LOST}: down (by a fault)" in page
    assert f"LOOK AT  {LOST}: its API doesn't answer" in page
    assert f"regions/{LOST}/pods.txt" not in files and files["regions/us-east-1/pods.txt"]
    assert b"not asked: the region's API doesn't answer" in files["questions.txt"]
