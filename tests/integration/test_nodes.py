"""Nodes of the local provider for real: started, watched over, changed, stopped, and gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import cgroups, network, turns
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.clean import clean
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.faults import Target, load, operate
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.files import WantedFile
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import (
    Instance,
    LocalError,
    network_prefix,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node, NodeSpec
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.reconcile import Outcome, Reconciler
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.services import Service
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.tree import build_tree, tree_path

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = yaml.safe_load((ROOT / "roles/local_machine/defaults/main.yml").read_text())
INSTANCE = Instance("llmn", "10.74", Path("/var/lib/llm-verifier/llmn"), Path("/var/cache/llm-verifier"))
OTHER = Instance("llmq", network_prefix("llmq"), Path("/var/lib/llm-verifier/llmq"), INSTANCE.cache_dir)
PAGE = "etc/web/index.html"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: run `sudo make test`")


@pytest.fixture(scope="module")
def tree() -> str:
    suite, packages = DEFAULTS["local_machine_suite"], DEFAULTS["local_machine_packages"]
    path = tree_path(INSTANCE.cache_dir, suite, packages)
    if not path.is_dir():
        build_tree(path, suite, packages, None)
    return str(path)


@pytest.fixture(scope="module", autouse=True)
def no_traces() -> Iterator[None]:
    for instance in (INSTANCE, OTHER):
        clean(instance, check=False)
    yield
    for instance in (INSTANCE, OTHER):
        clean(instance, check=False)


def web(
    tree: str, page: str = "hello\n", *, name: str = "web-1", subnet: int = 1, command: str = "",
    instance: Instance = INSTANCE,
) -> Outcome:
    serve = command or "python3 -m http.server 80 -d /node/etc/web"
    service = Service("web", serve, ("etc/web/",), check="! grep -q BAD /node/etc/web/index.html",
                      reload="kill -TERM $PID", ready="curl -sf http://127.0.0.1/index.html")
    files = [WantedFile(PAGE, page.encode(), 0o644, False)]
    node = Node(instance, name)
    return Reconciler(node, "test", NodeSpec(tree, subnet), files, [service]).run(check=False, timeout=20)


def fetch(subnet: int = 1, seconds: float = 2, instance: Instance = INSTANCE) -> str:
    url = f"http://{instance.prefix}.{subnet}.2/index.html"
    return subprocess.run(["curl", "-s", "-m", str(seconds), url], capture_output=True, text=True).stdout


def wait_for(expected: str, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while fetch() != expected:
        assert time.monotonic() < until, f"no {expected!r} within {seconds} s but {fetch()!r}"
        time.sleep(0.1)


def test_a_second_run_changes_nothing(tree: str) -> None:
    assert web(tree).actions == ["start the node"]
    assert fetch() == "hello\n"
    assert not web(tree).changed


def test_a_service_that_dies_is_started_again(tree: str) -> None:
    web(tree)
    Node(INSTANCE, "web-1").run(["pkill", "-9", "-f", "http.server"])
    wait_for("hello\n")


def test_changed_files_are_taken_and_refused_ones_are_put_back(tree: str) -> None:
    web(tree)
    assert [change.path for change in web(tree, "changed\n").changes] == [PAGE]
    wait_for("changed\n")
    with pytest.raises(LocalError, match="web refuses its configuration"):
        web(tree, "BAD\n")
    wait_for("changed\n")
    assert not web(tree, "changed\n").changed


def test_a_service_that_never_serves_is_told_with_its_last_words(tree: str) -> None:
    node = Node(INSTANCE, "sick-1")
    service = Service("sick", "sh -c 'echo no such disk; sleep 1; exit 1'", ready="false")
    with pytest.raises(LocalError, match=r"(?s)sick is not ready after 3 s.*no such disk.*make region-logs"):
        Reconciler(node, "test", NodeSpec(tree, 2), [], [service]).run(check=False, timeout=3)


def test_two_owners_describe_one_node_without_knowing_each_other(tree: str) -> None:
    web(tree)
    node = Node(INSTANCE, "web-1")
    other = [Service("other", "sleep 1000")]
    Reconciler(node, "second", NodeSpec(tree, 1), [], other).run(check=False, timeout=5)
    assert not web(tree).changed
    Reconciler(node, "second", NodeSpec(tree, 1), [], []).run(check=False, timeout=5)
    assert not (node.inside / "service/other").exists()
    assert fetch() == "hello\n"


def test_busy_processors_are_shared_by_the_nodes_shares(tree: str) -> None:
    for name, subnet, shares in (("low-1", 3, 1024), ("high-1", 4, 4096)):
        node = Node(INSTANCE, name)
        burn = [Service(f"burn-{number}", "sh -c 'while :; do :; done'") for number in range(os.cpu_count() or 1)]
        Reconciler(node, "test", NodeSpec(tree, subnet, cpu_shares=shares), [], burn).run(check=False, timeout=5)
    try:
        time.sleep(1)
        before = {name: cgroups.processor_seconds(INSTANCE, name) for name in ("low-1", "high-1")}
        time.sleep(2)
        used = {name: cgroups.processor_seconds(INSTANCE, name) - before[name] for name in before}
    finally:
        for name in ("low-1", "high-1"):
            Node(INSTANCE, name).stop()
    assert used["high-1"] > 2 * used["low-1"], used


LATE = "sleep 1; exec python3 -m http.server 80"


def serving_web(tree: str, name: str, subnet: int, shares: int, command: str = LATE) -> None:
    """A node that serves a second after it has started, described with so many shares."""
    service = Service("web", f"sh -c '{command}'")
    Reconciler(Node(INSTANCE, name), "test", NodeSpec(tree, subnet, cpu_shares=shares), [], [service],
               serving="curl -sf -o /dev/null -m 1 http://127.0.0.1/").run(check=False, timeout=5)


def test_nodes_that_serve_restart_one_after_the_other(tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {"turn-1": 5, "turn-2": 6}

    def answered(subnet: int) -> bool:
        url = f"http://{INSTANCE.prefix}.{subnet}.2/"
        return subprocess.run(["curl", "-sf", "-m", "1", "-o", "/dev/null", url], check=False).returncode == 0

    def all_with(shares: int) -> list[Future[None]]:
        return [pool.submit(serving_web, tree, name, subnet, shares) for name, subnet in nodes.items()]

    with ThreadPoolExecutor() as pool:
        for name, subnet in nodes.items():
            serving_web(tree, name, subnet, 1000)
        while not all(map(answered, nodes.values())):
            time.sleep(0.1)
        again, worst = all_with(2000), len(nodes)
        while not all(made.done() for made in again):
            worst = min(worst, sum(map(answered, nodes.values())))
        for made in again:
            made.result()
        assert worst == 1, "one of two serves while the other one restarts"

        monkeypatch.setattr(turns, "RETURN_SECONDS", 2.0)
        with pytest.raises(LocalError, match="turn-1 was restarted and does not serve after 2 s"):
            serving_web(tree, "turn-1", 5, 3000, "exec sleep 99")
        with pytest.raises(LocalError, match="turn-2 stays as it is: turn-1 was restarted"):
            serving_web(tree, "turn-2", 6, 3000)
        assert answered(6)
        serving_web(tree, "turn-1", 5, 3000)
        serving_web(tree, "turn-2", 6, 3000)


def test_nothing_on_the_host_changes_when_a_node_sets_machine_wide_limits(tree: str) -> None:
    web(tree)
    limit = Path("/proc/sys/vm/overcommit_memory")
    before = limit.read_text()
    Node(INSTANCE, "web-1").run(["sh", "-c", f"echo {1 - int(before[0] == '1')} > {limit}"])
    assert limit.read_text() == before


def test_faults_are_made_and_healed(tree: str) -> None:
    web(tree)
    target = Target("web-1", 1)
    for fault, end in (("cut", "heal"), ("freeze", "thaw"), ("down", "up")):
        assert operate(INSTANCE, tree, fault, target, check=False)
        assert not operate(INSTANCE, tree, fault, target, check=False), f"{fault} twice"
        assert fetch(seconds=0.5) == "", fault
        assert operate(INSTANCE, tree, end, target, check=False)
        wait_for("hello\n")


def test_a_cut_between_two_nodes_leaves_the_others_alone(tree: str) -> None:
    web(tree)
    web(tree, name="web-3", subnet=3)
    ask = ["curl", "-s", "-m", "1", f"http://{INSTANCE.prefix}.1.2/index.html"]
    operate(INSTANCE, tree, "cut", Target("web-1", 1, others=(3,)), check=False)
    assert Node(INSTANCE, "web-3").run(ask, check=False).stdout == ""
    assert fetch() == "hello\n"
    operate(INSTANCE, tree, "heal", Target("web-1", 1), check=False)
    assert Node(INSTANCE, "web-3").run(ask).stdout == "hello\n"


def start_anew() -> None:
    """What a reboot leaves of the instance: its files."""
    cgroups.send(INSTANCE, "", signal.SIGKILL)
    for namespace in (INSTANCE.wan, INSTANCE.namespace("web-1")):
        subprocess.run(["ip", "netns", "delete", namespace], check=True)


def test_it_comes_back_after_the_machine_was_started_anew(tree: str) -> None:
    web(tree)
    start_anew()
    web(tree)
    wait_for("hello\n")


def test_a_run_ends_the_fault_of_the_node_that_it_starts(tree: str) -> None:
    web(tree)
    for fault in ("freeze", "down"):
        assert operate(INSTANCE, tree, fault, Target("web-1", 1), check=False)
    assert load(INSTANCE) == {"web-1": {"down": True}}
    web(tree)
    assert load(INSTANCE) == {}
    assert operate(INSTANCE, tree, "down", Target("web-1", 1), check=False)
    assert fetch(seconds=0.5) == ""
    assert operate(INSTANCE, tree, "up", Target("web-1", 1), check=False)


def test_a_reboot_ends_every_fault(tree: str) -> None:
    web(tree)
    target = Target("web-1", 1)
    for fault in ("cut", "slow"):
        assert operate(INSTANCE, tree, fault, target, check=False)
    assert load(INSTANCE) == {"web-1": {"cut": ["everything"], "slow": 8}}
    start_anew()
    assert load(INSTANCE) == {}
    web(tree)
    wait_for("hello\n")
    for fault in ("cut", "slow"):
        assert operate(INSTANCE, tree, fault, target, check=False), f"{fault} again"
    assert fetch(seconds=0.5) == ""
    operate(INSTANCE, tree, "heal", target, check=False)


def test_two_instances_at_once_do_not_meet(tree: str) -> None:
    """The same node in both: each has its own page, faults and end."""
    web(tree)
    web(tree, "other\n", instance=OTHER)
    assert (fetch(), fetch(instance=OTHER)) == ("hello\n", "other\n")
    assert not web(tree).changed and not web(tree, "other\n", instance=OTHER).changed
    ask = ["curl", "-s", "-m", "1", f"http://{OTHER.prefix}.1.2/index.html"]
    assert Node(INSTANCE, "web-1").run(ask, check=False).stdout == "", "no way from one into the other"
    for fault, end in (("cut", "heal"), ("down", "up")):
        operate(OTHER, tree, fault, Target("web-1", 1), check=False)
        assert (fetch(), fetch(seconds=0.5, instance=OTHER)) == ("hello\n", "")
        operate(OTHER, tree, end, Target("web-1", 1), check=False)
    clean(OTHER, check=False)
    assert fetch() == "hello\n"
    assert clean(OTHER, check=True) == []


def test_nothing_is_left_of_an_instance(tree: str) -> None:
    web(tree)
    assert clean(INSTANCE, check=True), "there is something to remove"
    assert Node(INSTANCE, "web-1").pid(), "and looking removed nothing"
    clean(INSTANCE, check=False)
    assert clean(INSTANCE, check=False) == []
    shown = [subprocess.run(words, capture_output=True, text=True).stdout for words in (
        ["ip", "netns"], ["ip", "link"], ["ip", "route"], ["mount"], ["ps", "-eo", "args"])]
    assert not [line for text in shown for line in text.splitlines() if "llmn" in line and "pytest" not in line]
    assert not [folder for folder in cgroups.folders(INSTANCE) if folder.exists()]
    assert not network.exists(INSTANCE.wan)
