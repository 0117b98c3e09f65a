#!/usr/bin/env python3
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door's price: the edge against a minimal HAProxy before the same regions (silent, and with HAProxy's own
access log), gdnsd with the policy against one static record. Each group is measured in turns in one run; what counts
are the ratios, and those against the first of a group must reach 0.9.

`benchmarks/front_door.py [--seconds 5] [--rounds 5]` needs root and the Debian tree that `make site` builds. Everything
runs on loopback in a network namespace of its own; wrk and dnsperf are Debian's, unpacked over the tree for the run.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "collections"))

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import render as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd.adapter import generation_text
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import blocks
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

CACHE = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
DOMAIN = "llm-verifier.com"
TARGET = 0.9
CLIENT, SERVER = "1", "0"  # processors: what is measured has one to itself

MINIMAL = """global
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend edge
  bind 127.0.0.1:8444 ssl crt /mnt/tls.crt alpn h2,http/1.1
  default_backend regions
backend regions
  balance roundrobin
"""
REGION = """global
  maxconn 8000
  ssl-load-extra-del-ext
defaults
  mode http
  timeout client 60s
frontend region
  http-request return status 200 content-type application/json string '{"status":"ok"}'
"""

PLAIN_ZONE = """@ 5 SOA ns1 hostmaster 1 7200 900 604800 5
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
api 30 A 127.0.0.1
"""
ONE_THREAD = "options => {\n  udp_threads => 1\n  tcp_threads => 1\n"


def table_of() -> tuple[RoutingTable, Site]:
    """The local inventory's policy with all regions on loopback, the clients' network being this host's."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text()
    policy = Policy.from_dict(yaml.safe_load(text)["routing_policy"])
    names = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1")
    regions = [Region(name=name, endpoint=f"127.0.0.{order}", order=order) for order, name in enumerate(names, 2)]
    site = Site(
        edges=(Machine(name="edge-1", address="127.0.0.1"),), static_site=Machine(name="static-1", address="127.0.0.9"),
        networks=(("127.0.0.0/8", "IE"),),
    )
    return compile_table(policy, regions, 1), site


@dataclass(frozen=True)
class Subject:
    """A program that is measured: how to load it for so many seconds, and its process."""

    name: str
    load: Callable[[float], float]
    process: int

    def measure(self, seconds: float) -> tuple[float, float]:
        """Answers per second, and per second of its own processor time."""
        before, started = self._processor_seconds(), time.monotonic()
        rate = self.load(seconds)
        passed, used = time.monotonic() - started, self._processor_seconds() - before
        return rate, rate * min(seconds, passed) / used

    def _processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Lab:
    """The Debian tree with the load tools over it, `folder` as /mnt, in a network namespace of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder / "mnt", folder / "root"
        self.started: list[subprocess.Popen[bytes]] = []
        for path in (self.folder, self.root, folder / "work"):
            path.mkdir()
        options = f"lowerdir={tree()},upperdir={folder / 'tools'},workdir={folder / 'work'}"
        _do("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        _do("mount", "--bind", str(self.folder), str(self.root / "mnt"))
        _do("mount", "--bind", "/dev", str(self.root / "dev"))
        _do("mount", "-t", "proc", "proc", str(self.root / "proc"))
        _do("ip", "link", "set", "lo", "up")

    def start(self, processor: str, *argv: str) -> int:
        """Run a program in the background and return its number; its output goes to a file, as an access log does."""
        log = (self.folder / f"log-{len(self.started)}").open("wb")
        command = ["taskset", "-c", processor, "chroot", str(self.root), *argv]
        self.started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return self.started[-1].pid

    def run(self, processor: str, *argv: str) -> str:
        """Run a program and return what it said."""
        return _do("taskset", "-c", processor, "chroot", str(self.root), *argv)

    def stop(self) -> None:
        """End what was started."""
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(timeout=20)
        self.started.clear()


def tree() -> Path:
    """The Debian tree."""
    trees = [path for path in sorted((CACHE / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
    if not trees:
        raise SystemExit(f"No Debian tree in {CACHE}/tree. Build it with: make site")
    return trees[0]


def get_tools(folder: Path) -> None:
    """Debian's wrk and dnsperf with what the tree lacks for them, unpacked into folder/tools."""
    (folder / "debs/partial").mkdir(parents=True)
    (folder / "tools").mkdir()
    _do("apt-get", "-qq", "-o", f"Dir::State::status={tree()}/var/lib/dpkg/status", "-o", "Debug::NoLocking=1",
        "-o", f"Dir::Cache::archives={folder}/debs", "-o", "Dir::State::extended_states=/dev/null",
        "--no-install-recommends", "-y", "--download-only", "install", "wrk", "dnsperf")
    for package in (folder / "debs").glob("*.deb"):
        _do("dpkg-deb", "-x", str(package), str(folder / "tools"))


def _do(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv[:6])} failed: {done.stderr.strip()[-800:]}")
    return done.stdout


def certificate(folder: Path) -> None:
    """A root of its own and a certificate for the front door's names."""
    names = f"subjectAltName=DNS:api.{DOMAIN},DNS:*.{DOMAIN}"
    _do("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
        "-subj", "/CN=benchmark", "-addext", names, "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"))
    (folder / "ca.pem").write_text((folder / "tls.crt").read_text())


def load_balancers(lab: Lab) -> list[Subject]:
    """Start the regions, a minimal HAProxy and the edge."""
    table, site = table_of()
    certificate(lab.folder)
    settings = haproxy.Settings(
        https_port=8443, http_port=8080, metrics_port=8404, certificate="/mnt/tls.crt", ca_file="/mnt/ca.pem",
        admin_socket="", ask_socket="", state_file="", user="", rate_limit=10**9,
    )
    for path, text in haproxy.edge(table, site, settings).items():
        (lab.folder / Path(path).name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))
    host = f"api.{DOMAIN}"
    tls = f"ssl verify required ca-file /mnt/ca.pem sni str({host}) verifyhost {host}"
    servers = "".join(f"  server {region.name} {region.endpoint}:443 {tls}\n" for region in table.regions)
    extra = "global\n  nbthread 1\n"
    edge = (lab.folder / "haproxy.cfg").read_text()
    (lab.folder / "haproxy.cfg").write_text(edge.replace("global\n", extra, 1))
    minimal = MINIMAL.replace("global\n", extra + "  ssl-load-extra-del-ext\n", 1) + servers
    (lab.folder / "minimal.cfg").write_text(minimal)
    log = "  log stdout format raw local0\ndefaults\n  log global\n  option httplog\n"
    logging = minimal.replace("defaults\n", log, 1)
    (lab.folder / "logging.cfg").write_text(logging.replace(":8444", ":8445"))
    binds = "".join(f"  bind {region.endpoint}:443 ssl crt /mnt/tls.crt alpn h2,http/1.1\n" for region in table.regions)
    answers = "".join(f"  {line}\n" for line in [*blocks.answer_headers(settings), blocks.SAY_GATEWAY])
    (lab.folder / "regions.cfg").write_text(REGION.replace("frontend region\n", "frontend region\n" + binds + answers))
    lab.start(CLIENT, "haproxy", "-db", "-f", "/mnt/regions.cfg")
    time.sleep(1)
    edge_process = lab.start(SERVER, "haproxy", "-db", "-f", "/mnt/haproxy.cfg")
    minimal_process = lab.start(SERVER, "haproxy", "-db", "-f", "/mnt/minimal.cfg")
    logging_process = lab.start(SERVER, "haproxy", "-db", "-f", "/mnt/logging.cfg")
    time.sleep(5)

    def measure(port: int) -> Callable[[float], float]:
        def run(seconds: float) -> float:
            said = lab.run(CLIENT, "wrk", "-t1", "-c32", f"-d{seconds:.0f}s", "-H", f"Host: {host}",
                           f"https://127.0.0.1:{port}/api/health")
            if "Non-2xx" in said or "Socket errors" in said:
                raise SystemExit(f"wrk met errors:\n{said}")
            return float(re.findall(r"Requests/sec:\s+([0-9.]+)", said)[0])

        return run

    return [
        Subject("minimal HAProxy", measure(8444), minimal_process),
        Subject("minimal HAProxy with a log", measure(8445), logging_process),
        Subject("edge", measure(8443), edge_process),
    ]


def name_servers(lab: Lab) -> list[Subject]:
    """Start gdnsd with one static record and with the policy."""
    table, site = table_of()
    (lab.folder / "queries").write_text(f"api.{DOMAIN} A\n")
    ports, processes = {"one static record": 5301, "policy": 5302}, {}
    for name, port in ports.items():
        base = lab.folder / str(port)
        for folder in ("run", "state"):
            (base / folder).mkdir(parents=True)
        settings = gdnsd.Settings(
            run_dir=f"/mnt/{port}/run", state_dir=f"/mnt/{port}/state", listen=(f"127.0.0.1:{port}",),
            generation_file=f"/mnt/{port}/generation",
        )
        (base / "generation").write_text(generation_text(0))
        files = gdnsd.render(table, site, settings)
        if name != "policy":
            options = files[gdnsd.CONFIGURATION].split("service_types")[0]
            files = {gdnsd.CONFIGURATION: options, f"{gdnsd.ZONES}/{DOMAIN}": PLAIN_ZONE}
        for path, text in files.items():
            (base / path).parent.mkdir(parents=True, exist_ok=True)
            (base / path).write_text(text.replace("options => {\n", ONE_THREAD))
        where = f"/mnt/{port}/etc/gdnsd"
        processes[name] = lab.start(SERVER, "gdnsd", "-c", where, "start")
    time.sleep(5)

    def measure(port: int) -> Callable[[float], float]:
        def run(seconds: float) -> float:
            said = lab.run(CLIENT, "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", "/mnt/queries", "-l",
                           f"{seconds:.0f}", "-c", "8", "-T", "1", "-q", "200")
            if "NOERROR" not in said:
                raise SystemExit(f"dnsperf met errors:\n{said}")
            return float(re.findall(r"Queries per second:\s+([0-9.]+)", said)[0])

        return run

    return [Subject(name, measure(port), processes[name]) for name, port in ports.items()]


def compare(what: str, unit: str, subjects: list[Subject], rounds: int, seconds: float) -> bool:
    """Measure all in turns, print medians and the last one's ratios to the others; whether the first is good enough."""
    for subject in subjects:
        subject.measure(1)
    found: dict[str, list[tuple[float, float]]] = {subject.name: [] for subject in subjects}
    for _round in range(rounds):
        for subject in subjects:
            found[subject.name].append(subject.measure(seconds))
    for name, values in found.items():
        rate, economy = (statistics.median(column) for column in zip(*values))
        print(f"{what}, {name}: {rate:,.0f} {unit}/s, {economy:,.0f} {unit} per second of its processor time")
    *others, last = found
    ratios = []
    for other in others:
        pairs = list(zip(found[other], found[last]))
        rate, economy = (statistics.median(mine[k] / theirs[k] for theirs, mine in pairs) for k in (0, 1))
        print(f"{what}, ratio to {other}: {rate:.2f} per second, {economy:.2f} per second of processor time")
        ratios.append(rate)
    return ratios[0] >= TARGET


def inside(folder: Path, rounds: int, seconds: float) -> int:
    """What runs in namespaces of its own, whose mounts vanish with it; 0 when both ratios reach the target."""
    lab = Lab(folder)
    try:
        good = compare("load balancer", "requests", load_balancers(lab), rounds, seconds)
        lab.stop()
        good &= compare("name server", "queries", name_servers(lab), rounds, seconds)
    finally:
        lab.stop()
    return 0 if good else 1


def main() -> int:
    """Get the tools, then measure in a network and mount namespace."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return inside(arguments.inside, arguments.rounds, arguments.seconds)
    if os.geteuid() != 0:
        raise SystemExit("This benchmark makes namespaces: run it as root.")
    with tempfile.TemporaryDirectory() as folder:
        get_tools(Path(folder))
        again = [sys.executable, __file__, *sys.argv[1:], "--inside", folder]
        return subprocess.run(["unshare", "--net", "--mount", *again], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
