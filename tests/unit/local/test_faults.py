"""Faults as data: what an operation leaves in force, and the packets that a cut drops."""

from __future__ import annotations

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.faults import Target, wanted_faults
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.network import fault_rules

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
