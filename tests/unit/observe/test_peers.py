# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who probes whom."""

from __future__ import annotations

from collections import Counter

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.peers import peers, probed

HUNDRED = [f"region-{number}" for number in range(100)]


def test_four_others_probe_a_region_whatever_the_order() -> None:
    for region in HUNDRED[:10]:
        found = peers(region, HUNDRED)
        assert len(set(found)) == 4 and region not in found
        assert peers(region, reversed(HUNDRED)) == found
    assert sorted(peers("b", ["a", "b", "c"])) == ["a", "c"]
    assert peers("a", ["a"]) == ()


def test_both_sides_agree_and_no_region_has_all_the_work() -> None:
    work = {name: probed(name, HUNDRED) for name in HUNDRED}
    assert all(region in work[peer] for region in HUNDRED for peer in peers(region, HUNDRED))
    load = Counter(peer for region in HUNDRED for peer in peers(region, HUNDRED))
    assert sum(load.values()) == 400 and max(load.values()) <= 16


def test_a_region_that_goes_changes_only_the_pairs_that_it_was_in() -> None:
    left = HUNDRED[1:]
    for region in left:
        before, after = set(peers(region, HUNDRED)), set(peers(region, left))
        assert before - after <= {HUNDRED[0]}
