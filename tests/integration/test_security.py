# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside every region: who reaches whom, which identity may do what, and which pods are let in at all."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .conftest import REGIONS, Site, changes, until, watched

REGION = "us-west-2"
HOLDER = "client-na"
PROVIDER, ELSEWHERE, METADATA = "160.79.104.10", "93.184.215.14", "169.254.169.254"
WORKLOAD = ("llm-verifier", "deployment/llm-verifier")
GATEWAY = ("llm-verifier-gateway", "deployment/llm-verifier-gateway")
# Every source in a pod, and all that it reaches; nothing else of the targets below.
OUTSIDE = {"dns", "provider", "provider's port 8000", "elsewhere", "metadata", "database", "database's host", "edge",
           "another region", "API server", "kubelet"}
REACHES = {
    # What a policy admits from everybody, kube-router lets its own pods reach as well: the gateway's own port.
    "gateway": {"dns", "api", "api's pod", "gateway"},
    "workload": {"dns", "provider", "database", "tracing"},
    "neighbour": set(),
    "monitoring": {*OUTSIDE, "tracing", "metrics", "gateway", "gateway's metrics"},
    "stranger": {*OUTSIDE, "tracing", "gateway"},
}
TRY = """
import concurrent.futures, json, socket, sys
QUERY = bytes.fromhex("0001 0100 0001 0000 0000 0000 0a6b756265726e65746573 0764656661756c74 03737663 07636c7573746572"
                      "056c6f63616c 00 0001 0001".replace(" ", ""))
def reached(item):
    name, host, port = item
    try:
        if port == 53:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
                asked.settimeout(2)
                asked.sendto(QUERY, (host, port))
                asked.recv(512)
        socket.create_connection((host, port), 2).close()
        return name
    except OSError:
        return ""
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(sorted(filter(None, pool.map(reached, targets)))))
"""
SERVE = """
import socket, sys, time
for place in sys.argv[1:]:
    host, port = place.split(":")
    listener = socket.create_server((host, int(port)), backlog=128)
    globals().setdefault("kept", []).append(listener)
time.sleep(600)
"""


def everywhere(function: Callable[[str], Any]) -> dict[str, Any]:
    """Call a function for every region at once; its results by region."""
    with ThreadPoolExecutor(len(REGIONS)) as pool:
        return dict(zip(REGIONS, pool.map(function, REGIONS), strict=True))


def kubectl(site: Site, region: str, *words: str, given: Any = None, kubeconfig: str = "") -> tuple[int, str]:
    """Run kubectl with an object as its input; its exit status and all that it said."""
    command = [str(site.state / "opt/kubernetes/kubectl"), "--kubeconfig"]
    command += [kubeconfig or str(site.state / "kubeconfigs" / region), *words]
    text = json.dumps(given) if given is not None else None
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def image(site: Site) -> str:
    """The image that the workload runs, by its digest."""
    return site.kubectl(REGION, "get", "deployment", "-n", *WORKLOAD[:1], "llm-verifier", "-o",
                        "jsonpath={.spec.template.spec.containers[0].image}")


def pod(name: str, namespace: str, ref: str, **changes: Any) -> dict[str, Any]:
    """A pod that every rule lets in, but for these changes of its container."""
    container: dict[str, Any] = {
        "name": "probe", "image": ref, "command": ["python3", "-c", SERVE, "0.0.0.0:9411"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "64Mi"}}, **changes}
    context = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"containers": [container], "securityContext": context, "terminationGracePeriodSeconds": 0}}


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


@pytest.fixture(name="listeners", scope="module")
def fixture_listeners(site: Site) -> Iterator[None]:
    """A node that answers at addresses of the Internet and at its own, all inside this instance's network."""
    instance, own = site.instance, site.database.partition("/")[0]
    route = ["ip", "-n", f"{instance.name}-wan", "route"]
    public = (PROVIDER, ELSEWHERE, METADATA)
    for address in public:
        site.run(HOLDER, "ip", "address", "replace", f"{address}/32", "dev", "lo")
        subprocess.run([*route, "replace", f"{address}/32", "via", own], check=True)
    places = [f"{PROVIDER}:443", f"{PROVIDER}:8000", f"{ELSEWHERE}:443", f"{METADATA}:80", f"{own}:5432", f"{own}:443"]
    served = site.run(HOLDER, "sh", "-c", 'python3 -c "$0" "$@" >/dev/null 2>&1 & echo $!', SERVE, *places).strip()
    yield
    site.run(HOLDER, "kill", served, check=False)
    for address in public:
        site.run(HOLDER, "ip", "address", "del", f"{address}/32", "dev", "lo", check=False)
        subprocess.run([*route, "del", f"{address}/32"], check=False)


@pytest.fixture(name="pods", scope="module")
def fixture_pods(site: Site) -> Iterator[None]:
    """Pods of a stranger, of monitoring, and one beside the workload, in every region."""
    ref = image(site)
    made_here = ("stranger", "monitoring")
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in made_here]
    probes = [pod("probe", name, ref) for name in (*made_here, "llm-verifier")]

    def make(region: str) -> tuple[int, str]:
        kubectl(site, region, "create", "-f", "-", given=listed(*spaces))
        made = kubectl(site, region, "apply", "-f", "-", given=listed(*probes))
        for space in (*made_here, "llm-verifier"):
            kubectl(site, region, "wait", "-n", space, "pod/probe", "--for=condition=Ready", "--timeout=45s")
        return made

    made = everywhere(make)
    assert not [said for status, said in made.values() if status], made
    yield
    everywhere(lambda region: [
        kubectl(site, region, "delete", "namespace", "stranger", "--wait=false"),
        *(kubectl(site, region, "delete", "pod", "-n", space, "probe", "--wait=false")
          for space in ("monitoring", "llm-verifier")),
    ])


def addresses(site: Site, region: str, namespace: str, selector: str) -> dict[str, str]:
    """The addresses of running pods, by their names."""
    found = json.loads(kubectl(site, region, "get", "pods", "-n", namespace, *selector.split(), "-o", "json")[1])
    items = found.get("items", [found])
    running = [item for item in items if "deletionTimestamp" not in item["metadata"] and item["status"].get("podIP")]
    return {item["metadata"]["name"]: item["status"]["podIP"] for item in running}


def targets(site: Site, region: str, workload: str, gateway: str) -> list[tuple[str, str, int]]:
    """All that is tried, as name, address and port; something answers at each."""
    prefix, own = site.instance.prefix, site.database.partition("/")[0]
    number = REGIONS.index(region) + 1
    return [
        ("api", "llm-verifier.llm-verifier.svc.cluster.local", 8080), ("api's pod", workload, 8080),
        ("metrics", workload, 9090), ("gateway", gateway, 8443), ("gateway's metrics", gateway, 8404),
        ("tracing", addresses(site, region, "monitoring", "probe")["probe"], 9411),
        ("dns", "10.96.0.10", 53), ("API server", "10.96.0.1", 443), ("kubelet", f"{prefix}.{number}.2", 10250),
        ("provider", PROVIDER, 443), ("provider's port 8000", PROVIDER, 8000), ("elsewhere", ELSEWHERE, 443),
        ("metadata", METADATA, 80), ("database", own, 5432), ("database's host", own, 443),
        ("edge", f"{prefix}.201.10", 443), ("another region", f"{prefix}.{number % len(REGIONS) + 1}.10", 443),
    ]


def matrix(site: Site, region: str) -> dict[str, set[str]]:
    """What every source in a region reaches. A pod asks another of its kind, for it always reaches itself."""
    workloads = addresses(site, region, "llm-verifier", "-l app=llm-verifier")
    gateways = addresses(site, region, "llm-verifier-gateway", "-l app=llm-verifier-gateway")
    (asks, *_others), (*_more, target) = workloads, workloads.values()
    (gateway_asks, *_others), (*_more, gateway) = gateways, gateways.values()
    words = json.dumps(targets(site, region, target, gateway))
    places = {"gateway": ("llm-verifier-gateway", gateway_asks), "workload": ("llm-verifier", asks),
              "neighbour": ("llm-verifier", "probe"), "monitoring": ("monitoring", "probe"),
              "stranger": ("stranger", "probe")}

    def tried(place: tuple[str, str]) -> set[str]:
        status, said = kubectl(site, region, "exec", "-n", *place, "--", "python3", "-c", TRY, words)
        return set(json.loads(said)) if status == 0 else {said}

    with ThreadPoolExecutor(len(places)) as pool:
        return dict(zip(places, pool.map(tried, places.values()), strict=True))


def test_every_allowed_path_is_open_and_every_other_one_is_refused(site: Site, listeners: None, pods: None) -> None:
    def wrong(region: str) -> dict[str, tuple[list[str], list[str]]]:
        found = matrix(site, region)
        return {source: (sorted(REACHES[source] - reached), sorted(reached - REACHES[source]))
                for source, reached in found.items() if reached != REACHES[source]}

    def settled(region: str) -> dict[str, tuple[list[str], list[str]]]:
        # Rules for a new pod are there some moments after it.
        end = time.monotonic() + 30
        while (found := wrong(region)) and time.monotonic() < end:
            time.sleep(1)
        return found

    found = everywhere(settled)
    assert found == {region: {} for region in REGIONS}, "(shut, should be open), (open, should be shut)"


def test_the_regions_own_prometheus_gets_in(site: Site) -> None:
    """It runs beside the pods, at an address of their node, and a node always reaches its pods."""
    def scraped(region: str) -> str:
        pod_address, *_others = addresses(site, region, "llm-verifier", "-l app=llm-verifier").values()
        url = f"http://{pod_address}:9090/metrics"
        return site.run(region, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url)

    assert everywhere(scraped) == dict.fromkeys(REGIONS, "200")


def test_no_pod_holds_a_token(site: Site) -> None:
    def tokens(region: str) -> list[str]:
        found = []
        for namespace, name in (WORKLOAD, GATEWAY):
            words = ("exec", "-n", namespace, name, "--", "ls", "/var/run/secrets/kubernetes.io")
            status, said = kubectl(site, region, *words)
            found += [f"{namespace}: {said}"] if status == 0 or "No such file" not in said else []
        return found

    assert everywhere(tokens) == {region: [] for region in REGIONS}


@pytest.mark.parametrize(
    ("verb", "what", "namespace", "allowed"),
    [
        ("patch", "deployments", "llm-verifier", True), ("create", "services", "llm-verifier-gateway", True),
        ("patch", "networkpolicies", "llm-verifier", True), ("get", "pods --subresource=log", "llm-verifier", True),
        ("get", "secrets", "llm-verifier", True), ("get", "namespaces/kube-system", "", True),
        ("get", "secrets", "kube-system", False), ("list", "secrets", "", False), ("get", "nodes", "", False),
        ("create", "ingresses.networking.k8s.io", "llm-verifier-gateway", True),
        ("create", "ingresses.networking.k8s.io", "default", False),
        ("patch", "deployments", "default", False), ("create", "nodes --subresource=proxy", "", False),
        ("create", "pods", "llm-verifier", False), ("create", "pods --subresource=exec", "llm-verifier", False),
        ("patch", "namespaces/llm-verifier", "", False), ("patch", "resourcequotas", "llm-verifier", False),
        ("create", "rolebindings", "llm-verifier", False), ("create", "clusterrolebindings", "", False),
        ("escalate", "clusterroles", "", False), ("patch", "validatingadmissionpolicies", "", False),
        ("create", "serviceaccounts --subresource=token", "llm-verifier", False), ("impersonate", "users", "", False),
    ],
)  # fmt: skip
def test_what_the_deployer_may_do(site: Site, verb: str, what: str, namespace: str, allowed: bool) -> None:
    words = ["auth", "can-i", verb, *what.split(), *(["-n", namespace] if namespace else ["--all-namespaces"])]
    own = {region: str(site.state / "deployer" / region) for region in REGIONS}
    said = everywhere(lambda region: kubectl(site, region, *words, kubeconfig=own[region])[1])
    assert not {region: text for region, text in said.items() if not text.startswith("yes" if allowed else "no")}


@pytest.mark.parametrize(("verb", "what", "allowed"), [
    ("delete", "deployments.apps", True), ("watch", "replicasets.apps", True),
    ("get", "secrets", False), ("create", "pods", False), ("patch", "daemonsets.apps", False),
])
def test_what_the_operators_role_allows(site: Site, verb: str, what: str, allowed: bool) -> None:
    site.kubectl(REGION, "create", "rolebinding", "-n", "llm-verifier", "operator-test",
                 "--clusterrole=llm-verifier-operator", "--user=operator-test", check=False)
    words = ("auth", "can-i", verb, what, "-n", "llm-verifier", "--as=operator-test")
    answer = until(lambda: site.kubectl(REGION, *words, check=False).strip(), 5, "an answer")
    site.kubectl(REGION, "delete", "rolebinding", "-n", "llm-verifier", "operator-test")
    assert answer == ("yes" if allowed else "no")


def foreign(ref: str) -> str:
    return "registry.example.com/llm-verifier@" + ref.partition("@")[2]


PRIVILEGED = {"securityContext": {"privileged": True}}
REFUSED: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "nothing wrong": (lambda ref: pod("x", "llm-verifier", ref), "pod/x created"),
    "privileged": (lambda ref: pod("x", "llm-verifier", ref, **PRIVILEGED), 'violates PodSecurity "restricted'),
    "privileged beside the gateway": (
        lambda ref: pod("x", "llm-verifier-gateway", ref, **PRIVILEGED), 'violates PodSecurity "restricted'),
    "a tag": (lambda ref: pod("x", "llm-verifier", f"{ref.partition('@')[0]}:latest"), "named by its digest here"),
    "a tag in the gateway's": (
        lambda ref: pod("x", "llm-verifier-gateway", f"{ref.partition('@')[0]}:latest"), "named by its digest here"),
    "another registry": (lambda ref: pod("x", "llm-verifier", foreign(ref)), "images come from"),
    "a registry that begins alike": (
        lambda ref: pod("x", "llm-verifier", ref.replace("/llm", ".example.com/llm")), "images come from"),
    "too much memory": (
        lambda ref: pod("x", "llm-verifier", ref, resources={"limits": {"memory": "5Gi"}}), "maximum memory usage"),
    "more than the quota": (
        lambda ref: pod("x", "llm-verifier", ref, resources={"requests": {"cpu": "9"}}), "exceeded quota"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_pod_that_does_not_belong_is_refused(site: Site, case: str) -> None:
    make, reason = REFUSED[case]
    given = make(image(site))
    said = everywhere(lambda region: kubectl(site, region, "create", "--dry-run=server", "-f", "-", given=given)[1])
    assert not {region: text for region, text in said.items() if reason not in text}


def test_a_tag_gets_in_by_no_side_door(site: Site) -> None:
    """As a first container, or as one that is added to a running pod."""
    ref = image(site)
    tagged = f"{ref.partition('@')[0]}:latest"
    first = pod("x", "llm-verifier", ref)
    first["spec"]["initContainers"] = [{**first["spec"]["containers"][0], "name": "first", "image": tagged}]
    assert "named by its digest here" in kubectl(site, REGION, "create", "--dry-run=server", "-f", "-", given=first)[1]
    name = site.kubectl(REGION, "get", "pods", "-n", "llm-verifier", "-l", "app=llm-verifier", "-o", "name").split()[0]
    words = ("debug", "-n", "llm-verifier", name, f"--image={tagged}", "--profile=restricted", "--", "true")
    assert "named by its digest here" in kubectl(site, REGION, *words)[1]


def test_the_workload_takes_the_place_of_tools(site: Site, pods: None) -> None:
    """Tools fill the region's node; a pod of the workload's class still finds room at once."""
    node = json.loads(site.kubectl(REGION, "get", "nodes", "-o", "json"))["items"][0]
    spoken_for = sum(
        int(container["resources"].get("requests", {}).get("cpu", "0m").rstrip("m"))
        for item in json.loads(site.kubectl(REGION, "get", "pods", "-A", "-o", "json"))["items"]
        for container in item["spec"]["containers"])
    left = int(node["status"]["allocatable"]["cpu"]) * 1000 - spoken_for
    tools, better = (pod(name, "stranger", image(site), resources={"requests": {"cpu": f"{cpu}m"}})
                     for name, cpu in (("tools", left - 50), ("better", 200)))
    tools["spec"]["priorityClassName"], better["spec"]["priorityClassName"] = "llm-verifier-tools", "llm-verifier"
    ready = ("wait", "-n", "stranger", "--for=condition=Ready", "--timeout=45s")
    for item in (tools, better):
        kubectl(site, REGION, "create", "-f", "-", given=item)
        assert kubectl(site, REGION, *ready, f"pod/{item['metadata']['name']}")[0] == 0, item["metadata"]["name"]
    assert "NotFound" in kubectl(site, REGION, "get", "pod", "-n", "stranger", "tools")[1]
    kubectl(site, REGION, "delete", "pod", "-n", "stranger", "better", "--wait=false")


def secrets_of(site: Site, region: str) -> dict[str, Any]:
    """The contents of all Secrets."""
    items = json.loads(site.kubectl(region, "get", "secrets", "-A", "-o", "json"))["items"]
    return {f"{item['metadata']['namespace']}/{item['metadata']['name']}": item.get("data") for item in items}


@pytest.mark.long
def test_the_key_that_encrypts_secrets_is_replaced_and_nobody_notices(site: Site) -> None:
    path = site.state / "pki" / REGION / "encryption.yaml"
    old = int(re.findall(r"name: key(\d+)", path.read_text())[0])
    before = secrets_of(site, REGION)
    with watched(site.region(REGION)) as seen:
        site.play("playbooks/rotate_encryption_key.yml", "--limit", REGION)
    assert seen.asked and not seen.bad, seen
    assert re.findall(r"name: key(\d+)", path.read_text()) == [str(old + 1)], "the old key is gone"
    inside = site.state / "nodes" / REGION / "node"
    assert (inside / "etc/kubernetes/encryption.yaml").read_text() == path.read_text()
    assert f"k8s:enc:secretbox:v1:key{old + 1}".encode() in (inside / "data/etcd/member/snap/db").read_bytes()
    # With the old key gone, what it encrypted could not be read any more.
    assert before and secrets_of(site, REGION) == before
    assert set(changes(site.play("playbooks/40_clusters.yml", "--limit", REGION)).values()) == {0}


def test_the_audit_log_says_who_and_never_what(site: Site) -> None:
    value, folder = "audit-canary-91c7", site.state / "nodes" / REGION / "node/log/audit"
    site.kubectl(REGION, "create", "secret", "generic", value, f"--from-literal=value=content-of-{value}")
    site.kubectl(REGION, "get", "secret", value)
    site.kubectl(REGION, "delete", "secret", value)
    kubectl(site, REGION, "create", "-f", "-", given=pod(value, "llm-verifier", "registry.example.com/a:latest"))

    def told() -> set[tuple[str, str, int]]:
        lines = [line for path in folder.iterdir() for line in path.read_text().splitlines() if value in line]
        events = [json.loads(line) for line in lines]
        return {(item["verb"], item["objectRef"]["resource"], item["responseStatus"].get("code")) for item in events}

    wanted = {("create", "secrets", 201), ("get", "secrets", 200), ("delete", "secrets", 200)}
    until(lambda: wanted <= told(), 10, "every access is there")
    assert any(resource == "pods" and code in (403, 422) for _verb, resource, code in told()), "and the refusal"
    files = list(folder.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not [path for path in files if f"content-of-{value}" in path.read_text()]
    assert not [path for path in files if '"requestObject"' in path.read_text()]
