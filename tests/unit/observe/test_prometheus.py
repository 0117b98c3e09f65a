# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region's Prometheus says, and what is made of one that says nothing."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.prometheus import (
    parse_probes,
    parse_traffic,
    probes_query,
    traffic_query,
)

from .conftest import MakeConfig, policy


def series(name: str, region: str, *samples: tuple[float, str]) -> dict[str, Any]:
    metric = {"__name__": name, "job": "vantage", "region": region}
    return {"metric": metric, "values": [list(item) for item in samples]}


def answer(*result: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(result)}}


def figures(**values: str) -> dict[str, Any]:
    return answer(*({"metric": {"figure": name}, "value": [50.0, value]} for name, value in values.items()))


def test_the_last_sample_of_a_peer_counts_with_its_own_time(make_config: MakeConfig) -> None:
    found = parse_probes(
        answer(
            series("probe_success", "a", (10.0, "0"), (12.5, "1")),
            series("probe_duration_seconds", "a", (12.5, "0.25")),
            series("probe_ssl_earliest_cert_expiry", "a", (12.5, str(12.5 + 10 * 86400))),
            series("probe_success", "gone", (12.5, "0")),
            series("probe_success", "b", (12.5, "0")),
        ),
        make_config(),
        "b",
    )
    assert len(found) == 1, "neither a region that isn't known nor what a region thinks of itself"
    probe = found[0]
    assert (probe.vantage, probe.kind, probe.region, probe.at, probe.ok) == ("b", "peer", "a", 12.5, True)
    assert (probe.seconds, probe.certificate_days) == (0.25, 10)


def test_a_failed_probe_is_one(make_config: MakeConfig) -> None:
    assert parse_probes(answer(series("probe_success", "a", (1.0, "0"))), make_config(), "b")[0].ok is False


def test_traffic_is_as_old_as_its_last_sample(make_config: MakeConfig) -> None:
    said = figures(requests="200", errors="12.5", latency="0.8", seen="41.5")
    found = parse_traffic(said, make_config(policy=policy(window_seconds=30)), "a")[0]
    assert (found.witness, found.region, found.at, found.window_seconds) == ("prometheus", "a", 41.5, 30)
    assert (found.requests, found.errors, found.slow, found.latency_seconds) == (200, 12.5, 0, 0.8)


def test_no_requests_are_no_errors_and_no_latency(make_config: MakeConfig) -> None:
    found = parse_traffic(figures(latency="NaN", seen="41.5"), make_config(), "a")[0]
    assert (found.requests, found.errors, found.latency_seconds) == (0, 0, None)


def test_a_workload_that_is_not_scraped_has_no_traffic(make_config: MakeConfig) -> None:
    assert parse_traffic(figures(requests="200", errors="100"), make_config(), "a") == ()


@pytest.mark.parametrize(
    "said", [None, [], {"status": "error"}, {"status": "success", "data": {"result": "x"}}, answer({"metric": {}})]
)
def test_anything_else_is_refused(make_config: MakeConfig, said: Any) -> None:
    for parse in (lambda: parse_probes(said, make_config(), "b"), lambda: parse_traffic(said, make_config(), "a")):
        with pytest.raises(ValueError, match="not an answer"):
            parse()


def test_queries_are_the_policys(make_config: MakeConfig) -> None:
    config = make_config(policy=policy(window_seconds=45, latency_percentile=0.99, path="/ready", interval_seconds=30))
    query = traffic_query(config)
    assert "[45s]" in query and "histogram_quantile(0.99," in query and 'path!="/ready"' in query
    assert "WINDOW" not in query and "PERCENTILE" not in query and "HEALTH_PATH" not in query
    assert probes_query(config).endswith("[120s]")
    mine = traffic_query(make_config(queries=(("requests", "sum(my_requests[WINDOW])"),)))
    assert "sum(my_requests[" in mine and "http_requests_total" in mine


def by_query(target: str) -> bytes:
    """A Prometheus of region `b`."""
    query = parse_qs(urlsplit(target).query)["query"][0]
    said = answer(series("probe_success", "a", (99.0, "1"))) if "vantage" in query else figures(requests="7", seen="98")
    body = json.dumps(said).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
