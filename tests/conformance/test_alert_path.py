# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a routing agent's metric to everything that tells people: real Prometheus, two real Alertmanagers, receivers.

The receivers listen on loopback: a webhook, a mail server, and what stands where Slack and PagerDuty are.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.metrics import text
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring import alertmanager, rules
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.monitoring.settings import Settings

from .programs import program

TOKEN, KEY = "a-secret-of-the-receiver", "a-secret-of-the-pager"
FIRING, RESOLVED = "firing", "resolved"


@dataclass
class World:
    """What the agent says, and what the receiver was told."""

    evicted: bool = False
    sick: bool = False
    told: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    slack: list[dict[str, Any]] = field(default_factory=list)
    pager: list[dict[str, Any]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def metrics(self) -> str:
        """The agent's page."""
        samples: list[tuple[str, dict[str, str], float]] = [("active", {}, 1.0)]
        samples.append(("phase", {"region": "eu-west-1", "phase": "EVICTED"}, float(self.evicted)))
        if self.sick:
            samples.append(("verdict", {"subject": "eu-west-1", "verdict": "REGION_DOWN"}, 1.0))
        return text(samples)

    def messages(self, alert: str, status: str) -> list[dict[str, Any]]:
        """What the receiver was told of an alert."""
        return [item for item in self.told if item["status"] == status and item["groupLabels"]["alertname"] == alert]


@pytest.fixture(name="world")
def fixture_world(tmp_path: Path) -> Iterator[World]:
    prometheus, manager = program("prometheus"), program("prometheus-alertmanager")
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount of its own")
    world = World()
    with ExitStack() as stack:
        page, post = (stack.enter_context(listening(server)) for server in (web(world), mail(world)))
        ports = [free_port() for _port in range(5)]
        (tmp_path / "token").write_text(TOKEN)
        configure(tmp_path, page, post, ports[1:3])
        for own, gossip, other in ((1, 3, 4), (2, 4, 3)):
            stack.enter_context(running([
                *with_its_share(manager), f"--config.file={tmp_path}/alertmanager.yml",
                f"--storage.path={tmp_path}/data-{own}",
                f"--web.listen-address=127.0.0.1:{ports[own]}", f"--cluster.listen-address=127.0.0.1:{ports[gossip]}",
                f"--cluster.peer=127.0.0.1:{ports[other]}", "--cluster.peer-timeout=2s", "--cluster.settle-timeout=5s",
                "--log.level=error",
            ]))  # fmt: skip
        until(lambda: all(peers(port) == 2 for port in ports[1:3]), 60, "they know each other")
        stack.enter_context(running([
            prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
            f"--web.listen-address=127.0.0.1:{ports[0]}", "--log.level=error",
        ]))  # fmt: skip
        yield world


def peers(port: int) -> int:
    """How many Alertmanagers the one at this port knows, itself included."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/status", timeout=2) as answer:
            return len(json.load(answer)["cluster"].get("peers", ()))
    except OSError:
        return 0


def with_its_share(program: str) -> list[str]:
    """Words that run a program of the tree with the tree's /usr/share, where Alertmanager's templates are."""
    share = str(Path(program).parents[1] / "share")
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /usr/share && exec "$@"', share, program]


def configure(folder: Path, page: str, post: str, managers: list[int]) -> None:
    """Write the files of all three."""
    notify = alertmanager.Notify.from_dict({
        "contacts": {"devops": "devops@example.com", "support": "support@example.com"},
        "mail": {"smarthost": post, "from": "alerts@example.com", "require_tls": False},
        "receivers": {"devops": [
            {"kind": "webhook", "url": f"http://{page}/", "token_file": "token"},
            {"kind": "slack", "url_file": "slack", "channel": "#ops"},
            {"kind": "pagerduty", "key_file": "key", "url": f"http://{page}/pager"},
            {"kind": "mail"},
        ]},
        "timing": {"critical": [0, 5, 3600], "warning": [1, 5, 3600]},  # messages further apart than the peers' turns
    })  # fmt: skip
    made = alertmanager.configuration(notify, rules.all_alerts(Settings()), str(folder))
    given = {"token": TOKEN, "slack": f"http://{page}/slack", "key": KEY}
    for name, source in made.secrets.items():
        (folder / name).write_text(given[source])
    (folder / "alertmanager.yml").write_text(json.dumps(made.data))
    found = rules.rule_file(Settings(), ["global"])
    sick = next(rule for group in found["groups"] for rule in group["rules"] if rule.get("alert") == "RegionSick")
    sick["for"] = "1s"
    (folder / "rules.yml").write_text(json.dumps(found))
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{port}" for port in managers]}]}]},
        "scrape_configs": [{"job_name": "routing-agent", "static_configs": [{"targets": [page]}]}],
    }))  # fmt: skip


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


class running(ExitStack):
    """A program that ends with the test."""

    def __init__(self, command: list[str]) -> None:
        super().__init__()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.callback(process.wait, 20)
        self.callback(process.kill)


@contextmanager
def listening(server: socketserver.TCPServer) -> Iterator[str]:
    """The server's host and port while it answers."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def web(world: World) -> ThreadingHTTPServer:
    """One server for the agent's metrics (GET) and what is told by HTTP (POST)."""

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(world.metrics().encode())

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/":
                world.tokens.add(self.headers.get("Authorization", ""))
            {"/": world.told, "/slack": world.slack, "/pager": world.pager}[self.path].append(said)
            self._answer(b"ok")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """Nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Asked)


def mail(world: World) -> socketserver.ThreadingTCPServer:
    """A server that takes every mail (RFC 5321, as much as one client needs)."""

    class Asked(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                self.wfile.write({b"QUIT": b"221 gone\r\n", b"DATA": b"354 on\r\n"}.get(word, b"250 taken\r\n"))
                if word == b"DATA":
                    world.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                    self.wfile.write(b"250 taken\r\n")

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Asked)


def until(holds: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def test_an_eviction_reaches_everybody_once_and_so_does_its_end(world: World) -> None:
    time.sleep(8)
    assert not world.told, "nothing is wrong yet"
    world.evicted = world.sick = True
    until(lambda: world.messages("RegionEvicted", FIRING), 60, "told")
    message = world.messages("RegionEvicted", FIRING)[0]
    assert message["groupLabels"] == {"alertname": "RegionEvicted", "region": "eu-west-1"}
    assert message["commonLabels"]["severity"] == "critical" and message["receiver"] == "devops"
    assert message["commonAnnotations"]["runbook_url"].endswith("/docs/runbooks/alerts/RegionEvicted.md")
    time.sleep(15)  # what follows from it would be told by now
    world.evicted = world.sick = False
    until(lambda: world.messages("RegionEvicted", RESOLVED), 60, "told that it is over")
    time.sleep(8)  # the other Alertmanager has had its turn
    assert [len(world.messages("RegionEvicted", status)) for status in (FIRING, RESOLVED)] == [1, 1]
    assert not world.messages("RegionSick", FIRING), "it follows from the eviction"
    assert world.tokens == {f"Bearer {TOKEN}"}
    evicted = [said["attachments"][0]["title"] for said in world.slack]
    assert [title.split()[0] for title in evicted] == ["[FIRING:1]", "[RESOLVED]"]
    assert all("RegionEvicted" in title for title in evicted) and {said["channel"] for said in world.slack} == {"#ops"}
    assert [said["event_action"] for said in world.pager] == ["trigger", "resolve"]
    assert {said["routing_key"] for said in world.pager} == {KEY}
    assert len({said["dedup_key"] for said in world.pager}) == 1
    assert world.pager[0]["payload"]["severity"] == "critical"
    mails = [mail for mail in world.mails if "To: devops@example.com" in mail]
    assert ["FIRING:1" in mails[0], "RESOLVED" in mails[1], len(mails)] == [True, True, 2]
    assert all("RegionEvicted" in mail for mail in world.mails)
