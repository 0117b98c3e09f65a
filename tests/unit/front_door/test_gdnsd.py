# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdnsd's configuration means, and whether gdnsd itself takes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import chain, combinations
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.dns_message import A, decode, encode
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.expectation import dns_answer
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import admin_state
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import render as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd.adapter import generation_text
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd.challenge import command
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import RoutingTable, Site

from .conftest import REGIONS, InTree, MakeTable

COUNTRIES = {"US": "10.1.221.0/24", "IE": "10.1.222.0/24", "SG": "10.1.223.0/24", "BR": "10.1.224.0/24"}


def read(text: str) -> dict[str, dict[str, str]]:
    """The lists of the map and the addresses of the resource, as gdnsd reads them."""
    lists = dict(re.findall(r"^\s*\"?([0-9.:/]+)\"? => \[ (.*) \]$", text, re.M))
    centers = dict(re.findall(r"^\s*(\S+) => ([0-9.]+)$", text, re.M))
    return {"lists": lists, "addresses": centers}


def answer(text: str, network: str, up: set[str], evicted: Collection[str] = ()) -> set[str]:
    """gdnsd's answer: the first datacenter of the list that is up; evicted ones are forced down, static up always."""
    data = read(text)
    regions = set(REGIONS)
    for name in data["lists"][network].split(", "):
        if name == "load_balancer":
            edges = {edge for edge in ("edge-1", "edge-2") if edge in up and up & regions}
            if edges:
                return {data["addresses"][edge] for edge in edges}
        elif name == "static_site" or (name.removeprefix("last_") in up and name not in evicted):
            return {data["addresses"][name]}
    raise AssertionError("a list ended without an answer")


def every_state() -> list[set[str]]:
    names = [*REGIONS, "edge-1", "edge-2"]
    return [set(state) for state in chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))]


@pytest.mark.parametrize("door", [None, {"chain": ["regions", "static_site"]}])
def test_every_answer_in_every_state_is_the_policys(
    make_table: MakeTable, site: Site, door: Mapping[str, object] | None
) -> None:
    table = make_table(**({"front_door": door} if door else {}))
    text = gdnsd.render(table, site, gdnsd.Settings())[gdnsd.CONFIGURATION]
    lists = read(text)["lists"]
    assert lists["0.0.0.0/0"] == lists["::/0"] == lists[COUNTRIES["BR"]]
    for country, network in COUNTRIES.items():
        for up in every_state():
            wanted = dns_answer(table, site, table.route_of(country).name, up)
            assert answer(text, network, up) == wanted, (country, up)


def test_evicted_regions_are_the_last_resort(make_table: MakeTable, site: Site) -> None:
    table = make_table({"us-west-2": 0.5}, front_door={"chain": ["regions", "static_site"]})
    text = gdnsd.render(table, site, gdnsd.Settings())[gdnsd.CONFIGURATION]
    for evicted in (state for state in every_state() if not state & {"edge-1", "edge-2"}):
        decided = effective_table(table.policy, table.regions, dict.fromkeys(evicted, 0.0), 8)
        for country, network in COUNTRIES.items():
            for up in every_state():
                wanted = dns_answer(decided, site, table.route_of(country).name, up)
                assert answer(text, network, up, evicted) == wanted, (country, up, evicted)


def test_forced_states_of_others_stay_and_win() -> None:
    theirs = "# ours\ngeoip/geography/eu-west-1 => UP\n*/xmpp => DOWN\n"
    once = admin_state.with_evicted(theirs, {"eu-west-1": 10, "us-east-1": 30})
    assert once.endswith(theirs) and admin_state.evicted(once) == {"eu-west-1": 10, "us-east-1": 30}
    assert admin_state.with_evicted(once, {"eu-west-1": 10}).count("BEGIN") == 1
    assert admin_state.with_evicted(once, {}) == theirs
    assert admin_state.evicted('"geoip/[g]eography/eu-west-1" => DOWN/10\n') == {}


def test_answers_that_are_none_are_told() -> None:
    with pytest.raises(ValueError, match="another question"):
        decode(encode(1, "a.org", A), 1)
    with pytest.raises(ValueError, match="malformed"):
        decode(b"\0\1\x80\0", 1)
    with pytest.raises(ValueError, match="code 5"):
        decode(b"\0\1\x80\5" + b"\0" * 8, 1)


def test_a_country_database_knows_every_country(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    settings = gdnsd.Settings(geoip2_database="/usr/share/GeoIP/x.mmdb")
    text = gdnsd.render(table, site, settings)[gdnsd.CONFIGURATION]
    europe = re.search(r"^\s*EU => \{\n\s*default => \[ load_balancer, (\S+),", text, re.M)
    assert europe and europe[1] == "eu-west-1"
    assert "0.0.0.0/0" not in text


def test_zone_has_all_names_and_short_negative_answers(make_table: MakeTable, site: Site) -> None:
    zone = gdnsd.render(make_table(), site, gdnsd.Settings())[f"{gdnsd.ZONES}/llm-verifier.com"]
    first = [line.split()[0] for line in zone.splitlines()]
    assert {"api", "*", "glb", "ns1", "ns2", *REGIONS} <= set(first)
    assert re.search(r"^@ 5 SOA .* 5$", zone, re.M)
    assert "api 30/10 DYNA geoip!api\n" in zone


@pytest.mark.parametrize(("name", "reason"), [("api", "taken"), ("glb", "taken")])
def test_names_of_the_zone_are_no_regions(make_table: MakeTable, site: Site, name: str, reason: str) -> None:
    table = make_table()
    region = type(table.regions[0])(name=name, endpoint="10.1.1.10")
    clash = RoutingTable(
        generation=1, policy=table.policy, regions=(region,), routes=table.routes, default=table.default,
        countries=table.countries,
    )
    with pytest.raises(ValueError, match=reason):
        gdnsd.render(clash, site, gdnsd.Settings())


def test_challenges_become_one_command() -> None:
    words = command({"_acme-challenge.b.org": ["2"], "_acme-challenge.a.org": ["1", "3"]})
    assert words[-7:] == ["acme-dns-01", "a.org", "1", "a.org", "3", "b.org", "2"]
    with pytest.raises(ValueError, match="no challenge"):
        command({})
    with pytest.raises(ValueError, match="no name of a challenge"):
        command({"www.a.org": ["1"]})


def test_gdnsd_takes_it(make_table: MakeTable, site: Site, in_tree: InTree, tmp_path: Path) -> None:
    settings = gdnsd.Settings(run_dir="/mnt/run", state_dir="/mnt/state", generation_file="/mnt/generation")
    (tmp_path / "generation").write_text(generation_text(7))
    for path, text in gdnsd.render(make_table(), site, settings).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for folder in ("run", "state"):
        (tmp_path / folder).mkdir()
    done = in_tree("gdnsd", "-c", "/mnt/etc/gdnsd", "checkconf")
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
