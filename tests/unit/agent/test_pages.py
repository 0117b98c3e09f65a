# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page's files are served, and no other ones."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.metrics import MetricsServer
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.pages import page


@pytest.fixture(name="www")
def fixture_www(tmp_path: Path) -> Path:
    www = tmp_path / "www"
    (www / "inner.txt").mkdir(parents=True)
    for name in ("index.html", "page.js", "status.json", "map.svg", "key.pem", ".hidden.txt"):
        (www / name).write_text(f"this is {name}")
    (tmp_path / "state.json").write_text("secret")
    (www / "link.json").symlink_to(tmp_path / "state.json")
    os.mkfifo(www / "pipe.txt")
    return www


@pytest.mark.parametrize(
    ("target", "kind"),
    [("/status/", "text/html"), ("/status/page.js?v=1", "text/javascript"), ("/status/status.json", "application/json"),
     ("/status/map.svg", "image/svg+xml")],
)
def test_files_of_the_page_are_served_with_their_kind_and_a_strict_policy(www: Path, target: str, kind: str) -> None:
    found = page(www, target)
    assert found is not None and found.status == 200 and found.body.startswith(b"this is")
    assert found.headers["Content-Type"].startswith(kind) and found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "unsafe" not in found.headers["Content-Security-Policy"] or kind == "image/svg+xml"
    again = page(www, target, f'"other", {found.headers["ETag"]}')
    assert again is not None and (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["../state.json", "%2e%2e/state.json", "..%2fstate.json", "/state.json", "link.json", "key.pem", ".hidden.txt",
     "inner.txt", "inner.txt/", "pipe.txt", "absent.txt", "index.html\0", "index.html/../../state.json", "x" * 5000],
)
def test_nothing_else_is_served(www: Path, name: str) -> None:
    found = page(www, f"/status/{name}")
    assert found is not None and found.status == 404 and b"secret" not in found.body and b"this is" not in found.body


def test_other_paths_are_left_to_others(www: Path) -> None:
    assert page(www, "/metrics") is None and page(www, "/statusx") is None
    found = page(www, "/status")
    assert found is not None and (found.status, found.headers["Location"]) == (308, "/status/")


@pytest.fixture(name="port")
def fixture_port(www: Path) -> Iterator[int]:
    server = MetricsServer(0, list, lambda: "", www)
    server.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_the_agents_own_server_has_pages_beside_metrics(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, path, status, body in (
        ("GET", "/status/page.js", 200, b"this is page.js"),
        ("HEAD", "/status/", 200, b""),
        ("GET", "/healthz", 200, b"ok\n"),
        ("GET", "/status/../state.json", 404, None),
    ):
        connection.request(method, path)
        answer = connection.getresponse()
        found = answer.read()
        assert answer.status == status and (body is None or found == body), path
        assert "Python" not in answer.headers["Server"]
        connection.close()
