# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page in headless Chromium, served by the agent's own server. Pictures are left in tests/output/status.

Long, because a machine without Chromium downloads some 100 MB of it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.metrics import MetricsServer
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.status_document import (
    picture,
    text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.worldmap import template
from tests.integration.browser import Browser, browser
from tests.unit.site.scenario import HOSTILE, POLICY, REGIONS, SITE, bad_day, decided, lost, seen, status_document

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tests/output/status"
DRAWN = "document.querySelector('#map [data-country=IE]') && document.querySelector('.card')"


@dataclass
class Served:
    """The page's folder, its address, and a browser."""

    www: Path
    url: str
    browser: Browser

    def show(self, document: dict[str, Any]) -> None:
        files = {"status.json": json.dumps(document), "status.txt": text(document), "map.svg": picture(document),
                 "world.svg": template()}
        for name, content in files.items():
            beside = self.www / f".{name}"
            beside.write_text(content)
            beside.replace(self.www / name)

    def open(self, document: dict[str, Any], **screen: Any) -> Browser:
        self.show(document)
        self.browser.open(self.url, **screen)
        self.browser.until(DRAWN)
        return self.browser


@pytest.fixture(name="page", scope="module")
def fixture_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("page")
    www = shutil.copytree(ROOT / "plugins/module_utils/site/page", folder / "www")
    server = MetricsServer(0, list, lambda: "", www)
    server.start()
    with browser(folder / "profile") as running:
        yield Served(www, f"http://127.0.0.1:{server.server_address[1]}/status/", running)
    server.shutdown()
    server.server_close()


def words(page: Browser, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).innerText"))


def choose(page: Browser, element: str, value: str) -> None:
    page.run(f"(() => {{ const one = document.getElementById('{element}'); one.value = {value!r}; "
             "one.dispatchEvent(new Event('input')); })()")


@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_bad_day_is_shown_whole_on_every_screen(page: Served, width: int, dark: bool) -> None:
    shown = page.open(bad_day(time.time()), width=width, height=900 if width > 600 else 740, dark=dark)
    banner = words(shown, "#health")
    assert "eu-west-1 is out" in banner and "us-west-2 is admitted 10 %" in banner
    assert "ap-southeast-1 serves, but the verdict is inter region partition" in banner
    assert shown.run("document.querySelector('#map [data-country=IE]').getAttribute('fill')") == "#0072B2"
    cards = words(shown, "#cards")
    for said in ("evicted", "errors 6.3 % of 1,530 requests", "held out", "ramping", "fails for us-west-2", "37.5 %"):
        assert said in cards
    assert "maria" in words(shown, "#orders") and "safety overruled" in words(shown, "#orders")
    assert "0 of 8998" in words(shown, "#drills") and "37 s" in words(shown, "#budget")
    assert shown.run("document.documentElement.scrollWidth") == width, "wider than the screen"
    assert shown.run("document.querySelector('#stale').hidden")
    assert not shown.faults and all(address.startswith(page.url) for address in shown.asked), shown.asked
    shown.picture(PICTURES / f"{'phone' if width < 600 else 'desktop'}-{'dark' if dark else 'light'}.png")


def test_what_others_wrote_stays_text(page: Served) -> None:
    shown = page.open(bad_day(time.time()))
    assert HOSTILE in words(shown, "#log")
    assert shown.run("document.querySelectorAll('main section img, main section script').length") == 0


def test_the_log_is_filtered_by_region_kind_time_and_text(page: Served) -> None:
    shown = page.open(bad_day(time.time()))
    count = "document.querySelectorAll('#log li').length"
    assert shown.run(count) == 12
    shown.run("document.getElementById('more').click()")
    assert shown.run(count) == 36
    for element, value, left in (
        ("f-region", "eu-west-1", 2), ("f-kind", "evicted", 1), ("f-text", "nothing has this", 0), ("f-text", "", 1),
        ("f-kind", "", 2), ("f-region", "", 36), ("f-period", "3600", 6), ("f-text", "MARIA", 1),
    ):
        choose(shown, element, value)
        assert shown.run(count) == left, (element, value)
    assert "1 of 36 changes" in words(shown, "#log-count")


def test_a_country_is_found_with_the_keyboard_alone(page: Served) -> None:
    shown = page.open(bad_day(time.time()))
    for _press in range(10):
        shown.key("Tab", 9)
        if shown.run("document.activeElement.id") == "country":
            break
    assert shown.run("document.activeElement.id") == "country"
    for letter in "JAPAN":
        shown.call("Input.dispatchKeyEvent", type="keyDown", text=letter.lower(), key=letter.lower())
    shown.until("document.getElementById('answer').innerText.includes('ap-southeast-1')")
    assert shown.run("document.querySelector('#map .chosen').dataset.country") == "JP"


def test_what_is_old_says_so_and_what_comes_back_does_not(page: Served) -> None:
    shown = page.open(bad_day(time.time() - 3600))
    assert "Stale since" in words(shown, "#stale") and "agent has stopped" in words(shown, "#stale")
    shown.picture(PICTURES / "old.png")
    page.show(bad_day(time.time()))
    shown.until("document.querySelector('#stale').hidden")
    (page.www / "status.json").unlink()
    shown.until("document.querySelector('#stale').innerText.includes('brought no answer')")
    shown.until("document.querySelector('#stale').innerText.includes(\"can't be reached\")")
    assert words(shown, "#cards"), "what was known stays"


def test_a_page_that_never_got_an_answer_says_that_nothing_is_known(page: Served) -> None:
    (page.www / "status.json").unlink(missing_ok=True)
    page.browser.open(page.url)
    page.browser.until("document.querySelector('#stale').innerText.includes('Nothing is known yet')")
    assert page.browser.run("[...document.querySelectorAll('section')].every((section) => section.hidden)")


def test_with_no_region_left_the_map_says_that_the_static_site_serves(page: Served) -> None:
    none_left = decided(states=lost(*(region.name for region in REGIONS)))
    document = status_document(POLICY, REGIONS, SITE, none_left, seen(), generated_at=time.time(), active_edge="edge-1")
    shown = page.open(document)
    assert "the static site serves" in words(shown, "#health")
    assert shown.run("document.querySelector('#map [data-country=BR]').getAttribute('fill')") == "url(#static)"
    assert "static site: 249 countries" in words(shown, "#legend")


def test_without_scripts_there_are_a_map_and_the_text(page: Served) -> None:
    page.show(bad_day(time.time()))
    page.browser.open(page.url, script=False)
    shown = page.browser
    tree = shown.call("Accessibility.getFullAXTree")["nodes"]
    names = [node.get("name", {}).get("value", "") for node in tree if not node.get("ignored")]
    assert "Map of the world by serving region" in names and "status.txt" in names
    assert not {"Regions", "Decision log"} & set(names), "no empty parts"
    shown.picture(PICTURES / "no-script.png")
    assert not shown.faults
