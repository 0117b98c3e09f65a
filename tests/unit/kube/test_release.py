# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping a release goes the way of every other apply, so it must say all that one is asked for."""

from __future__ import annotations

from ansible_collections.llm_verifier.multi_region.plugins.modules import region_apply, region_release

GIVEN = {"kubeconfig", "context", "region", "timeout", "objects"}


def test_every_option_of_an_apply_has_a_value() -> None:
    assert set(region_release.NO_OPTIONS) | GIVEN == set(region_apply.ARGUMENT_SPEC)
