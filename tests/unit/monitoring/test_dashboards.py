# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards: their JSON is whole, they read what there is, and what is wrong with one is told."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.metrics import HELP, PREFIX
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import all as every
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards import checks, grafana
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.dashboards.model import (
    EVICTION,
    Dashboard,
    Panel,
    Row,
    one,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.model import MonitoringError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.rules import recorded
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PRICES = {"eu": {"core_hour": 0.04, "gib_hour": 0, "egress_gib": 0.09}}
Spoil = Callable[[dict[str, Any]], Any]


def settings(**given: Any) -> Settings:
    return Settings.from_dict({"prices": PRICES, **given})


def one_dashboard(*panels: Panel) -> dict[str, Any]:
    """The JSON of a dashboard with these panels."""
    rows = (Row(title="Row", panels=panels),)
    return grafana.render(Dashboard(uid="x", title="X", description="", rows=rows), "https://x/")


def test_all_dashboards_are_whole_with_and_without_prices() -> None:
    made = every.rendered(settings())
    assert list(made) == [f"llm-verifier-{name}" for name in ("overview", "region", "routing", "slo", "cost")]
    assert "region:cost_per_hour:rate5m" in json.dumps(made["llm-verifier-cost"])
    without = json.dumps(every.rendered(Settings()))
    assert "cost_per_hour" not in without and "currencyUSD" not in without


def test_thresholds_are_the_inventorys() -> None:
    made = json.dumps(every.rendered(settings(objective=0.995, latency_seconds=0.5)))
    assert "/ 0.005" in made and "/ 0.001" not in made
    assert "Ratio of answers over 0.5 s" in made


def test_every_record_is_shown_or_feeds_one_that_is() -> None:
    shown = {name for made in every.rendered(settings()).values() for _title, expr in checks.queries(made)
             for name in checks.series(expr)}
    assert shown >= checks.SCRAPED, "scraped for nothing"
    unseen = recorded(settings()) - shown
    assert unseen == {"region_resource:use:rate5m", "region_resource:price:hour"}


def test_what_edges_scrape_is_what_dashboards_may_read() -> None:
    template = (ROOT / "roles/monitoring/templates/edge.yml.j2").read_text()
    kept = re.findall(r"action: keep, regex: (\S+)}", template)
    for name in checks.SCRAPED - {"up", "ALERTS"}:
        if name.startswith(PREFIX):
            assert name.removeprefix(PREFIX) in HELP
        else:
            assert any(re.fullmatch(regex, name) for regex in kept), f"{name} isn't kept"


def test_links_open_runbooks() -> None:
    made = every.rendered(settings())
    links = {link["url"] for dashboard in made.values() for panel in dashboard["panels"]
             for link in panel.get("links", ())}  # fmt: skip
    assert len(links) > 15
    home = "https://github.com/llm-verifier/multi_region/blob/main/"
    assert not [link for link in links if not (ROOT / link.removeprefix(home)).is_file()]


def test_places_are_filled_from_left_to_right() -> None:
    made = one_dashboard(*(Panel(title=str(number), width=width, height=number + 3, targets=one("up"))
                           for number, width in enumerate((12, 12, 8))))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in made["panels"]]
    assert places == [(0, 0), (0, 1), (12, 1), (0, 5)]
    assert not checks.problems(made, {"up", "ALERTS"})


def _second(made: dict[str, Any]) -> dict[str, Any]:
    panel: dict[str, Any] = made["panels"][2]
    return panel


@pytest.mark.parametrize(("spoil", "told"), [
    (lambda made: made.update(uid="Not good"), "uid 'Not good'"),
    (lambda made: made.update(schemaVersion=16), "schemaVersion is 16, not 42"),
    (lambda made: made.update(title=""), "no title"),
    (lambda made: made["templating"]["list"].pop(), "variables are {'datasource': 'datasource'}"),
    (lambda made: _second(made).update(id=2), "id 2 is given twice"),
    (lambda made: _second(made)["gridPos"].update(x=11), "a lies over b"),
    (lambda made: _second(made)["gridPos"].update(x=13), "b: lies outside of 24 columns"),
    (lambda made: _second(made).update(type="graph"), "b: type 'graph'"),
    (lambda made: _second(made).update(datasource={"uid": "prom"}), "b: the data source isn't the variable"),
    (lambda made: _second(made)["fieldConfig"]["defaults"].update(unit="furlong"), "b: unit 'furlong'"),
    (lambda made: _second(made)["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse(), "b: thresholds"),
    (lambda made: _second(made)["links"].append({"url": "runbook"}), "b: runbook is no address"),
    (lambda made: _second(made)["targets"].clear(), "b: no query"),
    (lambda made: _second(made)["targets"].append(_second(made)["targets"][0]), "b: no query, or two by one name"),
    (lambda made: _second(made)["targets"][0].pop("expr"), "b: a query has no expression"),
    (lambda made: _second(made)["targets"][0].update(datasource=None), "b: a query's data source isn't"),
    (lambda made: _second(made)["targets"][0].update(expr="rate(down[5m])"), "b: nothing records or scrapes down"),
    (lambda made: _second(made)["targets"][0].update(expr='up{a="$edge"}'), "b: there is no variable $edge"),
    (lambda made: made["annotations"]["list"][0].update(expr="x"), "annotation Region taken out: nothing records"),
])  # fmt: skip
def test_what_is_wrong_is_told(spoil: Spoil, told: str) -> None:
    steps = ((1, "red"), (2, "red"))
    made = one_dashboard(*(Panel(title=title, targets=one("up"), steps=steps) for title in "ab"))
    good = copy.deepcopy(made)
    spoil(made)
    assert not checks.problems(good, {"up", "ALERTS"})
    assert any(text.startswith(told) for text in checks.problems(made, {"up", "ALERTS"}))


@pytest.mark.parametrize(("expr", "names"), [
    ('sum by (region) (rate(a_total{b="c and d"}[5m])) / (region:b:c > 0)', {"a_total", "region:b:c"}),
    ("a * on (x) group_left (y) b", {"a", "b"}),
    ('count(ALERTS{alertstate="firing"}) or vector(0)', {"ALERTS"}),
    ("a{x!=\"y\"} - time() > bool 1e6 and b offset 5m", {"a", "b"}),
    ("histogram_quantile(0.95, sum by(le)(rate(h_bucket[5m])))", {"h_bucket"}),
])  # fmt: skip
def test_series_that_an_expression_reads(expr: str, names: set[str]) -> None:
    assert checks.series(expr) == names


def test_a_page_that_names_what_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Page:
        @staticmethod
        def dashboard(_settings: Settings) -> Dashboard:
            panel = Panel(title="P", targets=one("nothing"), alerts=("NoSuchAlert",))
            return Dashboard(uid="x", title="X", description="", rows=(Row(title="R", panels=(panel,)),))

    monkeypatch.setattr(every, "PAGES", (Page,))
    with pytest.raises(MonitoringError, match="nothing records or scrapes nothing; there is no alert NoSuchAlert"):
        every.rendered(Settings())


def test_config_maps_are_what_the_sidecar_takes() -> None:
    maps = every.config_maps(settings(), "monitoring", {"grafana_dashboard": "1"}, "LLM Verifier")
    assert len(maps) == 5
    for item in maps:
        assert item["metadata"]["labels"] == {"grafana_dashboard": "1"}
        [(name, text)] = item["data"].items()
        assert name == f"{json.loads(text)['uid']}.json"
        assert len(text) < 2**20
    assert maps == every.config_maps(settings(), "monitoring", {"grafana_dashboard": "1"}, "LLM Verifier")


def test_pages_of_prometheus_hold_every_query() -> None:
    pages = every.consoles(settings())
    assert set(pages) == {"index.html", *(f"{uid}.html" for uid in every.rendered(settings()))}
    assert pages["index.html"] == pages["llm-verifier-overview.html"]
    for uid, made in every.rendered(settings()).items():
        text = pages[f"{uid}.html"]
        for title, expr in checks.queries(made):
            asked = json.dumps(expr)[1:-1]
            forms = (" + {{ $region }} + ".join(f'"{part}"' for part in asked.split("$region")),
                     asked.replace(r'\"$region\"', "%[1]q"))  # fmt: skip
            assert any(form in text for form in forms), title
        assert "%[1]s" not in text and "$region\"" not in text


def test_few_panels_wait_for_an_eviction() -> None:
    panels = [panel for made in every.dashboards(settings()) for row in made.rows for panel in row.panels]
    assert [panel.title for panel in panels if panel.when == EVICTION] == ["Alerts that fire", "Regions taken out"]
    assert len(panels) > 40


@pytest.mark.parametrize(("given", "told"), [
    ({"eu": {"core_hour": 1}}, "prices.eu: core_hour, gib_hour, egress_gib are wanted"),
    ({"eu": 3}, "prices.eu: core_hour"),
    ({"eu": {"core_hour": -1, "gib_hour": True, "egress_gib": "x"}},
     "prices.eu.core_hour is -1: .*; prices.eu.gib_hour is True: .*; prices.eu.egress_gib is 'x'"),
])  # fmt: skip
def test_prices_that_are_none_are_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(MonitoringError, match=told):
        Settings.from_dict({"prices": given})
