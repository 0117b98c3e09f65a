# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which replicas may be read and promoted."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.database import promotable, readable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Replication

from .world import BEGIN, default_policy

POLICY = default_policy()


def sample(region: str, lag: float | None = 1.0, age: float = 0.0, **changes: Any) -> Replication:
    """What a region's database said."""
    return Replication(region=region, at=BEGIN - age, lag_seconds=lag, **changes)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (sample("a", 30), ""),
        (sample("a", 30.1), "it lags 30 s, limit 30 s"),
        (sample("a", -1), "it lags -1 s, limit 30 s"),
        (sample("a", float("nan")), "it lags nan s, limit 30 s"),
        (sample("a", age=60), ""),
        (sample("a", age=61), "its last sample is 61 s old, limit 60 s"),
        (sample("a", None), "it does not say how far it lags"),
        (sample("a", None, writer=True), ""),
        (sample("b"), "no sample"),
        (sample("a", age=-61), "no sample"),
        (sample("a", age=float("inf")), "no sample"),
    ],
)
def test_reads_need_a_young_sample_and_little_lag(given: Replication, reason: str) -> None:
    (replica,) = readable([given], POLICY, ["a"], BEGIN)
    assert (replica.readable, ", ".join(replica.reasons)) == (not reason, reason)


def test_the_newest_sample_counts_in_any_order() -> None:
    samples = [sample("a", 99, age=9), sample("a", 2), sample("a", None, age=5), sample("b", 99, age=2)]
    for given in permutations(samples):
        assert [item.readable for item in readable(given, POLICY, ["b", "a"], BEGIN)] == [True, False]


def test_the_least_lagging_replica_of_the_highest_epoch_is_the_candidate() -> None:
    samples = [
        sample("old", None, age=600, writer=True, epoch=3),
        sample("near", 2, epoch=3),
        sample("far", 9, epoch=3),
        sample("stray", 0, epoch=2),
        sample("late", 31, epoch=3),
    ]
    found = promotable(samples, POLICY, [item.region for item in samples], BEGIN)
    assert (found.candidate, found.eligible, found.against) == ("near", ("near", "far"), ())
    assert (found.automatic, found.fence, found.epoch) == (False, ("old",), 4)
    automatic = default_policy(database={"promotion": "automatic"})
    assert promotable(samples, automatic, ["near"], BEGIN).automatic


def test_without_a_majority_nobody_is_promoted() -> None:
    """One replica alone may have missed a later epoch."""
    found = promotable([sample("a", epoch=2), sample("b", epoch=1)], POLICY, ["a", "b", "c"], BEGIN)
    assert (found.candidate, found.against) == ("", ("1 of 3 regions know epoch 2: no majority",))


def test_nobody_fit_says_why() -> None:
    found = promotable([sample("a", None, writer=True), sample("b", 99)], POLICY, ["a", "b"], BEGIN)
    assert found.against == ("no replica is fit: a: it is the writer; b: it lags 99 s, limit 30 s",)
    assert promotable([], POLICY, [], BEGIN).candidate == ""
