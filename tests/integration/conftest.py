# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One whole site for all end-to-end tests, an instance of its own beside whatever else runs on this machine."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scenarios import SHORT_HOLDS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube import probe
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.host import LIMITS
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.questions import Answer, ask
from ansible_collections.llm_verifier.multi_region.tests.machine import changed, machine_wide

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
DOMAIN = "llm-verifier.com"
CLIENTS = {"north-america": "client-na", "europe": "client-eu", "asia": "client-as", "other": "client-other"}
OWN = {"north-america": "us-east-1", "europe": "eu-west-1", "asia": "ap-southeast-1", "other": "us-east-1"}
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1")


def quick_policy() -> dict[str, Any]:
    """The default policy with a way back of seconds instead of minutes: what it decides stays the same."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text()
    policy: dict[str, Any] = yaml.safe_load(text)["routing_policy"]
    policy["failback"] |= SHORT_HOLDS
    return policy


@dataclass(frozen=True)
class Site:
    """A running site: how to run playbooks on it, enter its nodes and ask its front door."""

    instance: Instance

    @property
    def state(self) -> Path:
        return self.instance.state_dir

    @property
    def database(self) -> str:
        """Where the tests let something answer on the database's port: a client's node."""
        return f"{self.instance.prefix}.221.2/32"

    def variables(self) -> list[str]:
        """Words that make a playbook work on this instance."""
        given = {"routing_policy": quick_policy(), "regional_deploy_database_networks": [self.database]}
        return ["-e", f"local_instance_name={self.instance.name}", "-e", f"local_network_prefix={self.instance.prefix}",
                "-e", f"local_state_dir={self.state}", "-e", f"local_cache_dir={self.instance.cache_dir}",
                "-e", json.dumps(given)]

    def play(self, playbook: str, *words: str, check: bool = True, timeout: float = 900,
             inventory: str = "inventories/local") -> str:
        """Run a playbook and return all that it said."""
        command = ["ansible-playbook", "-i", inventory, playbook, *self.variables(), *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)
        output = done.stdout + done.stderr
        if check:
            assert done.returncode == 0, f"{playbook} {' '.join(words)} failed:\n{output[-6000:]}"
        return output

    def run(self, node: str, *command: str, check: bool = True, timeout: float = 60) -> str:
        """Run a command inside a node and return its output."""
        return Node(self.instance, node).run(list(command), check=check, timeout=timeout).stdout

    def kubectl(self, region: str, *words: str, check: bool = True) -> str:
        """Run kubectl against a region and return its output."""
        program = self.state / "opt/kubernetes/kubectl"
        kubeconfig = self.state / "kubeconfigs" / region
        return subprocess.run([str(program), "--kubeconfig", str(kubeconfig), *words], capture_output=True, text=True,
                              check=check, timeout=60).stdout

    def fault(self, node: str, state: str) -> None:
        """Make or heal a fault: down, up, freeze, thaw, cut, slow, heal."""
        self.play("playbooks/fault.yml", "-e", f"fault_node={node}", "-e", f"fault_state={state}")

    def ask(self, geography: str, path: str = "/api/health") -> Answer:
        """Ask the front door as a client of a geography does."""
        roots = (self.state / "certificate/ca.crt").read_text()
        return ask(self.instance, CLIENTS[geography], f"api.{DOMAIN}", path, roots)

    def end(self, subnet: int) -> probe.Endpoint:
        """Whoever shows the front door's certificate on a node's public address."""
        roots = str(self.state / "certificate/ca.crt")
        return probe.Endpoint(f"{self.instance.prefix}.{subnet}.10", 443, f"api.{DOMAIN}", ca_file=roots)

    def region(self, region: str) -> probe.Endpoint:
        """A region's own gateway."""
        return self.end(REGIONS.index(region) + 1)

    def routing(self, edge: str = "edge-1") -> dict[str, Any]:
        """Return what an edge's status page says."""
        return routing_status(self.instance, edge)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "report.json").read_text())
        return found


@dataclass
class Watched:
    """How many questions were asked and every answer that wasn't good."""

    asked: int = 0
    bad: list[str] = field(default_factory=list)


@contextmanager
def watched(*places: probe.Endpoint) -> Iterator[Watched]:
    """Asks every place five times a second, each time by a new connection, without a second try."""
    found, over = Watched(), threading.Event()

    def watch(place: probe.Endpoint) -> None:
        context = probe.context_of(place)
        while not over.wait(0.2):
            try:
                status, _headers = probe.ask(place, "/api/health", context)
                found.bad += [] if status == 200 else [f"{place.address}: HTTP {status}"]
            except (OSError, http.client.HTTPException) as error:
                found.bad.append(f"{place.address}: {error!r}")
            found.asked += 1

    threads = [threading.Thread(target=watch, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join()


def routing_status(instance: Instance, edge: str = "edge-1") -> dict[str, Any]:
    """Return what an edge's status page says; empty when it says nothing yet."""
    try:
        found: dict[str, Any] = json.loads((Node(instance, edge).inside / "data/routing/www/status.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def steady(instance: Instance) -> bool:
    """Tell whether the engine has every region healthy and admitted wholly."""
    regions = routing_status(instance).get("regions", [])
    return bool(regions) and all(item["phase"] == "HEALTHY" and item["admission"] == 1 for item in regions)


def until(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until a function's result is true and return it."""
    end = time.monotonic() + seconds
    while True:
        result = true()
        if result:
            return result
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


def changes(recap: str) -> dict[str, int]:
    """Return each host's ``changed`` of a recap."""
    lines = [line for line in recap.splitlines() if " : ok=" in line]
    return {line.split()[0]: int(line.split("changed=")[1].split()[0]) for line in lines}


def leftovers(instance: Instance) -> list[str]:
    """Return what of an instance is still on this machine besides the cache."""
    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    name, prefix = instance.name, instance.prefix
    found = [line for line in lines("ip", "netns", "list") if line.startswith(f"{name}-")]
    found += [line for line in lines("ip", "-brief", "link") if line.startswith(f"{name}-")]
    found += [line for line in lines("ip", "route") if f"{prefix}." in line]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(instance.state_dir) in line]
    found += [line for line in lines("ps", "-eo", "args") if f"{instance.state_dir}/" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{name}") if path.is_dir()]
    found += [str(LIMITS)] if LIMITS.exists() and name in json.loads(LIMITS.read_text())["instances"] else []
    return found + ([str(instance.state_dir)] if instance.state_dir.exists() else [])


@pytest.fixture(name="instance", scope="session")
def fixture_instance() -> Instance:
    if os.geteuid() != 0:
        pytest.skip("the end-to-end tests make namespaces and mounts: run `sudo make test`")
    name, _colon, prefix = (os.environ.get("LLM_VERIFIER_KEEP") or "llmt:10.78").partition(":")
    return Instance(name, prefix, Path("/var/lib/llm-verifier") / name, CACHE)


@pytest.fixture(name="site", scope="session")
def fixture_site(instance: Instance) -> Iterator[Site]:
    """The site, made from nothing whatever an earlier run left, and taken away at the end.

    With LLM_VERIFIER_KEEP=llmv:10.77 that instance is used as it is and left running.
    """
    site, keep = Site(instance), bool(os.environ.get("LLM_VERIFIER_KEEP"))
    if keep:
        site.play("playbooks/92_routing.yml")
    else:
        site.play("playbooks/clean.yml")
        before = machine_wide(instance.cache_dir)
        site.play("site.yml", timeout=2400)
    yield site
    if not keep:
        site.play("playbooks/clean.yml")
        assert not leftovers(instance) + changed(before, instance)


@pytest.fixture(name="healed")
def fixture_healed(site: Site) -> Iterator[Callable[[str, str], None]]:
    """Makes faults and heals them after the test: ``healed("eu-west-1", "down")``."""
    made: list[tuple[str, str]] = []

    def make(node: str, state: str) -> None:
        made.append((node, {"down": "up", "freeze": "thaw"}.get(state, "heal")))
        site.fault(node, state)

    yield make
    for node, state in reversed(made):
        site.fault(node, state)
    if made:
        until(lambda: steady(site.instance) and all_own(site), 120, "every region serves its own geography again")


def all_own(site: Site) -> bool:
    """Tell whether every geography is served by its own region."""
    return all(site.ask(geography).region == region for geography, region in OWN.items())
