# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bounds a node of the local provider: its logs, a slow link, and the machine, which stays as it was."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.clean import clean
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.faults import Target, operate
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import WantedFile
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node, NodeSpec
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.reconcile import Reconciler
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.services import Service
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tree import build_tree, tree_path
from ansible_collections.llm_verifier.multi_region.tests.machine import changed, machine_wide

from .conftest import CACHE, ROOT, until

DEFAULTS = yaml.safe_load((ROOT / "roles/local_machine/defaults/main.yml").read_text())
INSTANCE = Instance("llmo", "10.72", Path("/var/lib/llm-verifier/llmo"), CACHE)
PAGE = b"x" * 40_000

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: run `sudo make test`")


@pytest.fixture(scope="module")
def tree() -> str:
    suite, packages = DEFAULTS["local_machine_suite"], DEFAULTS["local_machine_packages"]
    path = tree_path(INSTANCE.cache_dir, suite, packages)
    if not path.is_dir():
        build_tree(path, suite, packages, None)
    return str(path)


@pytest.fixture(autouse=True)
def fixture_no_traces() -> Iterator[None]:
    clean(INSTANCE, check=False)
    yield
    clean(INSTANCE, check=False)


def node(tree: str, service: Service) -> Node:
    """A running node with one service and a page."""
    made = Node(INSTANCE, "node-1")
    files = [WantedFile("etc/web/page", PAGE, 0o644, False)]
    Reconciler(made, "test", NodeSpec(tree, 1), files, [service]).run(check=False, timeout=20)
    return made


def web() -> Service:
    return Service("web", "python3 -m http.server 80 -d /node/etc/web", ready="curl -sf http://127.0.0.1/page")


def test_logs_are_rotated_and_the_newest_lines_kept(tree: str) -> None:
    """Twelve times what a file may have: five old files and the current one are left."""
    talk = "sh -c 'yes a line of a service that says a lot | head -c 12000000; echo the end; exec sleep 1000'"
    log = node(tree, Service("talker", talk)).inside / "log/talker"
    until(lambda: (log / "current").exists() and b"the end" in (log / "current").read_bytes()[-200:], 30, "the end")
    old = list(log.glob("@*"))
    assert len(old) == 5
    assert all(path.stat().st_size <= 1_000_100 for path in (*old, log / "current"))


def test_a_service_may_keep_more_and_its_lines_as_they_are(tree: str) -> None:
    """Also from one run to the next: the logger takes what changed."""
    talk = "sh -c 'while :; do echo \\{\\}; sleep 0.05; done'"
    current = node(tree, Service("talker", talk)).inside / "log/talker/current"

    def last() -> str:
        return current.read_text().splitlines()[-1] if current.exists() and current.stat().st_size else ""

    until(lambda: last().endswith(" {}"), 10, "a line with the time before it")
    wanted = Service("talker", talk, log_megabytes=2, log_files=9, log_times=False)
    node(tree, wanted)
    assert (current.parent / "config").read_text() == "s2000000\nn9\n"
    until(lambda: last() == "{}", 10, "a line as it is")
    logger = f"/node/service/{wanted.name}/log/supervise/pid"
    before = Node(INSTANCE, "node-1").run(["cat", logger]).stdout
    node(tree, wanted)
    assert Node(INSTANCE, "node-1").run(["cat", logger]).stdout == before, "nothing changed, so nothing was restarted"


def test_a_slow_link_slows_a_node_until_it_is_healed(tree: str) -> None:
    node(tree, web())

    def seconds() -> float:
        url, begun = f"http://{INSTANCE.prefix}.1.2/page", time.monotonic()
        got = subprocess.run(["curl", "-s", "-m", "60", url], capture_output=True, check=True).stdout
        assert got == PAGE
        return time.monotonic() - begun

    assert operate(INSTANCE, tree, "slow", Target("node-1", 1, kilobits=80), check=False)
    slow = seconds()
    assert slow > 2, "40 kB at 10 kB a second, less the burst"
    assert operate(INSTANCE, tree, "heal", Target("node-1", 1), check=False)
    assert seconds() < slow / 2


def test_the_machine_itself_stays_as_it_was(tree: str) -> None:
    """Cuts, and what a node sets and filters for itself, leave no rule and no setting of the machine's behind."""
    before = machine_wide(INSTANCE.cache_dir)
    assert len(before) > 50 and any("nft" in key for key in before)
    made = node(tree, web())
    made.run(["nft", "add table inet own"])
    for setting in ("net/ipv4/ip_forward", "net/ipv4/conf/all/accept_local", "vm/overcommit_memory", "kernel/panic"):
        made.run(["sh", "-c", f"echo 1 > /proc/sys/{setting}"], check=False)
    operate(INSTANCE, tree, "cut", Target("node-1", 1), check=False)
    assert changed(before, INSTANCE) == []
    clean(INSTANCE, check=False)
    assert changed(before, INSTANCE) == []


def test_what_changes_the_machine_is_seen(tree: str) -> None:
    before, limit = machine_wide(INSTANCE.cache_dir), Path("/proc/sys/fs/inotify/max_queued_events")
    filters = ["chroot", tree, "nft"]
    try:
        limit.write_text(f"{int(limit.read_text()) + 1}\n")
        subprocess.run([*filters, "add table inet left_over"], check=True)
        seen = changed(before, INSTANCE)
        assert len(seen) == 2 and str(limit) in seen[0] and "left_over" in seen[1]
    finally:
        limit.write_text(before[str(limit)])
        subprocess.run([*filters, "delete table inet left_over"], check=False)
