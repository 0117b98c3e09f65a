# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same dashboards as console templates, which Prometheus 2 shows itself where there is no Grafana.

A page is a template of Go's html/template: what is in double braces Prometheus fills in, and escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import count

from .model import (
    BYTES,
    BYTES_PER_SECOND,
    MONEY,
    NUMBER,
    PER_SECOND,
    RATIO,
    SECONDS,
    TIMELINE,
    TIMESERIES,
    Dashboard,
    Panel,
    Target,
)

_BIG = "PromConsole.NumberFormatter.humanize"
FORMS: dict[str, tuple[str, str]] = {
    NUMBER: (".Value | humanize", _BIG),
    RATIO: (".Value | humanizePercentage", '(y) => (100 * y).toFixed(2) + " %"'),
    PER_SECOND: (".Value | humanize", _BIG),
    SECONDS: (".Value | humanizeDuration", f'(y) => {_BIG}(y) + "s"'),
    BYTES: (".Value | humanize1024", "PromConsole.NumberFormatter.humanize1024"),
    BYTES_PER_SECOND: (".Value | humanize1024", "PromConsole.NumberFormatter.humanize1024"),
    MONEY: ('printf "%.2f" .Value', "(y) => y.toFixed(2)"),
}
"""By unit how a value is written, by Prometheus and in the browser."""

_STATIC = "{{ pathPrefix }}/classic/static"
_HEAD = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>%s</title>
<link rel="stylesheet" href="{_STATIC}/rickshaw/rickshaw.min.css">
<link rel="stylesheet" href="{_STATIC}/css/prom_console.css">
<script>var PATH_PREFIX = "{{{{ pathPrefix }}}}";</script>
<script src="{_STATIC}/jquery/jquery.min.js"></script>
<script src="{_STATIC}/d3/d3.min.js"></script>
<script src="{_STATIC}/rickshaw/rickshaw.min.js"></script>
<script src="{_STATIC}/js/prom_console.js"></script>
<style>
body {{ font: 14px sans-serif; margin: 1em; }}
nav a {{ margin-right: 1em; }}
section {{ display: grid; grid-template-columns: repeat(24, 1fr); gap: 12px; }}
article {{ border: 1px solid #ccc; padding: 6px; min-width: 0; overflow: auto; }}
h3, p {{ margin: 0 0 6px; }} p {{ color: #666; font-size: 12px; }} td {{ padding-right: 1em; }}
.prom_graph_table, .rickshaw_graph {{ width: 100%%; }}
</style></head><body>
{{{{ $region := or .Params.region ".*" }}}}
"""
_REGIONS = """<nav>Region: <a href="?region=.*">all</a>
{{ range query "count by (region) (region_job:up:avg)" | sortByLabel "region" -}}
<a href="?region={{ .Labels.region }}">{{ .Labels.region }}</a>
{{ end }}</nav>
"""


def pages(dashboards: Sequence[Dashboard], runbooks: str) -> dict[str, str]:
    """Every dashboard's page by its file; the first one is the index too."""
    links = "".join(f'<a href="{item.uid}.html?region={{{{ $region }}}}">{escape(item.title)}</a>\n'
                    for item in dashboards)  # fmt: skip
    found = {f"{item.uid}.html": _page(item, links, runbooks) for item in dashboards}
    return {"index.html": found[f"{dashboards[0].uid}.html"], **found}


def _page(dashboard: Dashboard, links: str, runbooks: str) -> str:
    numbers = count()
    body = []
    for row in dashboard.rows:
        panels = "".join(_panel(panel, next(numbers), runbooks) for panel in row.panels)
        body.append(f"<h2>{escape(row.title)}</h2>\n<section>\n{panels}</section>\n")
    head = _HEAD % escape(dashboard.title)
    title = f"<h1>{escape(dashboard.title)}</h1>\n<p>{escape(dashboard.description)}</p>\n"
    return f"{head}<nav>{links}</nav>\n{_REGIONS}{title}{''.join(body)}</body></html>\n"


def _panel(panel: Panel, number: int, runbooks: str) -> str:
    words = " ".join(filter(None, [panel.description, ", ".join(f"{value} {text}" for value, text, _c in panel.words)]))
    links = " ".join(f'<a href="{runbooks}{alert}.md">{alert}</a>' for alert in panel.alerts)
    drawn = panel.kind in (TIMESERIES, TIMELINE)
    inside = _graph(panel, number) if drawn else "".join(_table(panel, target) for target in panel.targets)
    return (f'<article style="grid-column: span {panel.width}"><h3>{escape(panel.title)}</h3>\n'
            f"<p>{escape(words)} {links}</p>\n{inside}</article>\n")  # fmt: skip


def _table(panel: Panel, target: Target) -> str:
    """What a query gives now, filled in by Prometheus."""
    form = FORMS[panel.unit][0]
    labels = "{{ range $name, $value := .Labels }}<td>{{ $value }}</td>{{ end }}"
    found = f"<tr>{labels}<td><b>{{{{ {form} }}}}</b></td></tr>"
    nothing = "{{ else }}<tr><td>none</td></tr>{{ end }}"
    return f"<table>{{{{ range {_asked(target.expr)} | query }}}}{found}{nothing}</table>\n"


def _asked(expr: str) -> str:
    """A query as a template gives it to Prometheus."""
    if "$region" not in expr:
        return json.dumps(expr)
    text = json.dumps(expr.replace("%", "%%").replace('"$region"', "%[1]q"))
    return f"printf {text} $region"


def _graph(panel: Panel, number: int) -> str:
    """What queries give over time, drawn in the browser."""
    form, (low, high) = FORMS[panel.unit][1], panel.bounds
    settings = {
        "node": f'document.getElementById("graph{number}")',
        "expr": _list(_script(target.expr) for target in panel.targets),
        "name": _list(_name(target.legend) for target in panel.targets),
        "renderer": '"area"' if panel.stacked else '"line"',
        "height": str(max(100, 25 * (panel.height - 1))),
        "min": "0" if panel.stacked else json.dumps("auto" if low is None else low),
        **({"max": json.dumps(high)} if high is not None else {}),
        "yAxisFormatter": form,
        "yHoverFormatter": form,
        "xTitle": '""',
    }
    inside = ", ".join(f"{key}: {value}" for key, value in settings.items())
    return f'<div id="graph{number}"></div>\n<script>new PromConsole.Graph({{{inside}}});</script>\n'


def _list(items: Iterator[str]) -> str:
    return f"[{', '.join(items)}]"


def _script(expr: str) -> str:
    """A query as a text of JavaScript; the template fills the regions in, quoted."""
    parts = [json.dumps(part) for part in expr.split("$region")]
    return " + {{ $region }} + ".join(parts)


def _name(legend: str) -> str:
    """A function that names a series by its labels."""
    parts = re.split(r"\{\{(\w+)\}\}", legend)
    names = [f"(labels.{part} || '')" if place % 2 else json.dumps(part) for place, part in enumerate(parts)]
    return f"(labels) => {' + '.join(names)}"
