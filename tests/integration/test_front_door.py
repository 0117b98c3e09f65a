# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door of a running site: what every geography's client is answered and served by, whatever is dead.

With LLM_VERIFIER_SITE=name:prefix:state-folder an instance that runs already is used as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import faults
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.expectation import (
    STATIC,
    dns_answer,
    serving_regions,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

from .conftest import CACHE, ROOT, steady, until

INVENTORY = ROOT / "inventories/local"
SETTLE_SECONDS = 20.0  # detection is 8 s at most; the rest is for a busy machine
Names = tuple[str, ...]


@dataclass(frozen=True)
class FrontDoor:
    """A running site, its table and its client nodes by their geography."""

    instance: Instance
    subnets: dict[str, int]
    table: RoutingTable
    site: Site
    clients: dict[str, str]
    authority: str

    def node(self, name: str) -> Node:
        return Node(self.instance, name)

    def address(self, name: str, last: int = 2) -> str:
        return f"{self.instance.prefix}.{self.subnets[name]}.{last}"

    def fault(self, operation: str, name: str) -> None:
        tree = str(self.instance.state_dir / "tree")
        faults.operate(self.instance, tree, operation, faults.Target(name, self.subnets[name]), check=False)

    def ask(self, client: str, resolver: str, name: str) -> frozenset[str]:
        """The addresses that a resolver gives a client for a name."""
        done = self.node(client).run(["dig", "+short", "+time=2", "+tries=1", f"@{resolver}", name], check=False)
        return frozenset(line for line in done.stdout.split() if line[-1:].isdigit())

    def forget(self) -> None:
        """Empty the caches of all resolvers."""
        for name in {*self.clients.values(), "services-1"}:
            self.node(name).run(["sh", "-c", "sv restart /node/service/resolver*"])

    def served_by(self, client: str, address: str, name: str) -> str:
        """The region that answers a client's HTTPS request at an address; empty when none does."""
        argv = ["curl", "-s", "-m", "5", "-o", "/dev/null", "-D", "-", "--cacert", "/dev/stdin", "--resolve",
                f"{name}:443:{address}", f"https://{name}/api/health"]
        head = self.node(client).run(argv, stdin=self.authority, check=False).stdout.lower()
        return next((line.split(":")[1].strip() for line in head.splitlines() if line.startswith("x-region:")), "")


def hosts_of(group: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All hosts below a group of a YAML inventory."""
    found = {name: facts or {} for name, facts in (group.get("hosts") or {}).items()}
    for child in (group.get("children") or {}).values():
        for name, facts in hosts_of(child or {}).items():
            found[name] = {**found.get(name, {}), **facts}
    return found


@pytest.fixture(scope="module")
def door(request: pytest.FixtureRequest) -> Iterator[FrontDoor]:
    """The site, healed before and after."""
    running = os.environ.get("LLM_VERIFIER_SITE", "")
    if running:
        name, prefix, state = running.split(":")
        instance = Instance(name, prefix, Path(state), CACHE)
    else:
        instance = request.getfixturevalue("site").instance
    found = look_up(instance)
    heal(found)
    yield found
    heal(found)


def look_up(instance: Instance) -> FrontDoor:
    """The local inventory as this instance has it."""
    inventory = yaml.safe_load((INVENTORY / "hosts.yml").read_text())["all"]
    hosts, groups = hosts_of(inventory), inventory["children"]
    text = (INVENTORY / "group_vars/all/routing_policy.yml").read_text()
    policy = Policy.from_dict(yaml.safe_load(text)["routing_policy"])
    subnets = {host: int(facts["node_subnet"]) for host, facts in hosts.items() if "node_subnet" in facts}

    def machine(host: str) -> Machine:
        network = f"{instance.prefix}.{subnets[host]}"
        return Machine(name=host, address=f"{network}.10", node_address=f"{network}.2")

    regions = [
        Region(name=host, geography=hosts[host]["region_geography"], endpoint=machine(host).address, order=order)
        for order, host in enumerate(hosts_of(groups["regions"]))
    ]
    table = compile_table(policy, regions, 1)
    countries = {host: facts["client_country"] for host, facts in hosts.items() if "client_country" in facts}
    clients = {table.route_of(country).name: host for host, country in countries.items()}
    site = Site(
        edges=tuple(machine(host) for host in hosts_of(groups["edge"])),
        static_site=machine(next(iter(hosts_of(groups["static_site"])))),
    )
    roots = (instance.state_dir / "certificate/ca.crt").read_text()
    return FrontDoor(instance, subnets, table, site, clients, roots)


def heal(door: FrontDoor) -> None:
    for edge in door.site.edges:
        door.fault("up", edge.name)
        door.node(edge.name).run(["sv", "up", "/node/service/haproxy"], check=False)
    for region in door.table.regions:
        door.fault("heal", region.name)
    until(lambda: steady(door.instance), 120, "the engine lets every region back in")


@contextmanager
def dead(door: FrontDoor, regions: Names = (), edges: Names = (), doors: Names = ()) -> Iterator[None]:
    """Regions cut off, edges down altogether, or only their load balancers (`doors`), for a while."""
    try:
        for name in regions:
            door.fault("cut", name)
        for name in edges:
            door.fault("down", name)
        for name in doors:
            door.node(name).run(["sv", "-w", "10", "force-stop", "/node/service/haproxy"], check=False)
        yield
    finally:
        heal(door)


def eventually(look: Callable[[], object], wanted: object) -> None:
    """Look again and again until it is as wanted; the last look is what fails."""
    end = time.monotonic() + SETTLE_SECONDS
    while (found := look()) != wanted and time.monotonic() < end:
        time.sleep(0.5)
    assert found == wanted


def check(door: FrontDoor, gone: Names = ()) -> None:
    """Every geography's DNS answer and serving region is what the table says, by every resolver and name."""
    names = {region.name for region in door.table.regions} | {edge.name for edge in door.site.edges}
    up, domain = names - set(gone), door.table.policy.domain
    living = [edge for edge in door.site.edges if edge.name in up] or list(door.site.edges)
    for geography, client in door.clients.items():
        wanted = dns_answer(door.table, door.site, geography, up)
        eventually(partial(door.ask, client, door.address(living[0].name), f"api.{domain}"), wanted)
    door.forget()
    for geography, client in door.clients.items():
        wanted = dns_answer(door.table, door.site, geography, up)
        for resolver in (door.address(client), door.address(client, 10), door.address("services-1")):
            eventually(partial(door.ask, client, resolver, f"www.{domain}"), wanted)
        (region,) = serving_regions(door.table, geography, up)
        for address, name in product(sorted(wanted), (f"api.{domain}", f"www.{domain}")):
            eventually(partial(door.served_by, client, address, name), region)


def test_all_up(door: FrontDoor) -> None:
    check(door)


@pytest.mark.parametrize("index", range(4))
def test_a_region_is_cut_off(door: FrontDoor, index: int) -> None:
    lost = (door.table.regions[index].name,)
    with dead(door, regions=lost):
        check(door, lost)
    check(door)


def test_an_edge_host_is_dead(door: FrontDoor) -> None:
    lost = (door.site.edges[0].name,)
    with dead(door, edges=lost):
        check(door, lost)
    check(door)


def test_both_load_balancers_are_dead(door: FrontDoor) -> None:
    lost = tuple(edge.name for edge in door.site.edges)
    with dead(door, doors=lost):
        check(door, lost)
        first = door.table.regions[0].name
        with dead(door, regions=(first,), doors=lost):
            check(door, (*lost, first))


def test_no_region_is_alive(door: FrontDoor) -> None:
    lost = tuple(region.name for region in door.table.regions)
    with dead(door, regions=lost):
        check(door, lost)
        edge = door.site.edges[0].address
        client = next(iter(door.clients.values()))
        eventually(partial(door.served_by, client, edge, f"api.{door.table.policy.domain}"), STATIC)
    check(door)


def test_a_zone_knows_its_regions_and_nothing_else(door: FrontDoor) -> None:
    client, server = next(iter(door.clients.values())), door.address("edge-2")
    for region in door.table.regions:
        assert door.ask(client, server, f"{region.name}.{door.table.policy.domain}") == {region.endpoint}
    foreign = door.node(client).run(["dig", f"@{door.address(client)}", "example.org"], check=False).stdout
    assert "REFUSED" in foreign
