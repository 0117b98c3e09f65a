"""The machine's limits are raised, remembered and put back; taken addresses are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import host
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance

ROOT = Path(__file__).resolve().parents[3]
KEY = "fs/inotify/max_user_instances"
# What preflight says of 10.77.0.0/16 on a machine of its own, whose routes are the arguments.
LOOK = """
import json, subprocess, sys
from pathlib import Path
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import host
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
instance = Instance("llmv", "10.77", Path("/nowhere/llmv"), Path("/nowhere/cache"))
for command in (f"link add lan type veth peer name {instance.host_link}", "link set lan up",
                f"link set {instance.host_link} up", "address add 192.0.2.2/24 dev lan", *sys.argv[1:]):
    subprocess.run(["ip", *command.format(own=instance.host_link).split()], check=True)
print(json.dumps([lack for lack in host.missing(instance, 0, 0) if "is in use" in lack]))
"""


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "sys" / KEY
    file.parent.mkdir(parents=True)
    file.write_text("128\n")
    monkeypatch.setattr(host, "PROC_SYS", tmp_path / "sys")
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(host, "LIMITS", tmp_path / "run/limits.json")
    return file


def instance(name: str, folder: Path) -> Instance:
    return Instance(name, "10.77", folder / name, folder / "cache")


def test_a_low_limit_is_raised_and_put_back(limit: Path, tmp_path: Path) -> None:
    one = instance("one", tmp_path)
    assert host.raise_limits(one, {KEY: 1024}, check=True) == {KEY: (128, 1024)}
    assert limit.read_text() == "128\n"
    host.raise_limits(one, {KEY: 1024}, check=False)
    assert host.raise_limits(one, {KEY: 1024}, check=False) == {}
    host.raise_limits(one, {KEY: 2048}, check=False)  # what it was at first is what comes back
    host.restore_limits(one, check=False)
    assert limit.read_text() == "128\n"
    assert host.restore_limits(one, check=False) == {}
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("elsewhere", ["", "srv"])
@pytest.mark.parametrize("leaving", [("one", "two"), ("two", "one")])
def test_the_last_instance_to_leave_puts_it_back(
    limit: Path, tmp_path: Path, leaving: tuple[str, str], elsewhere: str
) -> None:
    """Wherever its state folder lies."""
    places = {"one": tmp_path, "two": tmp_path / elsewhere}
    first, last = (instance(name, places[name]) for name in leaving)
    for name in ("one", "two"):
        host.raise_limits(instance(name, places[name]), {KEY: 1024}, check=False)
    host.restore_limits(first, check=False)
    assert limit.read_text() == "1024\n"
    host.restore_limits(last, check=False)
    assert limit.read_text() == "128\n"


def test_a_limit_that_is_high_enough_stays(limit: Path, tmp_path: Path) -> None:
    limit.write_text("9999\n")
    assert host.raise_limits(instance("one", tmp_path), {KEY: 1024}, check=False) == {}
    assert limit.read_text() == "9999\n"


def test_lacks_are_all_told_at_once_each_with_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    monkeypatch.setattr(host, "_taken_addresses", lambda _instance: ["10.77.0.0/16 is in use"])
    found = "\n".join(host.missing(instance("llmv", tmp_path), 10**9, 10**9))
    for lack in ("apt-get install mmdebstrap", "MiB of memory", "MiB free below", "10.77.0.0/16 is in use"):
        assert lack in found


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")
@pytest.mark.parametrize(
    ("routes", "told"),
    [
        (["route add 10.77.4.0/24 dev lan"], "the route to 10.77.4.0/24 by lan overlaps it"),
        (["route add 10.0.0.0/8 via 192.0.2.1"], "the route to 10.0.0.0/8 by lan overlaps it"),
        (["address add 10.77.9.9/24 dev lan"], "the route to 10.77.9.0/24 by lan overlaps it"),
        (["route add default via 192.0.2.1", "route add 10.78.0.0/16 dev lan"], ""),
        (["route add 10.77.0.0/16 dev {own}"], ""),
    ],
    ids=["a part", "the whole", "an address", "others", "its own"],
)
def test_a_network_that_the_machine_uses_already_is_told(routes: list[str], told: str) -> None:
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "collections"), *sys.path])}
    command = ["unshare", "--net", sys.executable, "-c", LOOK, *routes]
    done = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert len(found) == bool(told) and told in "".join(found), found
    assert all("set local_network_prefix to another /16" in lack for lack in found)


@pytest.mark.parametrize(("told_mib", "enough"), [(7630, True), (7000, False)])
def test_a_machine_of_8_gib_is_enough_though_it_tells_of_less(
    told_mib: int, enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    monkeypatch.setattr(host.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": told_mib * 256}.__getitem__)
    monkeypatch.setattr(host, "_taken_addresses", lambda _instance: [])
    found = host.missing(instance("llmv", tmp_path), host.MEMORY_MIB, 0)
    assert any("MiB of memory" in line for line in found) is not enough


@pytest.mark.skipif(os.geteuid() != 0, reason="the preflight asks for root first")
def test_building_programs_begins_with_the_preflight(tmp_path: Path) -> None:
    """What fills the disk is not begun where it can't end."""
    given = {"local_cache_dir": str(tmp_path / "cache"), "local_machine_minimum_memory_mib": 10**8,
             "local_machine_minimum_disk_mib": 10**9, "local_machine_suite": "no-such-suite"}
    command = ["ansible-playbook", "-i", "inventories/local", "playbooks/programs.yml", "-e", json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "100000000 needed" in done.stdout and "1000000000 needed" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="the preflight asks for root first")
@pytest.mark.parametrize(("tree", "told"), [("", True), ("/some/tree", False)])
def test_docker_is_looked_for_where_no_tree_builds_the_image(tmp_path: Path, tree: str, told: bool) -> None:
    """Before anything is built: in the run's first task on the machine."""
    given = {"local_state_dir": str(tmp_path / "llmv"), "local_cache_dir": str(tmp_path / "cache"),
             "image_build_tree": tree, "local_machine_minimum_memory_mib": 10**8}
    programs = {path.name: path for folder in ("/usr/bin", "/usr/sbin") for path in Path(folder).iterdir()}
    (tmp_path / "bin").mkdir()  # a path as it is without buildah and docker
    for name in programs.keys() - {"buildah", "docker"}:
        (tmp_path / "bin" / name).symlink_to(programs[name])
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/local",
               "playbooks/20_nodes.yml", "-e", json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": str(tmp_path / "bin")}, capture_output=True,
                          text=True, check=False)
    assert "100000000 needed" in done.stdout, done.stdout + done.stderr
    assert ("docker is not there, needed for building the image" in done.stdout) is told
    assert not (tmp_path / "llmv").exists()
