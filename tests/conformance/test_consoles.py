# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Prometheus fills in the dashboards' pages, and escapes what it is told."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import all as every
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .programs import program

SETTINGS = Settings.from_dict({"prices": {"a": {"core_hour": 1, "gib_hour": 1, "egress_gib": 1}}})
PAGES = every.consoles(SETTINGS)
RULES = """
groups:
- name: made-up
  rules:
  - {record: "region_job:up:avg", expr: 'label_replace(vector(1), "region", "eu-west-1", "", "")'}
  - {record: "global:http_requests:rate5m", expr: "vector(12.5)"}
"""


@pytest.fixture(name="address", scope="module")
def fixture_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("consoles")
    (folder / "consoles").mkdir()
    for name, text in PAGES.items():
        (folder / "consoles" / name).write_text(text)
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text("global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    process = subprocess.Popen([
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", f"--web.console.templates={folder}/consoles", "--log.level=error",
    ])  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 30
        while "12.5" not in page(address, "index.html"):
            assert time.monotonic() < end
            time.sleep(0.3)
        yield address
    finally:
        process.kill()
        process.wait()


def page(address: str, name: str, query: str = "") -> str:
    try:
        with urllib.request.urlopen(f"{address}/consoles/{name}{query}", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"
    except OSError:
        return ""


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_filled_in(address: str, name: str) -> None:
    text = page(address, name, "?region=eu-west-1")
    assert text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>")
    assert '<a href="?region=eu-west-1">' in text
    assert "{{" not in text and "ZgotmplZ" not in text
    assert 'region=~\\"" + "eu-west-1" + "\\"' in text


def test_what_is_asked_for_is_escaped(address: str) -> None:
    evil = "%22%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E"
    text = page(address, "index.html", f"?region={evil}")
    assert "<script>alert(1)" not in text and text.rstrip().endswith("</html>")
