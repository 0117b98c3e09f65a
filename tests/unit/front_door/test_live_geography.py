# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running gdnsd and a running HAProxy with one country database: both send an address to the same geography; and the
PROXY protocol by live clients. Everything is in a network namespace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.geoip import convert as geoip
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import render as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

from .conftest import REGIONS, ROOT

HOST, EDGE = "api.llm-verifier.com", "10.1.201.10"
COUNTRIES = {
    "10.9.1.0/24": "IE", "10.9.2.0/24": "CA", "10.9.3.0/24": "SG", "10.9.4.0/24": "BR", "10.9.5.0/24": "XK",
    "10.9.9.0/24": "JP", "2001:db8:1::/48": "FR", "2001:db8:3::/48": "JP",
}
POLICY = (("10.9.1.128/25", "SG"), ("10.9.7.0/24", "IE"), ("10.9.9.0/24", "IE"))
PROXIES = "10.9.200.0/24"
EXPECTED = {
    "10.9.1.5": "eu-west-1",
    "10.9.1.200": "ap-southeast-1",  # the policy's network lies in one of the database's
    "10.9.2.5": "us-west-2",
    "10.9.3.5": "ap-southeast-1",
    "10.9.4.5": "us-east-1",
    "10.9.5.5": "us-east-1",  # Kosovo's code is none of ISO 3166-1's: the default
    "10.9.6.5": "us-east-1",  # unknown: the default
    "10.9.7.5": "eu-west-1",  # known to the policy alone
    "10.9.9.5": "eu-west-1",  # known to both, which differ
    "2001:db8:1::5": "eu-west-1",
    "2001:db8:3::5": "ap-southeast-1",
    "2001:db8:9::5": "us-east-1",
}
REGION = """global
  ssl-load-extra-del-ext
defaults
  mode http
  timeout client 60s
frontend region
  http-request return status 200 content-type application/json string '{"status":"ok"}'
"""
# Opens connections and sends requests on each: source, told addresses in turn ("" for no header), version, connections,
# requests. All stay open until the end.
CLIENT = """
import json, socket, ssl, struct, sys
source, addresses, version, connections, requests = sys.argv[1:6]
context = ssl.create_default_context(cafile=sys.argv[6])
kept, found = [], []
for number in range(int(connections)):
    answers, told = [], addresses.split(",")[number % len(addresses.split(","))]
    try:
        plain = socket.create_connection(("10.1.201.10", 443), 10, (source, 0))
        if told and version == "1":
            family = "TCP6" if ":" in told else "TCP4"
            plain.sendall(f"PROXY {family} {told} {'::1' if ':' in told else '10.1.201.10'} 4444 443\\r\\n".encode())
        elif told:
            address = socket.inet_aton(told) + socket.inet_aton("10.1.201.10") + struct.pack("!HH", 4444, 443)
            plain.sendall(b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n" + bytes([0x21, 0x11]) + struct.pack("!H", 12) + address)
        secure = context.wrap_socket(plain, server_hostname="api.llm-verifier.com")
        kept.append(secure)
        for _request in range(int(requests)):
            secure.sendall(b"GET /x HTTP/1.1\\r\\nHost: api.llm-verifier.com\\r\\n\\r\\n")
            said = b""
            while b"\\r\\n\\r\\n" not in said:
                part = secure.recv(4096)
                if not part:
                    raise ConnectionResetError
                said += part
            head = said.split(b"\\r\\n\\r\\n")[0].decode().lower()
            region = [line.split(": ")[1] for line in head.split("\\r\\n") if line.startswith("x-region")]
            answers.append([int(head.split()[1]), *region])
    except OSError:
        answers.append("refused")
    found.append(answers)
print(json.dumps(found))
"""


def front_door() -> tuple[RoutingTable, Site]:
    """The default policy, with a first region of its own for each geography and DNS leading to regions."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    raw = yaml.safe_load(text)["routing_policy"]
    raw["geographies"]["north-america"]["regions"] = ["us-west-2", "us-east-1"]
    raw["front_door"]["chain"] = ["regions", "static_site"]
    regions = [
        Region(name=name, geography=place, endpoint=f"10.1.{order}.10", order=order)
        for order, (name, place) in enumerate(REGIONS.items(), 1)
    ]
    site = Site(
        edges=(Machine(name="edge-1", address=EDGE),), static_site=Machine(name="static-1", address="10.1.211.10"),
        networks=POLICY,
    )
    return compile_table(Policy.from_dict(raw), regions, 7), site


class Lab:
    """The Debian tree in namespaces of its own, with a folder as /mnt."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.folder, self.processes = folder, []  # type: Path, list[subprocess.Popen[bytes]]
        addresses = [EDGE, "10.9.200.7", *(f"10.1.{order}.10" for order in range(1, 5))]
        addresses += [address for address in EXPECTED if ":" not in address]
        links = "; ".join(f"ip address add {address}/32 dev lo" for address in addresses)
        enter = f'mount --bind "$0" "$1/mnt"; ip link set lo up; {links}; echo ready; exec sleep 600'
        command = ["unshare", "--net", "--mount", "sh", "-ec", enter, str(folder), str(tree)]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.processes.append(holder)
        assert holder.stdout and holder.stdout.readline() == b"ready\n"
        self._enter, self._tree = ["nsenter", "-t", str(holder.pid), "-n", "-m"], ["chroot", str(tree)]

    def start(self, *argv: str) -> None:
        """Run a program of the tree until the end."""
        log = (self.folder / f"{argv[0]}.log").open("ab")
        self.processes.append(subprocess.Popen([*self._enter, *self._tree, *argv], stdout=log, stderr=log))

    def run(self, *argv: str) -> str:
        """What a program of the tree prints."""
        done = subprocess.run([*self._enter, *self._tree, *argv], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def ask(self, source: str, told: str = "", version: int = 1, connections: int = 1, requests: int = 1) -> Any:
        """The answers of each connection of a live client."""
        argv = [source, told, str(version), str(connections), str(requests), str(self.folder / "tls.crt")]
        return self.script(CLIENT, *argv)

    def start_script(self, program: str, *argv: str) -> subprocess.Popen[bytes]:
        """Run a program of Python in the lab's network until the end."""
        self.processes.append(subprocess.Popen([*self._enter, sys.executable, "-c", program, *argv]))
        return self.processes[-1]

    def script(self, program: str, *argv: str) -> Any:
        """What a program of Python in the lab's network prints, as JSON."""
        command = [*self._enter, sys.executable, "-c", program, *argv]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def resolve(self, subnet: str) -> str:
        """The address that a client of a subnet gets for the service."""
        return self.run("dig", "+short", "+tries=1", "+time=2", f"+subnet={subnet}", f"@{EDGE}", HOST)

    def until(self, seconds: float, command: list[str], wanted: str) -> None:
        """Wait until a program of the tree prints something."""
        end = time.monotonic() + seconds
        while wanted not in self.run(*command):
            logs = "\n".join(path.read_text()[-1500:] for path in self.folder.glob("*.log"))
            assert time.monotonic() < end, logs
            time.sleep(0.2)


def tree() -> Path:
    """The Debian tree. Skips where none is built."""
    cache = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
    trees = [path for path in sorted((cache / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
    if not trees or os.geteuid() != 0:
        pytest.skip("needs root and the Debian tree, which `make site` builds")
    return trees[0]


def certificate(folder: Path) -> None:
    """A certificate of the service's name that is its own root."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(folder / "tls.key"),
         "-out", str(folder / "tls.crt")],
        check=True, capture_output=True,
    )


def prepare(folder: Path) -> None:
    """Write the database, what is converted of it, and all configurations."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    for network, country in COUNTRIES.items():
        writer.insert_network(IPSet([network]), {"country_code": country})
    writer.to_db_file(str(folder / "given.mmdb"))
    geoip.convert(folder / "given.mmdb", folder, check=False)
    table, site = front_door()
    settings = haproxy.Settings(
        certificate="/mnt/tls.crt", ca_file="/mnt/tls.crt", admin_socket="", ask_socket="", state_file="", user="",
        country_map=f"/mnt/{geoip.MAP}", proxy_protocol_networks=(PROXIES,), rate_limit=20, connection_limit=3,
    )
    for path, text in haproxy.edge(table, site, settings).items():
        (folder / Path(path).name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))
    binds = "".join(f"  bind {region.endpoint}:443 ssl crt /mnt/tls.crt\n  bind {region.endpoint}:80\n"
                    for region in table.regions)
    (folder / "regions.cfg").write_text(REGION.replace("frontend region\n", "frontend region\n" + binds))
    names = gdnsd.Settings(
        listen=(EDGE,), run_dir="/mnt/run", state_dir="/mnt/state", generation_file="/mnt/generation",
        geoip2_database=f"/mnt/{geoip.DATABASE}",
    )
    for name, text in {**gdnsd.render(table, site, names), "generation": "; none yet\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("run", "state"):
        (folder / name).mkdir()
    certificate(folder)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Four regions, an edge's HAProxy and its gdnsd, all answering."""
    folder, root = tmp_path_factory.mktemp("lab"), tree()
    prepare(folder)
    made = Lab(folder, root)
    try:
        made.start("haproxy", "-db", "-f", "/mnt/regions.cfg")
        made.until(20, ["curl", "-s", "http://10.1.4.10/"], "ok")
        made.start("haproxy", "-db", "-f", "/mnt/haproxy.cfg")
        made.start("gdnsd", "-c", "/mnt/etc/gdnsd", "start")
        made.until(20, ["curl", "-s", f"http://{EDGE}/api/health"], "ok")
        made.until(20, ["dig", "+short", "+tries=1", f"@{EDGE}", HOST], "10.1.1.10")
        yield made
    finally:
        for process in reversed(made.processes):
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("address", EXPECTED)
def test_dns_and_load_balancer_know_one_geography_of_an_address(lab: Lab, address: str) -> None:
    table, _site = front_door()
    subnet = f"{address}/48" if ":" in address else f"{address}/32"
    assert lab.resolve(subnet) == table.region(EXPECTED[address]).endpoint
    # An IPv6 client reaches an edge by way of a proxy.
    answers = lab.ask("10.9.200.7", told=address) if ":" in address else lab.ask(address)
    assert answers == [[[200, EXPECTED[address]]]]


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_listed_proxy_tells_decides(lab: Lab, version: int) -> None:
    assert lab.ask("10.9.200.7", told="10.9.3.77", version=version) == [[[200, "ap-southeast-1"]]]
    assert lab.ask("10.9.200.7", told="10.9.1.77", version=version) == [[[200, "eu-west-1"]]]


def test_others_are_not_believed(lab: Lab) -> None:
    assert lab.ask("10.9.2.5", told="10.9.3.77") == [["refused"]]
    assert lab.ask("10.9.200.7") == [["refused"]], "a listed proxy that tells nothing"


def test_curl_speaks_it(lab: Lab) -> None:
    """curl tells its own address, 10.9.200.7, which no database knows."""
    curl = ["curl", "-s", "--max-time", "10", "--cacert", "/mnt/tls.crt", "--resolve", f"{HOST}:443:{EDGE}",
            "-o", "/dev/null", "-w", "%{http_code}", f"https://{HOST}/x", "--interface"]
    assert lab.run(*curl, "10.9.200.7", "--haproxy-protocol") == "200"
    assert lab.run(*curl, "10.9.2.5", "--haproxy-protocol") == "000"


def test_limits_are_those_of_the_told_address(lab: Lab) -> None:
    served = [[200, "us-east-1"]]
    # At once three connections each of two clients, which is what an address may hold, and one each too many.
    assert lab.ask("10.9.200.7", told="10.9.4.10,10.9.4.11", connections=8) == [served] * 6 + [["refused"]] * 2
    assert lab.ask("10.9.4.5", connections=4) == [served] * 3 + [["refused"]]
    (answers,) = lab.ask("10.9.200.7", told="10.9.4.12", requests=22)
    assert [status for status, *_region in answers] == [200] * 20 + [429] * 2
    assert lab.ask("10.9.200.7", told="10.9.4.13") == [served]
