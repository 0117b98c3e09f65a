# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runit is given of a service: how much of its log is kept, and whether its lines get a time."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.services import Service


@pytest.mark.parametrize(
    ("given", "config", "times"),
    [
        ({}, "s1000000\nn5\n", True),
        ({"log_megabytes": 20, "log_files": 9, "log_times": False}, "s20000000\nn9\n", False),
        ({"log_files": 0}, "s1000000\nn0\n", True),
    ],
)
def test_logs_have_a_size_of_their_own(given: dict[str, Any], config: str, times: bool) -> None:
    service = Service.from_dict({"name": "haproxy", "command": "haproxy", "reload": None, **given})
    files = {item.path: item.content.decode() for item in service.wanted_files()}
    assert files["log/haproxy/config"] == config
    assert (" -tt " in files["service/haproxy/log/run"]) is times
    assert [path for path in files if service.logs_by(path)] == ["log/haproxy/config", "service/haproxy/log/run"]
