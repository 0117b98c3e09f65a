# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links are made once, and whatever an interrupted set-up or somebody else left wrong with them is mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# On a machine of its own: makes the network of one node, breaks it by the argument, and tells what each call said and
# whether the node is reached afterwards.
SCRIPT = """
import json, socket, subprocess, sys, time
from pathlib import Path
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local import network
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
network.NETNS.mkdir(parents=True, exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "netns", str(network.NETNS)], check=True)
instance = Instance("llmv", "10.77", Path("/nowhere"), Path("/nowhere"))

def ensure(check=False):
    made = network.ensure_wan(instance, check=check)
    return network.ensure_link(instance, "web-1", 3, ["10.77.3.10"], check=check) or made

def reached(address, tries=1):  # more than one lets a lost neighbour be asked for again
    serve = "import socket; s = socket.create_server(('', 80)); print(flush=True); s.accept()"
    inside = ["ip", "netns", "exec", "llmv-web-1", sys.executable, "-c", serve]
    server = subprocess.Popen(inside, stdout=subprocess.PIPE)
    server.stdout.readline()
    try:
        for _number in range(tries):
            try:
                socket.create_connection((address, 80), timeout=0.5).close()
                return True
            except OSError:
                time.sleep(0.2)
        return False
    finally:
        server.kill()

said = [ensure(), ensure()]
subprocess.run(sys.argv[1], shell=True, check=True)
lost = not reached("10.77.3.2") or not reached("10.77.3.10")
after = [ensure(check=True), ensure(), ensure()]
print(json.dumps([*said, lost, *after, reached("10.77.3.2", 20), reached("10.77.3.10", 20)]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")
@pytest.mark.parametrize(
    "broken",
    [
        "ip -n llmv-web-1 address delete 10.77.3.2/24 dev eth0",
        "ip -n llmv-web-1 address delete 10.77.3.10/24 dev eth0",
        "ip -n llmv-web-1 route delete default",
        "ip -n llmv-web-1 link set eth0 down",
        "ip -n llmv-wan address delete 10.77.3.1/24 dev n3",
        "ip -n llmv-wan link set n3 down",
        "ip -n llmv-wan link delete n3",
        "ip -n llmv-wan address delete 10.77.0.1/30 dev host",
        "ip -n llmv-wan link set host down",
        "ip netns exec llmv-wan sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'",
        "ip address delete 10.77.0.2/30 dev llmv-host",
        "ip route delete 10.77.0.0/16",
        "ip link set llmv-host down",
        "ip link delete llmv-host",
        "ip netns delete llmv-web-1",
        "ip netns delete llmv-wan",
    ],
)
def test_a_network_that_is_half_there_is_mended(broken: str) -> None:
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "collections"), *sys.path])}
    command = ["unshare", "--net", "--mount", sys.executable, "-c", SCRIPT, broken]
    done = subprocess.run(command, env={**os.environ, **paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made, again, lost, would, mended, then, *reached = json.loads(done.stdout)
    assert (made, again) == (True, False)
    assert (lost, would, mended, then) == (True, True, True, False)
    assert reached == [True, True]
