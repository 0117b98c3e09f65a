"""Every region is a real Kubernetes cluster of its own: policy enforced, secrets encrypted, watched over."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest

from .conftest import REGIONS, Site, all_own, changes, until, watched

REGION = "us-west-2"
KUBELET = ("/opt/kubernetes/kubectl", "--kubeconfig=/node/etc/kubernetes/kubelet.conf")


def test_a_secret_is_encrypted_where_it_lies(site: Site) -> None:
    for region in REGIONS:
        stored = (site.state / "nodes" / region / "node/data/etcd/member/snap/db").read_bytes()
        assert b"k8s:enc:secretbox:v1:key" in stored, region
    plain = "plain-text-canary-7f3a"
    site.kubectl(REGION, "create", "secret", "generic", "canary", f"--from-literal=value={plain}")
    site.kubectl(REGION, "create", "configmap", "canary", f"--from-literal=value=config-{plain}")
    folder = site.state / "nodes" / REGION / "node/data/etcd/member"
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    site.kubectl(REGION, "delete", "secret/canary", "configmap/canary")
    assert b"config-" + plain.encode() in stored, "a ConfigMap shows, so a Secret would"
    assert stored.count(plain.encode()) == stored.count(b"config-" + plain.encode())


def test_regions_trust_only_their_own_identities(site: Site, tmp_path: Path) -> None:
    stolen = json.loads(site.kubectl(REGION, "config", "view", "--raw", "-o", "json"))
    stolen["clusters"][0]["cluster"]["server"] = f"https://{site.instance.prefix}.1.2:6443"
    stolen["clusters"][0]["cluster"].pop("certificate-authority-data")
    stolen["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    kubeconfig = tmp_path / "stolen"
    kubeconfig.write_text(json.dumps(stolen))
    asked = [str(site.state / "opt/kubernetes/kubectl"), "--kubeconfig", str(kubeconfig), "get", "nodes"]
    assert "Unauthorized" in subprocess.run(asked, capture_output=True, text=True).stderr


@pytest.mark.parametrize("user", ["system:coredns", "system:kube-router", "system:metrics-server"])
def test_add_ons_can_not_read_secrets_or_write(site: Site, user: str) -> None:
    for verb, kind in (("get", "secrets"), ("create", "pods"), ("delete", "nodes"), ("patch", "deployments")):
        words = ("auth", "can-i", verb, kind, "-n", "llm-verifier", f"--as={user}")
        assert site.kubectl(REGION, *words, check=False).strip() == "no", (verb, kind)


@pytest.mark.parametrize(
    ("verb", "what", "namespace", "allowed"),
    [
        ("get", "nodes/{own}", "", True), ("patch", "nodes/{own} --subresource=status", "", True),
        ("get", "secrets/{used}", "llm-verifier", True),
        ("get", "secrets/another", "llm-verifier", False), ("get", "secrets/{used}", "kube-system", False),
        ("list", "secrets", "llm-verifier", False),
        ("delete", "nodes/{own}", "", False), ("create", "deployments.apps", "llm-verifier", False),
        ("create", "pods --subresource=exec", "llm-verifier", False), ("create", "clusterrolebindings", "", False),
    ],
)  # fmt: skip
def test_a_kubelet_reaches_its_own_nodes_things_alone(
    site: Site, verb: str, what: str, namespace: str, allowed: bool
) -> None:
    """By the identity of its own certificate: what pods of its node use is its to read, nothing else is."""
    words = what.format(own=REGION, used="llm-verifier-secrets").split()
    space = ["-n", namespace] if namespace else []
    said = site.run(REGION, *KUBELET, "auth", "can-i", verb, *words, *space, check=False)
    assert said.strip().startswith("yes" if allowed else "no")


def test_a_kubelet_that_is_not_the_pods_own_reads_none_of_its_secrets(site: Site) -> None:
    """The same question by an identity that no pod is scheduled to."""
    for node, answer in ((REGION, "yes"), ("another-node", "no")):
        words = (f"--as=system:node:{node}", "--as-group=system:nodes", "-n", "llm-verifier")
        said = site.kubectl(REGION, "auth", "can-i", "get", "secrets/llm-verifier-secrets", *words, check=False)
        assert said.strip().startswith(answer), node


def test_a_kubelet_may_not_be_another_node(site: Site) -> None:
    node = 'echo "{apiVersion: v1, kind: Node, metadata: {name: $0}}" | "$@" create --dry-run=server -f - 2>&1'
    said = {name: site.run(REGION, "sh", "-c", node, name, *KUBELET, check=False) for name in (REGION, "another")}
    assert "already exists" in said[REGION]
    assert "is not allowed to modify node" in said["another"], said


def test_metrics_reach_the_autoscaler(site: Site) -> None:
    def measured() -> bool:
        autoscaler = ("get", "hpa", "-n", "llm-verifier", "llm-verifier-hpa", "-o", "json")
        status = json.loads(site.kubectl(REGION, *autoscaler))["status"]
        return "averageUtilization" in str(status.get("currentMetrics"))

    until(measured, 90, "the HPA knows the pods' CPU")


@pytest.mark.parametrize("service", ["kube-apiserver", "kubelet", "containerd", "kube-router"])
def test_a_service_that_dies_is_started_again(site: Site, service: str) -> None:
    pid = site.run(REGION, "cat", f"/node/service/{service}/supervise/pid").strip()
    site.run(REGION, "kill", "-9", pid)

    def again() -> bool:
        now = site.run(REGION, "cat", f"/node/service/{service}/supervise/pid").strip()
        ready = ("get", "node", REGION, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")
        return now not in ("", pid) and "True" in site.kubectl(REGION, *ready, check=False)

    until(again, 60, f"{service} runs again and the node is ready")


def test_a_killed_region_comes_back_with_its_data(site: Site) -> None:
    site.kubectl(REGION, "create", "configmap", "memory", "--from-literal=of=before")
    site.fault(REGION, "down")
    assert site.kubectl(REGION, "get", "nodes", "--request-timeout=2s", check=False) == ""
    site.fault(REGION, "up")
    words = ("get", "configmap", "memory", "-o", "jsonpath={.data.of}", "--request-timeout=2s")
    until(lambda: site.kubectl(REGION, *words, check=False) == "before", 60, "the region's data is there")
    site.kubectl(REGION, "delete", "configmap", "memory")
    ready = ("get", "deployment", "-n", "llm-verifier", "llm-verifier", "-o", "jsonpath={.status.readyReplicas}")
    until(lambda: site.kubectl(REGION, *ready, check=False) == "2", 90, "its pods are back")


@pytest.mark.long
def test_a_regions_certificates_are_renewed_and_nobody_notices(site: Site) -> None:
    """All with new keys, the kubelet's for its node too; every program shows and uses the new ones."""
    folder = site.state / "pki" / REGION
    authorities = {"ca", "etcd-ca", "front-proxy-ca"}

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def shown(port: int) -> bytes:
        pem = ssl.get_server_certificate((f"{site.instance.prefix}.2.2", port))
        return ssl.PEM_cert_to_DER_cert(pem)

    before, others = files(), {region: (site.state / "pki" / region / "kubelet.crt").read_bytes() for region in REGIONS}
    until(lambda: all_own(site), 120, "every region answers, this one too")
    with watched(site.region(REGION)) as seen:
        site.play("playbooks/rotate_certificates.yml", "--limit", REGION)
    assert seen.asked and not seen.bad, seen
    after = files()
    kept = {name for name in after if after[name] == before[name]}
    assert kept == {f"{name}.{kind}" for name in authorities for kind in ("crt", "key")} | {
        "service-account.key", "encryption.yaml"}
    for port, name in ((6443, "apiserver"), (10250, "kubelet"), (4443, "metrics-server")):
        assert shown(port) == ssl.PEM_cert_to_DER_cert(after[f"{name}.crt"].decode()), name
    pods = ("-n", "llm-verifier", "deployment/llm-verifier")
    assert site.kubectl(REGION, "logs", *pods, "--tail=1"), "the API server gets into the kubelet"
    said = site.run(REGION, *KUBELET, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert said == f"system:node:{REGION}"
    until(lambda: "NAME" in site.kubectl(REGION, "top", "node", check=False), 60, "metrics are there")
    assert "down" not in site.run(REGION, "sh", "-c", "sv status /node/service/*")
    for region in set(REGIONS) - {REGION}:
        assert (site.state / "pki" / region / "kubelet.crt").read_bytes() == others[region]
    assert set(changes(site.play("playbooks/40_clusters.yml", "--limit", REGION)).values()) == {0}
