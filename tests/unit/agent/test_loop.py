# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop on two edges: what is decided is in force everywhere, whoever is killed, cut off, full or damaged."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent import commands, control, loop
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.history import verified
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.service import Service
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.store import ElsewhereError, Kept, Role
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill import doctored
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import Steering
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.decision import effective_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.explain import history
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import RoutingTable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.records import Records

from .conftest import Edge

Edges = dict[str, Edge]


def admission(edge: Edge, region: str) -> float:
    """What the edge's back end holds."""
    held: float = json.loads(dict(edge.adapter.memory.records.items)[f"admission/{region}"])
    return held


def order(service: Service, kind: str, region: str, **more: Any) -> dict[str, Any]:
    """Give an order as the command does, on the service's own edge."""
    question = {"kind": kind, "region": region, "by": "anna", "reason": "a test", "write": True, **more}
    return commands._tick(service.control, bool(question["write"]), commands.ordered(service.settings, question))


def both(edges: Edges) -> tuple[Service, Service]:
    """Both edges running, after a first round of each."""
    one, two = edges["edge-1"].serve(), edges["edge-2"].serve()
    rounds(two, one, two, one, two)
    assert one.failures == two.failures == ()
    return one, two


def held(service: Service) -> Kept:
    """What an edge remembers."""
    kept = service.control.memory.kept
    assert kept is not None
    return kept


def rounds(*services: Service) -> None:
    for service in services:
        service.round()


def test_nothing_is_written_where_nothing_is_to_do(edges: Edges) -> None:
    one, _two = both(edges)
    writes = [edge.adapter.memory.writes for edge in edges.values()]
    lines = one.control.memory.journal.head()
    rounds(one, one, one)
    assert [edge.adapter.memory.writes for edge in edges.values()] == writes
    assert one.control.memory.journal.head() == lines


def test_an_order_is_in_force_on_both_edges_and_in_both_logs(edges: Edges) -> None:
    one, two = both(edges)
    done = order(one, "force_down", "eu-west-1")
    assert done["changed"] and not done["failures"]
    rounds(two)
    assert [admission(edge, "eu-west-1") for edge in edges.values()] == [0, 0]
    rounds(one, two)
    heads = [service.control.memory.journal.head() for service in (one, two)]
    assert heads[0] and heads[0] == heads[1]
    assert not order(one, "force_down", "eu-west-1")["changed"]
    assert order(one, "lift", "eu-west-1")["changed"]


@pytest.mark.parametrize(("region", "freeze"), [("mars", False), ("mars", True), ("", False)])
def test_the_end_of_orders_of_no_region_is_refused(edges: Edges, region: str, freeze: bool) -> None:
    one, _two = both(edges)
    with pytest.raises(RoutingError, match="is no region"):
        order(one, "lift", region, freeze=freeze)


def test_who_forced_an_order_and_why_ends_in_both_logs(edges: Edges) -> None:
    one, two = both(edges)
    order(one, "drain", "eu-west-1")
    order(one, "drain", "ap-south-1")
    order(one, "force_down", "us-east-1", force=True, by="bea", reason="a fire")
    order(one, "lift", "us-east-1", by="ida", reason="it is out")
    rounds(one, two)
    for service in (one, two):
        entries = [json.loads(line) for line in service.control.memory.journal.lines()]
        given, ended = (next(item for item in entries if item.get("by") == name) for name in ("bea", "ida"))
        signed = {key: given["orders"][0][key] for key in ("kind", "region", "by", "reason", "force")}
        assert signed == {
            "kind": "force_down", "region": "us-east-1", "by": "bea", "reason": "a fire", "force": True
        }  # fmt: skip
        assert (given["by"], given["reason"]) == ("bea", "a fire")
        assert ended["lifted"] == given["orders"] and (ended["by"], ended["reason"]) == ("ida", "it is out")
        text = "\n".join(history(service.control.memory.journal.lines(), 0, float("inf")).lines)
        assert "us-east-1: order force_down by bea: a fire" in text
        assert "us-east-1: end of order force_down by ida: it is out" in text


def test_check_mode_says_what_would_be_done_and_does_nothing(edges: Edges) -> None:
    one, _two = both(edges)
    folder = edges["edge-1"].settings.folder
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = order(one, "force_down", "eu-west-1", write=False)
    assert done["changed"] and done["admissions"]["eu-west-1"] == 0 and done["plans"][0]["steps"]
    assert admission(edges["edge-1"], "eu-west-1") == 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_the_gate_refuses_the_last_region_unless_forced(edges: Edges) -> None:
    one, _two = both(edges)
    order(one, "force_down", "eu-west-1")
    order(one, "drain", "ap-south-1")
    with pytest.raises(RoutingError, match="no healthy region would serve without us-east-1"):
        order(one, "force_down", "us-east-1")
    assert order(one, "force_down", "us-east-1", force=True)["orders"][-1]["force"]


def test_a_decision_that_leaves_a_country_without_an_answer_is_neither_kept_nor_applied(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _two = both(edges)
    def lossy(*given: Any) -> RoutingTable:
        table = effective_table(*given)
        return replace(table, countries=tuple(pair for pair in table.countries if pair[0] != "IE"))

    monkeypatch.setattr(control, "effective_table", lossy)
    before = edges["edge-1"].adapter.memory.writes, one.control.memory.journal.head(), held(one)
    with pytest.raises(RoutingError, match="1 countries lead nowhere: IE"):
        order(one, "force_down", "eu-west-1")
    rounds(one)
    assert "lead nowhere" in one.trouble()
    assert (edges["edge-1"].adapter.memory.writes, one.control.memory.journal.head(), held(one)) == before


def test_a_plan_that_leaves_a_record_without_a_value_is_refused(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = both(edges)
    adapter = edges["edge-1"].adapter
    wanted, writes = adapter.desired, adapter.memory.writes

    def empty(steering: Steering) -> Records:
        records = wanted(steering)
        return replace(records, items=tuple((key, "" if "eu-west-1" in key else text) for key, text in records.items))

    monkeypatch.setattr(adapter, "desired", empty)
    failures = order(one, "drain", "eu-west-1")["failures"]
    assert any("would hold an empty 'admission/eu-west-1'" in text for text in failures)
    assert adapter.memory.writes == writes and admission(edges["edge-1"], "eu-west-1") == 1


def test_killed_while_applying_the_next_start_finishes(edges: Edges) -> None:
    one, _two = both(edges)
    first = edges["edge-1"]
    first.adapter.memory.broken = frozenset({"admission/eu-west-1"})
    assert order(one, "force_down", "eu-west-1")["failures"]
    assert admission(first, "eu-west-1") == 1
    first.end()
    first.adapter.memory.broken = frozenset()
    first.serve().round()
    assert admission(first, "eu-west-1") == 0


def test_dead_after_the_first_of_two_steps_the_next_start_does_the_second(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent of the drill `agent-killed`."""
    one, _two = both(edges)
    first = edges["edge-1"]

    def killed(_pid: int, number: int) -> None:
        raise SystemExit(number)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "apply", vars(loop)["apply"])
        patched.setattr(os, "kill", killed)
        doctored.dying(loop)
        with pytest.raises(SystemExit):
            order(one, "force_down", "eu-west-1")
    assert admission(first, "eu-west-1") == 0
    assert dict(first.adapter.memory.records.items)["ttl"] == "30", "nothing was left to do"
    first.end()
    again = first.serve()
    again.round()
    assert dict(first.adapter.memory.records.items)["ttl"] == "10"
    assert held(again).state.generation == first.adapter.memory.records.generation, "it decided anew"


def test_a_damaged_state_stops_deciding_but_not_serving(edges: Edges) -> None:
    one, _two = both(edges)
    order(one, "force_down", "eu-west-1")
    first = edges["edge-1"]
    first.end()
    state = first.settings.folder / "state.json"
    state.write_text(state.read_text().replace("eu-west-1", "eu-west-2"))
    again = first.serve()
    rounds(again, again)
    assert "takeover.yml" in again.trouble() and {n: v for n, _l, v in again.samples()}["state_refused"] == 1
    assert admission(first, "eu-west-1") == 0
    state.unlink()
    again.round()
    assert not again.failures and admission(first, "eu-west-1") == 0
    assert held(again).state.orders[0].reason == "a test"


def test_the_other_edge_takes_over_with_orders_generation_and_log(edges: Edges) -> None:
    one, two = both(edges)
    order(one, "force_down", "eu-west-1")
    generation = held(one).state.generation
    told = commands.takeover_by(two.control, write=True)
    assert told["changed"] and told["role"] == {"active": "edge-2", "epoch": 1} and not told["unreached"]
    rounds(one, two, one)
    assert not one.control.memory.active and two.control.memory.active
    kept = held(two)
    assert kept.state.generation > generation and kept.state.orders[0].region == "eu-west-1"
    assert held(one).order == kept.order and one.failures == ()
    assert not commands.takeover_by(two.control, write=True)["changed"]


def test_an_edge_that_was_away_follows_the_one_that_took_over(edges: Edges) -> None:
    _one, two = both(edges)
    edges["edge-1"].end()
    order_of = edges["edge-1"].settings
    assert commands.takeover_by(two.control, write=True)["unreached"]
    order(two, "drain", "us-east-1")
    back = edges["edge-1"].serve()
    assert back.control.memory.role == Role(active="edge-1", epoch=0) and order_of.first == "edge-1"
    rounds(back)
    assert not back.control.memory.active
    rounds(two, back)
    assert admission(edges["edge-1"], "us-east-1") == 0 and not back.failures


def test_an_older_decision_is_refused(edges: Edges) -> None:
    one, two = both(edges)
    question = one.control.edges._question("edge-2", held(one))
    order(one, "force_down", "eu-west-1")
    status, answer = two.control.memory.follow("edge-1", question)
    assert status == 409 and "older" in answer["error"]
    status, answer = two.control.memory.follow("edge-2", question)
    assert status == 403


def test_without_state_the_generation_goes_on_from_the_back_ends(edges: Edges) -> None:
    one, _two = both(edges)
    order(one, "force_down", "eu-west-1")
    generation = edges["edge-1"].adapter.memory.records.generation
    for edge in edges.values():
        edge.end()
        (edge.settings.folder / "state.json").unlink()
    again = edges["edge-1"].serve()
    again.round()
    assert not again.failures
    assert edges["edge-1"].adapter.memory.records.generation >= generation


def test_who_lost_the_state_alone_leaps_over_what_the_other_edge_has(edges: Edges) -> None:
    one, _two = both(edges)
    for region in ("eu-west-1", "us-east-1"):
        order(one, "force_down", region)
        order(one, "lift", region)
    generation = held(one).state.generation
    for edge in edges.values():
        edge.end()
    first = edges["edge-1"]
    (first.settings.folder / "state.json").unlink()
    first.adapter.memory.records = Records(generation=0)
    alone = first.serve()
    alone.round()
    assert held(alone).state.generation < generation
    two = edges["edge-2"].serve()
    rounds(two, alone, two, alone, two)
    assert alone.failures == two.failures == ()
    assert held(two).order == held(alone).order
    assert held(two).state.generation >= generation


def test_a_command_on_the_wrong_edge_names_the_right_one(edges: Edges) -> None:
    _one, two = both(edges)
    with pytest.raises(ElsewhereError) as caught:
        order(two, "drain", "eu-west-1")
    assert caught.value.active == "edge-1"


def test_the_log_is_one_chain_and_replays_over_rotation(edges: Edges) -> None:
    one, two = both(edges)
    for service in (one, two):
        service.control.memory.journal._largest = 4000
    for region in ("eu-west-1", "us-east-1", "eu-west-1"):
        order(one, "force_down", region)
        order(one, "lift", region)
    rounds(one, two)
    for service in (one, two):
        memory = service.control.memory
        assert len(list(memory.store.folder.glob("decisions-*.jsonl"))) > 1
        found = verified(list(memory.journal.lines()), held(service).state.log_head, again=True)
        assert found["whole"] and found["replayed"] == found["lines"] > 6, found["problems"]
    log = max(one.control.memory.store.folder.glob("decisions-*.jsonl"))
    log.write_text(log.read_text().replace("a test", "a jest"))
    assert not verified(list(one.control.memory.journal.lines()), "", again=False)["whole"]


def test_what_another_edge_says_about_the_future_or_for_others_is_left_out(edges: Edges) -> None:
    from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.watch import heard, merged

    def probe(vantage: str, at: float) -> dict[str, Any]:
        return {"vantage": vantage, "kind": "edge", "region": "eu-west-1", "at": at, "ok": False}

    probes = [probe("edge-2", 5000.0), probe("edge-2", 5001.0), probe("edge-1", 4999.0)]
    seen = heard("edge-2", {"now": 5000.5, "observations": {"at": 5000.0, "probes": probes}}, 100.0)
    assert [(item.vantage, item.at) for item in merged(100.0, [seen]).probes] == [("edge-2", 99.5)]


def test_a_sick_region_is_evicted_by_what_both_edges_see(edges: Edges) -> None:
    one, two = both(edges)
    for edge in edges.values():
        edge.sick = {"eu-west-1"}
    for _tick in range(6):
        rounds(two, one)
    seen = {item.subject: item.verdict for item in one.outcome.decision.verdicts} if one.outcome else {}
    assert seen["eu-west-1"] != "OK" and seen["us-east-1"] == "OK"


