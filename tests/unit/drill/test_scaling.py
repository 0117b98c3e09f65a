# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of scaling drills whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.scaling import (
    Course,
    Sample,
    analyse,
    text,
)

COURSE = Course("us-west-2", 10, 3, begun_at=0, more_at=60, less_at=240, ended_at=360, objective_seconds=2,
                stable_seconds=120, cores=0.05, busy_cores=0.049)  # fmt: skip


def looks(decided: float = 90, ready: float = 120, down: float = 300) -> list[Sample]:
    """One a second: 2 pods, 4 wanted and later ready, 2 again."""
    found = []
    for at in range(360):
        wanted = 4 if decided <= at < down else 2
        found.append(Sample(at, wanted, 4 if ready <= at < down else 2, 100 if at < ready else 60))
    return found


def requests(slow_from: float = 60, slow_until: float = 120, seconds: float = 3.0) -> list[dict[str, Any]]:
    return [{"start": at / 10, "status": 200, "seconds": seconds if slow_from <= at / 10 < slow_until else 0.05}
            for at in range(3600)]  # fmt: skip


def test_a_region_that_scales_in_time() -> None:
    report = analyse(COURSE, looks(), requests())
    assert (report.decided, report.stable, report.p99_back) == (30, 60, 60)
    assert (report.down_decided, report.down) == (60, 60)
    assert report.replicas == {"1x": 2, "more": 4, "1x again": 2}
    assert report.p99 == {"1x": 0.05, "more": 3.0, "1x again": 0.05}
    assert not report.wrong and "stable after          60" in text(report)


@pytest.mark.parametrize(
    ("course", "samples", "records", "wrong"),
    [
        (COURSE, looks(decided=500, ready=500), requests(), "never scaled up"),
        (COURSE, looks(ready=500), requests(), "not stable before"),
        (COURSE, looks(ready=190), requests(), "stable after 130"),
        (COURSE, looks(), requests(slow_until=200), "back after 140"),
        (COURSE, looks(), requests(slow_until=240), "did not come back to 2 s"),
        (COURSE, looks(down=500), requests(), "did not scale down"),
        (replace(COURSE, busy_cores=0.9), looks(), requests(), "no quota holds"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(
    course: Course, samples: list[Sample], records: list[dict[str, Any]], wrong: str
) -> None:
    report = analyse(course, samples, records)
    assert [item for item in report.wrong if wrong in item] == report.wrong and report.wrong
    assert "WRONG" in text(report)


def test_requests_that_fail_count_as_late() -> None:
    failing = [{**record, "status": 503 if 60 <= record["start"] < 100 else 200} for record in requests(seconds=0.01)]
    report = analyse(COURSE, looks(), failing)
    assert report.p99_back == 40 and report.failed == {"1x": 0, "more": 400, "1x again": 0}
