# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans out of lines of the access log, and those lines out of files that are rotated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.tracing import follow
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.tracing.spans import span_of

TRACE, OWN, PARENT, BEGAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7", 1795927302022795
ENTRY = {"request_id": "edge-1-106", "country": "IE", "geography": "europe", "method": "POST", "path": "/api/verify",
         "region": "eu-west-1", "retries": "1", "ended": "----", "status": 200, "milliseconds": 12}


def line(trace: str = f"{TRACE}-{OWN}-{PARENT}-{BEGAN}", **changes: Any) -> bytes:
    """A line of the access log."""
    return json.dumps({**ENTRY, "trace": trace, **changes}, separators=(",", ":")).encode()


def test_a_span_says_whose_when_how_long_and_where() -> None:
    span = span_of(b"2026-11-29T04:41:42.1Z stdout F " + line(), "gateway", {"region": "us-east-1", "generation": "9"})
    assert span and span["tags"].pop("region") == "us-east-1" and span["tags"].pop("generation") == "9"
    assert span == {
        "traceId": TRACE, "id": OWN, "parentId": PARENT, "kind": "SERVER", "name": "post", "timestamp": BEGAN,
        "duration": 12_000, "localEndpoint": {"serviceName": "gateway"},
        "tags": {"request_id": "edge-1-106", "http.method": "POST", "http.path": "/api/verify", "country": "IE",
                 "http.status_code": "200", "geography": "europe", "retries": "1"},
    }
    root = span_of(line(f"{TRACE}-{OWN}--{BEGAN}", milliseconds=0, country="-", region="<NOSRV>"), "edge", {})
    assert root and "parentId" not in root and root["duration"] == 1 and not {"country", "region"} & root["tags"].keys()


@pytest.mark.parametrize(
    ("changes", "said"), [({"status": 503}, "503 ----"), ({"ended": "CD--"}, "200 CD--"), ({"status": 404}, None)])
def test_what_failed_is_marked(changes: dict[str, Any], said: str | None) -> None:
    span = span_of(line(**changes), "edge", {})
    assert span and span["tags"].get("error") == said


@pytest.mark.parametrize("text", [
    b"", b"[NOTICE] haproxy version is 2.6", line("-"), line("junk"), line(f"{TRACE}-{OWN}-{PARENT}"), line()[:-9],
    b'{"trace":1}', b'{"a":["b"]}', b"{}",
])
def test_other_lines_are_none(text: bytes) -> None:
    assert span_of(text, "edge", {}) is None


def test_lines_are_followed_from_now_on_over_rotation_and_new_files(tmp_path: Path) -> None:
    current = tmp_path / "current"
    current.write_bytes(b"old\n")
    follower = follow.Follower([str(tmp_path / "cur*"), str(tmp_path / "pods/*/*.log")])
    with current.open("ab") as stream:
        stream.write(b"one\ntw")
    assert list(follower.lines()) == [b"one"]
    with current.open("ab") as stream:
        stream.write(b"o\nlast of it\n")
    current.rename(tmp_path / "@4000")
    current.write_bytes(b"first of the next\n")
    (tmp_path / "pods/a").mkdir(parents=True)
    (tmp_path / "pods/a/0.log").write_bytes(b"of a pod\n")
    assert list(follower.lines()) == [b"two", b"last of it", b"first of the next", b"of a pod"]
    assert not list(follower.lines())
    (tmp_path / "pods/a/0.log").unlink()
    current.write_bytes(b"cut\n")
    assert list(follower.lines()) == [b"cut"]
    follower.close()


def test_of_a_file_that_grew_too_fast_the_older_part_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LARGEST_STEP", 100)
    path = tmp_path / "current"
    path.touch()
    follower = follow.Follower([str(path)])
    path.write_bytes(b"".join(b"line %03d\n" % number for number in range(200)))
    found = list(follower.lines())
    assert found[-1] == b"line 199" and 5 < len(found) < 15
    follower.close()
