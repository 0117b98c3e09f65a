# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closing report: what the site is, what it answers and what to do next, as data and as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..routing.budget import budget
from ..routing.decision import effective_table
from ..routing.model import Policy, Region, Site


def questions(
    policy: Policy, regions: Sequence[Region], clients: Mapping[str, str], admissions: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return for each client (name -> country) its geography and the regions that may serve it, the first by right.

    Where policy or decision (admissions by region) split a geography's traffic, every region with a share may serve.
    """
    table = effective_table(policy, tuple(regions), admissions, 1)
    asked = []
    for client, country in clients.items():
        route = table.route_of(country)
        shares = dict(zip(route.regions, route.shares))
        serving = [region for region in route.regions if shares[region] > 0] or list(route.regions[:1])
        asked.append({"client": client, "country": country, "geography": route.name, "expected": serving,
                      "order": list(route.regions)})
    return asked


def problems(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each geography that isn't served as the policy says."""
    found = []
    for row in rows:
        answer = row["answer"]
        if answer["error"]:
            found.append(f"{row['geography']} ({row['client']}): {answer['error']}")
        elif answer["region"] not in row["expected"]:
            found.append(f"{row['geography']} ({row['client']}) is served by {answer['region'] or 'nobody named'}, "
                         f"the policy says {' or '.join(row['expected'])}")
    return found


def data(policy: Policy, site: Site, regions: Sequence[Region], rows: Sequence[Mapping[str, Any]],
         stages: Sequence[Mapping[str, Any]], places: Mapping[str, str],
         admissions: Mapping[str, float]) -> dict[str, Any]:
    """Return everything of the report. ``places``: ca_file, kubeconfig, kubectl."""
    name = f"api.{policy.domain}"
    edge = site.edges[0].address if site.edges else ""
    commands = {
        "ask it from this machine": f"curl --resolve {name}:443:{edge} --cacert {places['ca_file']} "
                                    f"https://{name}{policy.health.path}",
        "be a client in Europe": "make client GEO=eu",
        "look into a region": f"{places['kubectl']} --kubeconfig {places['kubeconfig']} --context {regions[0].name} "
                              "-n llm-verifier get pods" if regions else "",
        "see what runs": "make status",
        "lose a region under load": "make drill",
        "take it all away": "make clean",
    }
    return {
        "name": name,
        "url": f"https://{name}{policy.health.path}",
        "edges": {machine.name: machine.address for machine in site.edges},
        "static_site": site.static_site.address if site.static_site else "",
        "regions": {region.name: {"endpoint": region.endpoint, "geography": region.geography} for region in regions},
        "geographies": [dict(row) for row in rows],
        "stages": [dict(stage) for stage in stages],
        "budget": [{"kind": line.kind, "detection_seconds": line.detection_seconds,
                    "answers_seconds": line.answers_seconds, "ttl_seconds": line.ttl_seconds,
                    "total_seconds": line.total_seconds, "objective_seconds": line.objective_seconds,
                    "within_objective": line.within_objective} for line in budget(policy)],
        "commands": {key: command for key, command in commands.items() if command},
        "held_back": {name: ratio for name, ratio in sorted(admissions.items()) if ratio < 1},
        "problems": problems(rows),
    }


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]


def text(report: Mapping[str, Any]) -> str:
    """Return the report as people read it."""
    lines = ["", f"SITE  {report['url']}", ""]
    rows = [["geography", "asked from", "country", "answered by", "address", "ms"]]
    for row in report["geographies"]:
        answer = row["answer"]
        served = answer["region"] or f"no answer: {answer['error']}"
        rows.append([row["geography"], row["client"], row["country"], served, answer["address"],
                     f"{answer['seconds'] * 1000:.0f}"])
    lines += _table(rows) if len(rows) > 1 else ["  no client was asked"]
    lines += ["", *_table([["front door", "address"], *([name, where] for name, where in report["edges"].items()),
                           ["static site", report["static_site"] or "none"]]), ""]
    lines += _table([["region", "address", "geography"],
                     *([name, region["endpoint"], region["geography"]] for name, region in report["regions"].items())])
    lines += ["", *_table([["when a region is", "detected", "answers moved", "last client moved", "objective"],
                           *([line["kind"], f"{line['detection_seconds']:g} s", f"{line['answers_seconds']:g} s",
                              f"{line['total_seconds']:g} s", f"{line['objective_seconds']:g} s "
                              + ("kept" if line["within_objective"] else "MISSED")] for line in report["budget"])])]
    limit = "a frozen region costs its own limit."
    lines.append(f"  Through the load balancer a repeatable request is tried elsewhere: {limit}")
    if report["stages"]:
        times = ", ".join(f"{stage['stage']} {stage['seconds']:.0f} s" for stage in report["stages"])
        lines += ["", f"  stages: {times}"]
    lines += ["", *_table([["what next", ""], *([key, command] for key, command in report["commands"].items())])]
    lines += ["", *(f"  {name} gets {ratio:.0%} of its requests by a decision: ansible-playbook explain.yml -e from=1d"
                    for name, ratio in report["held_back"].items())]
    lines += ["", *(f"  PROBLEM  {problem}" for problem in report["problems"])]
    return "\n".join(lines).rstrip() + "\n"
