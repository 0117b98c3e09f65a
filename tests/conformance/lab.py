# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back ends to try adapters on: real ones of the Debian tree in a network of their own, and the one in memory."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd import render as gdnsd
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.gdnsd.adapter import (
    GdnsdAdapter,
    generation_text,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy import render as haproxy
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.haproxy.adapter import HaproxyAdapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.memory.adapter import (
    Memory,
    MemoryAdapter,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("LLM_VERIFIER_CACHE", "/var/cache/llm-verifier"))
TREES = [path for path in sorted((CACHE / "tree").glob("*")) if (path / "usr/sbin/haproxy").exists()]
NEEDED = "needs root and the Debian tree: `make site` as root builds it, then `pytest tests/conformance` as root"

REGIONS = {
    "us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia",
}  # fmt: skip
GEOGRAPHIES = ("north-america", "europe", "asia", "other")
SITE = Site(
    edges=(Machine(name="edge-1", address="127.0.1.201"),),
    static_site=Machine(name="static-1", address="127.0.1.211"),
    networks=(("10.1.221.0/24", "US"), ("10.1.222.0/24", "IE"), ("10.1.223.0/24", "SG"), ("10.1.224.0/24", "BR")),
)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET

_ANSWERING = """global
  ssl-load-extra-del-ext
defaults
  mode http
  timeout client 60s
frontend region
  bind {address}:443 ssl crt /mnt/tls.crt
  bind {address}:80
  http-request return status {status} content-type application/json string '{{}}'
"""


def table_of(algorithm: str = "geo", without: str = "", **weights: float) -> RoutingTable:
    """The default policy with quick health checks; `weights` by region with underscores."""
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["routing_policy"]
    data["health"] = {**data.get("health", {}), "interval_seconds": 2, "timeout_seconds": 1, "failures": 1,
                      "successes": 1}
    data["geographies"] = {
        name: {**geography, "regions": [region for region in geography["regions"] if region != without]}
        for name, geography in data["geographies"].items()
    }
    regions = [
        Region(name=name, geography=place, endpoint=f"127.0.1.{order}", order=order,
               weight=weights.get(name.replace("-", "_"), 1))
        for order, (name, place) in enumerate(REGIONS.items(), 1) if name != without
    ]
    return compile_table(Policy.from_dict({**data, "algorithm": algorithm}), regions, 1)


def wait_until(holds: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether it held in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def own_network() -> Iterator[None]:
    """This thread and what it starts live in a network of their own, with nothing but loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        libc.setns(before, _NEW_NETWORK)
        os.close(before)


class Lab(ABC):
    """One back end with its regions. `open` gives a fresh adapter, as a restarted engine has it."""

    generation = 0

    def next(self) -> int:
        """A generation above all before."""
        self.generation += 1
        return self.generation

    @abstractmethod
    def begin(self) -> None:
        """Start everything; `end` ends what was started even when this fails."""

    @abstractmethod
    def open(self, without: str = "") -> Adapter:
        """An adapter, of the policy or of one without a region."""

    @abstractmethod
    def kept(self) -> object:
        """Everything that the back end holds, to see whether something was written."""

    @abstractmethod
    def kill(self, *names: str) -> None:
        """End these regions."""

    @abstractmethod
    def revive(self) -> None:
        """Let all regions serve, take away what an operator did."""

    @abstractmethod
    def reload(self) -> None:
        """What a changed configuration makes of the back end."""

    @abstractmethod
    def restart(self) -> None:
        """End it hard and start it again."""

    @abstractmethod
    def overrule(self, region: str) -> None:
        """What an operator does by hand to send a region's geography there, whatever is decided."""

    @abstractmethod
    def end(self) -> None:
        """End everything."""


class MemoryLab(Lab):
    """The back end in memory."""

    def __init__(self) -> None:
        self.memory = Memory()

    def begin(self) -> None:
        return None

    def open(self, without: str = "") -> Adapter:
        return MemoryAdapter(table_of(without=without), self.memory)

    def kept(self) -> object:
        return self.memory.writes

    def kill(self, *names: str) -> None:
        self.memory.up = (frozenset(REGIONS) if self.memory.up is None else self.memory.up) - set(names)

    def revive(self) -> None:
        self.memory.up = None

    def reload(self) -> None:
        return None

    restart = reload

    def overrule(self, region: str) -> None:
        self.memory.up = frozenset({region})

    def end(self) -> None:
        return None


class TreeLab(Lab):
    """Programs of the Debian tree, whose /mnt is `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self) -> None:
        folder = self.folder
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
             "-subj", "/CN=lab", "-addext", "subjectAltName=DNS:api.llm-verifier.com", "-keyout", folder / "tls.key",
             "-out", folder / "tls.crt"], check=True, capture_output=True,
        )
        shutil.copy(folder / "tls.crt", folder / "ca.pem")
        self.revive_regions()
        self._answer("static", SITE.static_site.address if SITE.static_site else "", 503)

    def place(self, path: str) -> Path:
        """Where the host sees a path of the tree."""
        return self.folder / Path(path).relative_to("/mnt")

    def command(self, *argv: str) -> list[str]:
        """A command in the tree."""
        enter = 'mount --bind "$0" "$1/mnt" && exec chroot "$@"'
        return ["unshare", "-m", "sh", "-c", enter, str(self.folder), str(TREES[0]), *argv]

    def start(self, name: str, *argv: str) -> subprocess.Popen[bytes]:
        """Run a program until `end`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(self.command(*argv), stdout=log, stderr=log)
        return self.processes[name]

    def stop(self, name: str) -> None:
        """End a program at once."""
        process = self.processes.pop(name, None)
        if process:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def _answer(self, name: str, address: str, status: int) -> None:
        (self.folder / f"{name}.cfg").write_text(_ANSWERING.format(address=address, status=status))
        self.start(name, "haproxy", "-db", "-f", f"/mnt/{name}.cfg")

    def kill(self, *names: str) -> None:
        for name in names:
            self.stop(name)

    def revive_regions(self) -> None:
        """Start the regions that don't run."""
        for order, name in enumerate(REGIONS, 1):
            if name not in self.processes:
                self._answer(name, f"127.0.1.{order}", 200)

    def end(self) -> None:
        for name in list(self.processes):
            self.stop(name)


class HaproxyLab(TreeLab):
    """The edge's HAProxy."""

    settings = haproxy.Settings(
        https_port=8443, http_port=8080, certificate="/mnt/tls.crt", ca_file="/mnt/ca.pem", user="",
        admin_socket="/mnt/admin.sock", ask_socket="/mnt/ask.sock", state_file="/mnt/servers.state",
    )  # fmt: skip

    def __init__(self, folder: Path, algorithm: str = "geo") -> None:
        super().__init__(folder)
        self.algorithm = algorithm

    def begin(self) -> None:
        super().begin()
        (self.folder / "servers.state").write_text("1\n")
        for path, text in haproxy.edge(table_of(self.algorithm), SITE, self.settings).items():
            (self.folder / Path(path).name).write_text(text.replace("/node/etc/haproxy/", "/mnt/"))
        self._start()

    def _start(self) -> None:
        for name in ("admin.sock", "ask.sock"):
            (self.folder / name).unlink(missing_ok=True)
        self.master = self.start("edge", "haproxy", "-W", "-db", "-f", "/mnt/haproxy.cfg")
        assert wait_until((self.folder / "ask.sock").exists), (self.folder / "edge.log").read_text()

    def open(self, without: str = "") -> Adapter:
        return HaproxyAdapter(table_of(self.algorithm, without), SITE, self.settings, self.place)

    def said(self, command: str) -> str:
        """What the runtime interface says."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.folder / "admin.sock"))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()

    def weights(self) -> dict[str, int]:
        """Weight now by region."""
        rows = [line.split() for line in self.said("show servers state regions").splitlines()]
        return {row[3]: int(row[7]) for row in rows if len(row) > 19 and row[0] != "#"}

    def kept(self) -> object:
        status = (self.folder / "servers.state").stat()
        return status.st_mtime_ns, status.st_ino, self.weights()

    def revive(self) -> None:
        self.revive_regions()
        for name in REGIONS:
            self.said(f"set server regions/{name} state ready")
        assert wait_until(lambda: self.said("show stat regions 4 -1").count(",UP,") == len(REGIONS))

    def reload(self) -> None:
        old = self.said("show info").partition("\nPid: ")[2].split()[0]
        self.master.send_signal(signal.SIGUSR2)
        assert wait_until(lambda: self._pid() not in ("", old))

    def _pid(self) -> str:
        try:
            return self.said("show info").partition("\nPid: ")[2].split()[0]
        except (OSError, IndexError):
            return ""

    def restart(self) -> None:
        worker = int(self._pid())
        self.stop("edge")
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        self._start()

    def overrule(self, region: str) -> None:
        for name in REGIONS:
            if name != region:
                self.said(f"set server regions/{name} state maint")


class GdnsdLab(TreeLab):
    """The edge's gdnsd."""

    settings = gdnsd.Settings(
        listen=("127.0.0.1:5353",), run_dir="/mnt/run", state_dir="/mnt/state", generation_file="/mnt/state/generation"
    )

    def begin(self) -> None:
        super().begin()
        for name in ("run", "state"):
            (self.folder / name).mkdir()
        (self.folder / "state/generation").write_text(generation_text(0))
        for path, text in gdnsd.render(table_of(), SITE, self.settings).items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self._start()

    def _start(self) -> None:
        self.start("gdnsd", "gdnsd", "-c", "/mnt/etc/gdnsd", "start")
        up = self.command("gdnsdctl", "-c", "/mnt/etc/gdnsd", "-t", "5", "status")
        assert wait_until(lambda: subprocess.run(up, capture_output=True, check=False).returncode == 0), (
            self.folder / "gdnsd.log").read_text()

    def open(self, without: str = "") -> Adapter:
        command = (*self.command("gdnsdctl", "-c", "/mnt/etc/gdnsd", "-t", "5"),)
        return GdnsdAdapter(table_of(without=without), SITE, self.settings, command, self.place)

    def kept(self) -> object:
        files = [self.folder / "state" / name for name in ("admin_state", "generation")]
        return [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files if path.exists()]

    def revive(self) -> None:
        self.revive_regions()
        path = self.folder / "state/admin_state"
        if path.exists():
            path.write_text("".join(line for line in path.read_text().splitlines(True) if "operator" not in line))

    def reload(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.stop("gdnsd")
        self._start()

    def overrule(self, region: str) -> None:
        path = self.folder / "state/admin_state"
        path.write_text(path.read_text() + f"geoip/geography/{region} => UP # operator\n")
