# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region's Prometheus says: its workload's traffic, and what its blackbox_exporter sees of other regions."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from ..routing.observations import PEER, Probe, Traffic
from .config import Config
from .peers import probed
from .probe import reason
from .wire import Connection, Trust, WireError, connect

WITNESS = "prometheus"

_WORKLOAD = 'job="workload",path!="HEALTH_PATH"'
_BUCKETS = f"sum by (le) (rate(http_request_duration_seconds_bucket{{{_WORKLOAD}}}[WINDOW]))"
QUERIES = {
    "requests": f"sum(increase(http_requests_total{{{_WORKLOAD}}}[WINDOW]))",
    "errors": f'sum(increase(http_requests_total{{{_WORKLOAD},code=~"5.."}}[WINDOW]))',
    "latency": f"histogram_quantile(PERCENTILE, {_BUCKETS})",
    "seen": 'max(timestamp(up{job="workload"} == 1))',
}
"""PromQL by figure. WINDOW, PERCENTILE and HEALTH_PATH are the policy's; `seen` is when the last sample was taken."""

_PROBES = "probe_success", "probe_duration_seconds", "probe_ssl_earliest_cert_expiry"
_DAY = 86400.0


def traffic_query(config: Config) -> str:
    """One question for all figures; each comes back with its name in the label `figure`."""
    health = config.policy.health
    queries = {**QUERIES, **dict(config.queries)}
    words = {
        "WINDOW": f"{max(1, round(health.window_seconds))}s",
        "PERCENTILE": f"{health.latency_percentile:g}",
        "HEALTH_PATH": health.path,
    }
    parts = []
    for figure, query in queries.items():
        for word, value in words.items():
            query = query.replace(word, value)
        parts.append(f'label_replace({query}, "figure", "{figure}", "", "")')
    return " or ".join(parts)


def probes_query(config: Config) -> str:
    """The last raw samples of all probes with their own times."""
    seconds = max(10, 4 * config.policy.health.interval_seconds)
    return f'{{job="vantage",__name__=~"{"|".join(_PROBES)}"}}[{seconds}s]'


def parse_traffic(answer: Any, config: Config, region: str) -> tuple[Traffic, ...]:
    """Traffic of an answer to `traffic_query`, none unless the workload is scraped. Raises ValueError for no answer."""
    found: dict[str, float] = {}
    for item in _result(answer):
        try:
            found[item["metric"].get("figure", "")] = float(item["value"][1])
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError("not an answer of Prometheus") from error
    figures = {name: value for name, value in found.items() if math.isfinite(value)}
    if "seen" not in figures:
        return ()
    requests = max(0.0, figures.get("requests", 0.0))
    return (
        Traffic(
            witness=WITNESS, region=region, at=figures["seen"], window_seconds=config.policy.health.window_seconds,
            requests=requests, errors=min(requests, max(0.0, figures.get("errors", 0.0))),
            latency_seconds=figures.get("latency"),
        ),
    )  # fmt: skip


def parse_probes(answer: Any, config: Config, vantage: str) -> tuple[Probe, ...]:
    """The last probe of each known region by `vantage`, of an answer to `probes_query`. Raises ValueError."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for item in _result(answer):
        try:
            metric, (at, value) = item["metric"], item["values"][-1]
            found.setdefault(metric["region"], {})[metric["__name__"]] = (float(at), float(value))
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("not an answer of Prometheus") from error
    known = {region.name for region in config.regions} - {vantage}
    return tuple(
        _probe(vantage, region, series)
        for region, series in sorted(found.items())
        if region in known and "probe_success" in series
    )


def _probe(vantage: str, region: str, series: Mapping[str, tuple[float, float]]) -> Probe:
    at, success = series["probe_success"]
    ok = success == 1
    end = series.get("probe_ssl_earliest_cert_expiry", (0.0, math.nan))[1]
    return Probe(
        vantage=vantage, kind=PEER, region=region, at=at, ok=ok, error="" if ok else "probe failed",
        seconds=series.get("probe_duration_seconds", (0.0, 0.0))[1],
        certificate_days=(end - at) / _DAY if math.isfinite(end) and end > 0 else None,
    )  # fmt: skip


def _result(answer: Any) -> Iterable[Any]:
    try:
        result = answer["data"]["result"] if answer["status"] == "success" else None
    except (KeyError, TypeError):
        result = None
    if not isinstance(result, list):
        raise ValueError("not an answer of Prometheus")
    return result


class Reader:
    """Asks the Prometheus of every region, over connections that are kept from one observation to the next."""

    def __init__(self, config: Config, trust: Trust) -> None:
        self._config, self._trust = config, trust
        self._connections: dict[str, Connection] = {}

    async def read_all(self, now: float, seconds: float) -> tuple[tuple[Probe, ...], tuple[Traffic, ...]]:
        """All peers' probes and the regions' own traffic within `seconds`; never raises.

        Of a region whose Prometheus doesn't answer the probes that it should have made are there with `ok` None.
        """
        answers = await asyncio.gather(*(self._read(name, url, now, seconds) for name, url in self._config.prometheus))
        return (
            tuple(probe for probes, _traffic in answers for probe in probes),
            tuple(item for _probes, traffic in answers for item in traffic),
        )

    async def _read(
        self, region: str, url: str, now: float, seconds: float
    ) -> tuple[tuple[Probe, ...], tuple[Traffic, ...]]:
        try:
            async with asyncio.timeout(seconds):
                probes = parse_probes(await self._query(url, probes_query(self._config)), self._config, region)
                traffic = parse_traffic(await self._query(url, traffic_query(self._config)), self._config, region)
            return probes, traffic
        except (OSError, WireError, ValueError) as error:
            self._drop(url)
            return self._unseen(region, now, f"its Prometheus: {reason(error)[1]}"), ()
        except asyncio.CancelledError:
            self._drop(url)
            raise

    def _unseen(self, vantage: str, now: float, error: str) -> tuple[Probe, ...]:
        empty = Probe(vantage=vantage, kind=PEER, region="", at=now, ok=None, error=error)
        names = [region.name for region in self._config.regions]
        return tuple(replace(empty, region=name) for name in probed(vantage, names))

    async def _query(self, url: str, query: str) -> Any:
        path = f"/api/v1/query?query={quote(query)}"
        kept = self._connections.get(url)
        if kept is not None:
            try:
                return await self._ask(kept, url, path)
            except TimeoutError:
                raise
            except (OSError, WireError):  # the server may close a kept connection whenever it likes
                self._drop(url)
        self._connections[url] = connection = await self._connect(url)
        return await self._ask(connection, url, path)

    async def _connect(self, url: str) -> Connection:
        place, config, context = urlsplit(url), self._config, None
        if place.scheme == "https":
            context = self._trust.context(config.prometheus_ca_file, config.certificate_file, config.key_file)
        return await connect(place.hostname or "", place.port or 9490, context, place.hostname or "")

    async def _ask(self, connection: Connection, url: str, path: str) -> Any:
        reply = await connection.ask(urlsplit(url).netloc, path, close=False)
        if reply.status != 200:
            raise ValueError(f"status {reply.status}")
        return json.loads(reply.body)

    def _drop(self, url: str) -> None:
        connection = self._connections.pop(url, None)
        if connection:
            connection.drop()

    def close(self) -> None:
        """Close all connections."""
        for url in list(self._connections):
            self._drop(url)
