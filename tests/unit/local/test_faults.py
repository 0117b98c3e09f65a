"""Faults as data: what an operation leaves in force, and the packets that a cut drops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import faults
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.faults import Target, wanted_faults
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.network import fault_rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node, NodeSpec

REGION = Target("eu-west-1", 3)


@pytest.mark.parametrize(
    ("operation", "before", "after"),
    [
        ("down", {}, {"down": True}),
        ("up", {"down": True, "cut": ["everything"]}, {"cut": ["everything"]}),
        ("freeze", {}, {"frozen": True}),
        ("cut", {}, {"cut": ["everything"]}),
        ("slow", {}, {"slow": 8}),
        ("heal", {"cut": ["everything"], "slow": 8, "frozen": True, "down": True}, {"down": True}),
        ("thaw", {}, {}),
    ],
)
def test_what_an_operation_leaves_in_force(operation: str, before: dict, after: dict) -> None:
    assert wanted_faults(operation, REGION, before, "10.77") == after


def test_cuts_add_up() -> None:
    first = wanted_faults("cut", Target("eu-west-1", 3, (201,)), {}, "10.77")
    both = wanted_faults("cut", Target("eu-west-1", 3, (1,)), first, "10.77")
    assert both == {"cut": ["10.77.1.0/24", "10.77.201.0/24"]}


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(LocalError, match="'explode': allowed are down"):
        wanted_faults("explode", REGION, {}, "10.77")


def test_a_cut_drops_packets_both_ways_and_only_theirs() -> None:
    rules = [line.strip() for line in fault_rules([{"from": "10.77.3.0/24", "to": "10.77.201.0/24"}]).splitlines()]
    assert [line for line in rules if line.endswith("drop")] == [
        "ip saddr 10.77.3.0/24 ip daddr 10.77.201.0/24 drop",
        "ip daddr 10.77.3.0/24 ip saddr 10.77.201.0/24 drop",
    ]


@pytest.mark.parametrize("bad", [{"name": "much-too-long"}, {"name": "7up"}, {"prefix": "10.300"}, {"prefix": "10"}])
def test_an_instance_that_can_not_be_is_refused(bad: dict) -> None:
    good = {"name": "llmv", "prefix": "10.77", "state_dir": "/x", "cache_dir": "/y"}
    Instance.from_dict(good)
    with pytest.raises(LocalError, match=next(iter(bad.values()))):
        Instance.from_dict({**good, **bad})


ALL = {"down": True, "frozen": True, "cut": ["everything"], "slow": 8}


class World:
    """A machine with one node, of which each part of a fault can be there or not."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running, self.cut, self.slow = False, False, False
        self.instance = Instance("llmv", "10.77", folder / "llmv", folder / "cache")
        self.record = self.instance.state_dir / "faults.json"
        self.calls: list[str] = []
        self.instance.state_dir.mkdir()
        (self.instance.state_dir / ".llm-verifier-instance").write_text("llmv")
        monkeypatch.setattr(Node, "pid", lambda _node: 1 if self.running else None)
        monkeypatch.setattr(Node, "started_with", lambda _node: NodeSpec("/tree", 3))
        for name in ("start", "stop", "freeze", "thaw"):
            monkeypatch.setattr(Node, name, lambda *_words, name=name: self.calls.append(name))
        for name in ("apply_cuts", "slow_link", "ensure_wan"):
            monkeypatch.setattr(faults.network, name, lambda *_words, name=name, **_named: self.calls.append(name))
        monkeypatch.setattr(faults.network, "has_cuts", lambda *_words: self.cut)
        monkeypatch.setattr(faults.network, "is_slow", lambda *_words: self.slow)

    def remembers(self, **fault: object) -> None:
        self.record.write_text(json.dumps({"eu-west-1": fault} if fault else {}))

    def operate(self, operation: str) -> bool:
        return faults.operate(self.instance, "/tree", operation, REGION, check=False)


@pytest.fixture(name="world")
def fixture_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("running", "cut", "slow", "in_force"),
    [
        (False, False, False, {"down"}), (True, False, False, {"frozen"}), (True, True, False, {"frozen", "cut"}),
        (False, False, True, {"down", "slow"}),
    ],
)  # fmt: skip
def test_a_fault_is_over_when_what_carries_it_is_gone(
    world: World, running: bool, cut: bool, slow: bool, in_force: set[str]
) -> None:
    world.remembers(**ALL)
    world.running, world.cut, world.slow = running, cut, slow
    assert set(faults.load(world.instance).get("eu-west-1", {})) == in_force


@pytest.mark.parametrize(
    ("operation", "call"), [("down", "stop"), ("cut", "apply_cuts"), ("slow", "slow_link"), ("freeze", "freeze")]
)
def test_a_fault_that_is_over_can_be_made_again(world: World, operation: str, call: str) -> None:
    """A run started the node, or a reboot took the rules and a run started the node."""
    world.remembers(**ALL)
    world.running = True
    faults.settle(world.instance, "eu-west-1")
    assert json.loads(world.record.read_text()) == {}
    assert world.operate(operation)
    assert call in world.calls


def test_starting_a_node_leaves_what_still_holds(world: World) -> None:
    world.remembers(**ALL)
    world.running = world.cut = world.slow = True
    faults.settle(world.instance, "eu-west-1")
    assert json.loads(world.record.read_text()) == {"eu-west-1": {"cut": ["everything"], "slow": 8}}
    assert not world.operate("cut")


def test_nothing_is_written_where_no_fault_is(world: World) -> None:
    faults.settle(world.instance, "eu-west-1")
    assert not world.record.exists()
