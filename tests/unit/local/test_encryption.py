# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing the key that encrypts Secrets: at no step is anything unreadable, wherever a run stops."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.encryption import (
    EncryptionError,
    configuration,
    encoded,
    phase,
    turned,
)

STEPS = ("introduced", "promoted", "settled")
FIRST = configuration([(1, encoded(b"1" * 32))])


def keys(text: str) -> list[str]:
    """Names of the keys as the API server reads them."""
    provider: dict[str, Any] = yaml.safe_load(text)["resources"][0]["providers"][0]
    return [item["name"] for item in provider["secretbox"]["keys"]]


def rotated(text: str, *steps: str) -> str:
    for step in steps:
        text = turned(text, step, lambda: encoded(b"2" * 32))
    return text


def test_the_order_of_the_keys_at_every_step() -> None:
    assert keys(FIRST) == ["key1"]
    assert keys(rotated(FIRST, "introduced")) == ["key1", "key2"]
    assert keys(rotated(FIRST, "introduced", "promoted")) == ["key2", "key1"]
    assert keys(rotated(FIRST, *STEPS)) == ["key2"]
    assert keys(rotated(FIRST, *STEPS, *STEPS)) == ["key3"]
    assert phase(rotated(FIRST, "introduced", "promoted")) == "promoted"


@pytest.mark.parametrize("cut", range(len(STEPS)))
def test_a_run_that_stopped_is_gone_on_with(cut: int) -> None:
    assert keys(rotated(FIRST, *STEPS[:cut], *STEPS)) == ["key2"], "and makes no third key"


@pytest.mark.parametrize("steps", list(itertools.permutations(STEPS)))
def test_no_order_of_steps_drops_a_key_before_another_encrypts(steps: tuple[str, ...]) -> None:
    text = FIRST
    for step in steps:
        encrypted_until_now = keys(text)[0]
        try:
            text = rotated(text, step)
        except EncryptionError:
            assert (step, phase(text)) == ("settled", "introduced")
        assert encrypted_until_now in keys(text)


@pytest.mark.parametrize("text", ["", FIRST + "# edited\n", FIRST.replace("secretbox", "aescbc"), configuration([])])
def test_a_file_of_somebody_else_is_left_alone(text: str) -> None:
    with pytest.raises(EncryptionError):
        rotated(text, "introduced")
