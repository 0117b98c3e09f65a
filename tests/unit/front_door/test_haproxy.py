# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HAProxy's configuration means: read back rule by rule, and tried by HAProxy itself where the tree is built."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Mapping
from functools import cache
from itertools import chain, combinations, pairwise, product
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.expectation import (
    STATIC,
    serving_regions,
    shares_served,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import state
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy.weights import WHOLE, weights
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import RoutingTable, Site

from .conftest import REGIONS, InTree, MakeTable

SUBSETS = [set(some) for some in chain.from_iterable(combinations(REGIONS, size) for size in range(len(REGIONS) + 1))]
RULE = re.compile(r"^  use-server (\S+) if (.*)$", re.M)
TERM = re.compile(
    r"srv_uweight\(regions/(?P<drawn>[^)]+)\),sub\(txn\.draw\) gt 0|srv_uweight\(regions/(?P<admitted>[^)]+)\) gt 0|"
    r"var\(sess\.geography\) -m str (?P<geography>\S+)|(?P<nobody>nbsrv eq 0)"
)
SERVER = re.compile(r"^  server (\S+) (\S+):443 weight (\d+)$", re.M)


Term = tuple[str, str]


@cache
def rules(text: str) -> dict[str, list[tuple[str, list[Term]]]]:
    """The rules of each geography: a server and the rest of its condition, in a process that isn't stopping."""
    found: dict[str, list[tuple[str, list[Term]]]] = {}
    for name, condition in RULE.findall(text):
        terms = [TERM.fullmatch(term) for term in re.findall(r"\{ (.*?) \}", condition) if term != "stopping"]
        assert all(terms), condition
        words = [{key: value for key, value in term.groupdict().items() if value} for term in terms if term]
        geography = next(word["geography"] for word in words if "geography" in word)
        rest = [next(iter(word.items())) for word in words if "geography" not in word]
        found.setdefault(geography, []).append((name, rest))
    return found


def serve(text: str, geography: str, up: Collection[str], weights: Mapping[str, int]) -> dict[str, float]:
    """The ratio of requests that each region gets: rules top down, over servers that are down, then balance."""
    if not any(f"acl any_region srv_is_up(regions/{name})\n" in text for name in up):
        return {STATIC: 1.0}
    usable = [name for name in REGIONS if name in up and weights[name]]
    bounds = sorted({0, WHOLE, *(weight for weight in weights.values() if weight < WHOLE)})
    found: dict[str, float] = {}
    for draw, following in pairwise(bounds):
        part = (following - draw) / WHOLE

        def holds(term: Term, draw: int = draw) -> bool:
            kind, region = term
            return not usable if kind == "nobody" else weights[region] > (draw if kind == "drawn" else 0)

        first = next((name for name, terms in rules(text)[geography] if name in up and all(map(holds, terms))), "")
        for name in [first] if first else usable:
            share = 1.0 if first else weights[name] / sum(weights[item] for item in usable)
            found[name] = found.get(name, 0.0) + part * share
    return found


def configuration(table: RoutingTable, site: Site) -> str:
    return haproxy.edge(table, site, haproxy.Settings())["etc/haproxy/haproxy.cfg"]


@pytest.mark.parametrize("algorithm", ["geo", "weighted", "round_robin", "least_connections"])
def test_every_geography_is_served_by_what_the_policy_says(make_table: MakeTable, site: Site, algorithm: str) -> None:
    for drained in SUBSETS:
        table = make_table(dict.fromkeys(drained, 0), algorithm=algorithm)
        text = configuration(table, site)
        configured = {name: int(weight) for name, _address, weight in SERVER.findall(text)}
        assert configured == weights(table, {})
        for route, up in product(table.routes, SUBSETS):
            found = serve(text, route.name, up, configured)
            assert set(found) == serving_regions(table, route.name, up), (route.name, up, drained)


@pytest.mark.parametrize("algorithm", ["geo", "weighted", "least_connections"])
def test_weights_at_run_time_mean_what_was_decided(make_table: MakeTable, site: Site, algorithm: str) -> None:
    """Every mix of whole, half, a tenth and evicted, with a region drained by the policy, whatever is up."""
    table = make_table({"us-west-2": 0.5, "ap-southeast-1": 0}, algorithm=algorithm)
    text = configuration(table, site)
    for ratios in product((1.0, 0.1, 0.0), repeat=3):
        admissions = dict(zip(REGIONS, ratios))
        running = weights(table, admissions)
        for route, up in product(table.routes, SUBSETS):
            found, wanted = serve(text, route.name, up, running), shares_served(table, admissions, route.name, up)
            assert set(found) == set(wanted), (admissions, route.name, up)
            assert all(found[name] == pytest.approx(wanted[name], abs=0.011) for name in found), (admissions, up)


def test_a_decision_is_never_rendered(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    with pytest.raises(ValueError, match="at run time"):
        configuration(effective_table(table.policy, table.regions, {"eu-west-1": 0.1}, 8), site)


def test_a_state_file_says_weights_alone() -> None:
    """Old news of what was down or in maintenance would cost a healthy region its traffic."""
    server = state.Server(name="eu-west-1", weight=3, configured=200, port=443, up=False, operator="maint")
    text = state.state_file(8, [server], {"eu-west-1": 20, "gone": 1})
    assert state.generation(text) == 8 and state.generation("1\n") == 0
    assert state.parse(text) == {
        "eu-west-1": state.Server(name="eu-west-1", weight=20, configured=200, port=443, up=True, operator="")
    }
    with pytest.raises(ValueError, match="not a server's state"):
        state.parse("1 regions 1 eu-west-1 - 2 0")


def test_a_failed_attempt_always_has_another_active_region(make_table: MakeTable, site: Site) -> None:
    for drained in ({}, {"us-east-1": 0}, {"us-east-1": 0, "eu-west-1": 0}):
        text = configuration(make_table(drained), site)
        active = [name for name, _address, weight in SERVER.findall(text) if int(weight)]
        assert len(active) >= 2
        assert "backup" not in text
    assert "option redispatch 1\n" in text


def test_a_reload_sends_nobody_to_the_static_site(make_table: MakeTable, site: Site) -> None:
    # HAProxy counts no server as usable in the process that finishes its last requests.
    text = configuration(make_table({"eu-west-1": 0}, algorithm="weighted"), site)
    assert text.count("acl any_region stopping\n") == text.count("acl any_region nbsrv(regions) gt 0\n") == 2
    assert "option idle-close-on-response\n" in text


def test_weights_keep_their_ratio_and_never_round_to_nothing(make_table: MakeTable, site: Site) -> None:
    weights = {"us-east-1": 1000, "us-west-2": 500, "eu-west-1": 0.001}
    text = configuration(make_table(weights, algorithm="weighted"), site)
    found = {name: int(weight) for name, _address, weight in SERVER.findall(text)}
    assert found["us-east-1"] == pytest.approx(2 * found["us-west-2"], rel=0.02)
    assert min(found.values()) == 1 and max(found.values()) <= 256


def test_countries_and_networks_are_the_policys(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    files = haproxy.edge(table, site, haproxy.Settings())
    countries = dict(line.split() for line in files["etc/haproxy/countries.map"].splitlines())
    networks = dict(line.split() for line in files["etc/haproxy/networks.map"].splitlines())
    assert countries == {code: table.route_of(code).name for code, _geography in table.countries}
    assert networks == dict(site.networks)


def test_only_listed_networks_are_believed(make_table: MakeTable, site: Site) -> None:
    text = configuration(make_table(), site)
    assert "acl from_proxy always_false" in text
    gateway = haproxy.gateway(make_table().policy, site, haproxy.Settings(), "us-east-1", "app:8080")["haproxy.cfg"]
    assert "acl from_proxy src 10.1.201.10 10.1.202.10\n" in gateway


def test_only_what_may_be_repeated_is_tried_again(make_table: MakeTable, site: Site) -> None:
    text = configuration(make_table(), site)
    assert "acl idempotent method GET HEAD OPTIONS PUT DELETE\n" in text
    assert "http-request disable-l7-retry if !idempotent !keyed\n" in text


@pytest.mark.parametrize(
    ("kind", "prefer", "seconds"),
    [
        ("GET", "", 5), ("GET", "wait=2", 1.0), ("GET", "wait=30", 60),
        ("keyed", "", 5), ("keyed", "wait=1", 1.0), ("keyed", "wait=30", 60),
        ("POST", "", 60), ("POST", "wait=1", 60),
    ],
)
def test_how_long_one_region_may_take(
    make_table: MakeTable, site: Site, kind: str, prefer: str, seconds: float
) -> None:
    """Haste is asked for: by default an answer that the policy calls healthy is waited for."""
    words = {"idempotent": kind == "GET", "keyed": kind == "keyed", "quick": prefer in ("wait=1", "wait=2"),
             "patient": prefer.startswith("wait")}
    text = configuration(make_table(), site)
    rules = re.findall(r"set-timeout server (\d+)ms if (.*)$", text, re.M)
    (default,) = re.findall(r"^backend regions\n(?:  .*\n)*?  timeout server (\d+)ms$", text, re.M)
    given = [int(limit) / 1000 for limit, condition in rules
             if all(words[word.removeprefix("!")] is not word.startswith("!") for word in condition.split())]
    assert (given or [int(default) / 1000])[-1] == seconds


def test_no_answer_takes_a_region_out(make_table: MakeTable, site: Site) -> None:
    """Only connections do: a path that is slow or fails everywhere would take out every region, one by one."""
    assert re.findall(r" observe (\w+) ", configuration(make_table(), site)) == ["layer4"]


def test_a_region_without_an_endpoint_is_refused(make_table: MakeTable, site: Site) -> None:
    table = make_table()
    broken = RoutingTable(
        generation=1, policy=table.policy, regions=(type(table.regions[0])(name="x"),), routes=(), default="other",
        countries=(),
    )
    with pytest.raises(ValueError, match="regions without an endpoint: x"):
        haproxy.edge(broken, site, haproxy.Settings())


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown HAProxy settings: ratelimit"):
        haproxy.Settings.from_dict({"ratelimit": 1})


@pytest.mark.parametrize("part", ["edge", "gateway", "static_site"])
def test_haproxy_takes_it(make_table: MakeTable, site: Site, in_tree: InTree, tmp_path: Path, part: str) -> None:
    settings = haproxy.Settings(
        proxy_protocol_networks=("192.0.2.0/24",), acme_thumbprint="abc", slow_paths=("/api/verify",),
        state_file="/mnt/servers.state",
    )
    table = make_table({"eu-west-1": 0})
    files = {
        "edge": haproxy.edge(table, site, settings),
        "gateway": haproxy.gateway(table.policy, site, settings, "us-east-1", "127.0.0.1:8080"),
        "static_site": haproxy.static_site(table.policy, settings),
    }[part]
    for path, text in files.items():
        (tmp_path / Path(path).name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))
    (tmp_path / "servers.state").write_text("1\n")
    certificate(tmp_path)
    done = in_tree("haproxy", "-c", "-f", "/mnt/haproxy.cfg")
    assert done.returncode == 0 and "[WARNING]" not in done.stderr, done.stderr


def certificate(folder: Path) -> None:
    """A self-signed certificate where the settings expect it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=api", "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")],
        check=True, capture_output=True,
    )
    (folder / "ca.pem").write_text((folder / "tls.crt").read_text())
