# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a site that is in trouble: the guide's troubleshooting chapter as tables. Pure.

No question asks for a Secret's content, and none changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..questions import curl

AGENT = ("python3", "/node/etc/routing/agent.pyz")
ASK = "/node/etc/monitoring/ask"
API = "regions/{}/api.txt"
"""The answer that tells whether a region's API can be asked at all."""

_LINES, _BYTES = 200, 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command, the file of the bundle that its answer goes into, and where it runs.

    Attributes:
        node: the node that it runs in; the control host when empty.
        region: the region whose API it asks; left out when that API doesn't answer.
        seconds: how long it may take.
        quiet: whether no answer is no trouble.
    """

    file: str
    argv: tuple[str, ...]
    node: str = ""
    region: str = ""
    stdin: str = ""
    seconds: float = 10.0
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What there is to ask.

    Attributes:
        name: the name that clients ask for.
        path: the page that they ask for.
        roots: root certificates of the front door, in PEM.
        regions: kubeconfig by region.
        nodes: nodes of this machine.
        edges: address by edge.
        clients: country by client node.
        namespaces: namespaces of the workload.
    """

    name: str
    path: str
    roots: str = ""
    kubectl: str = "kubectl"
    regions: Mapping[str, str] = field(default_factory=dict)
    nodes: Sequence[str] = ()
    edges: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=dict)
    namespaces: Sequence[str] = ()


_OBJECTS = "deployments,replicasets,hpa,pdb,services,endpointslices,networkpolicies,resourcequotas"
CLUSTER: Mapping[str, str] = {
    "pods.txt": "get pods -A -o wide",
    "pods.json": "get pods -A -o json",
    "nodes.txt": "describe nodes",
    "objects.txt": f"get {_OBJECTS} -A -o wide",
    "events.json": "get events -A -o json",
    "events.txt": "get events -A --sort-by=.metadata.creationTimestamp",
    "top-nodes.txt": "top nodes",
    "top-pods.txt": "top pods -A",
}
"""Of every region, by kubectl."""

NAMESPACE: Mapping[str, str] = {
    "describe-{}.txt": "describe deployments,pods,services -n {}",
    "logs-{}.txt": f"logs -n {{}} -l app --all-containers --prefix --tail={_LINES} --limit-bytes={_BYTES} "
                   "--max-log-requests=100",
}  # fmt: skip
"""Of every namespace of the workload."""

BEFORE = "logs -n {} -l app --all-containers --prefix --tail=100 --max-log-requests=100 --previous"
"""What containers said before they were started anew; most never were."""

NODE: Mapping[str, str] = {
    "services.txt": "sv status /node/service/*",
    "processes.txt": "ps -eo user:16,pid,pcpu,rss,etime,args --sort=-rss --cols 240",
    "network.txt": "ip -brief address; ip route; ss -ltn",
    "disk.txt": "df -h / /node/data",
    "logs.txt": f'for log in /node/log/*/current; do echo "== $log"; tail -n {_LINES} "$log" | tail -c {_BYTES}; done',
}
"""Of every node, by its shell."""

EDGE: Mapping[str, str] = {
    "haproxy.csv": 'echo "show stat" | socat - /run/haproxy-admin.sock',
    "haproxy.txt": 'echo "show info; show servers state" | socat - /run/haproxy-admin.sock',
    # Only the edge that is or was active has a page.
    "status.json": "cd /node/data/routing/www && if [ -e status.json ]; then cat status.json; fi",
    "alerts.txt": "/node/etc/monitoring/alerts",
}
"""Of every edge, by its shell."""

PROMETHEUS: Mapping[str, str] = {
    "requests": "max by (region) (region:http_requests:rate5m)",
    "errors": "max by (region) (region:http_errors:ratio_rate5m)",
    "p95": "max by (region) (region:http_request_duration_seconds:p95_rate5m)",
    "availability": "max by (region) (region:availability:avg5m)",
    "probes": "region:probe_success:avg5m",
    "silent": "up == 0",
    "firing": 'ALERTS{alertstate="firing"}',
}
"""Of every edge's Prometheus."""


def questions(places: Places, now: float) -> Iterator[Question]:
    """Everything, what tells most first."""
    for region in places.regions:
        yield _cluster(places, region, "api.txt", "get --raw=/readyz?verbose")
    for edge in places.edges:
        yield from _edge(places, edge, now)
    for client in places.clients:
        yield from _client(places, client)
    for region in places.regions:
        yield from _region(places, region)
    for node in places.nodes:
        for file, command in NODE.items():
            yield Question(file=f"nodes/{node}/{file}", argv=("sh", "-c", command), node=node)


def _cluster(places: Places, region: str, file: str, words: str, quiet: bool = False) -> Question:
    start = (places.kubectl, "--kubeconfig", places.regions[region], "--request-timeout=5s")
    return Question(file=f"regions/{region}/{file}", argv=(*start, *words.split()), region=region, quiet=quiet)


def _region(places: Places, region: str) -> Iterator[Question]:
    for file, words in CLUSTER.items():
        yield _cluster(places, region, file, words)
    for namespace in places.namespaces:
        for file, words in NAMESPACE.items():
            yield _cluster(places, region, file.format(namespace), words.format(namespace))
        yield _cluster(places, region, f"logs-before-{namespace}.txt", BEFORE.format(namespace), quiet=True)


def _edge(places: Places, edge: str, now: float) -> Iterator[Question]:
    for file, command in EDGE.items():
        yield Question(file=f"edges/{edge}/{file}", argv=("sh", "-c", command), node=edge)
    for name, query in PROMETHEUS.items():
        yield Question(file=f"edges/{edge}/{name}.json", argv=(ASK, query), node=edge, seconds=5)
    yield Question(file=f"edges/{edge}/routing.json", argv=(*AGENT, "status"), node=edge, stdin="{}")
    for country in sorted(set(places.clients.values())):
        yield _explain(edge, country, {"country": country, "region": "", "history": False, "since": 0, "until": now})
    for region in places.regions:
        asked = {"country": "", "region": region, "history": True, "since": now - 86400, "until": now}
        yield _explain(edge, region, asked)


def _explain(edge: str, what: str, asked: Mapping[str, object]) -> Question:
    return Question(file=f"edges/{edge}/explain-{what}.json", argv=(*AGENT, "explain"), node=edge,
                    stdin=json.dumps(asked), seconds=15)  # fmt: skip


def _client(places: Places, client: str) -> Iterator[Question]:
    for edge, address in places.edges.items():
        yield Question(file=f"clients/{client}/dns-{edge}.txt", node=client, seconds=5,
                       argv=("dig", "+time=2", "+tries=1", f"@{address}", places.name, "A"))  # fmt: skip
    yield Question(file=f"clients/{client}/nslookup.txt", argv=("nslookup", places.name), node=client, seconds=8)
    if places.roots:
        yield Question(file=f"clients/{client}/answer.txt", argv=tuple(curl(f"https://{places.name}{places.path}")),
                       node=client, stdin=places.roots, seconds=8)  # fmt: skip
