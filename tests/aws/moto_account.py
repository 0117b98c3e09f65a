# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto, an emulator of AWS that no one here wrote, as a process of its own on 127.0.0.1."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
"""Nobody's keys, and nothing of whoever runs the tests."""

UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy", "AWS_REGION")
SECONDS = 60.0
_LOGS: dict[str, Path] = {}


def listening(port: int) -> set[str]:
    """The local addresses, as the kernel writes them, on which something listens on a TCP port."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            address, _colon, number = words[1].partition(":")
            if words[3] == "0A" and int(number, 16) == port:
                found.add(address)
    return found


@contextmanager
def moto() -> Iterator[str]:
    """The URL of an account that holds nothing; the server ends with it, by its own process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile() as log:
        _LOGS[url] = Path(log.name)
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        environment = {**{key: value for key, value in os.environ.items() if key not in UNSET}, **ENVIRONMENT}
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            until = time.monotonic() + SECONDS
            while not _answers(url):
                if server.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise RuntimeError(f"moto doesn't start: {log.read().decode()[-2000:]}")
                time.sleep(0.1)
            assert listening(port) == {"0100007F"}, "moto listens on 127.0.0.1 alone"
            yield url
        finally:
            server.terminate()
            server.wait(10)


def requests(url: str) -> list[tuple[str, str]]:
    """Method and path of every request, in order, but those to moto itself."""
    text = _LOGS[url].read_text(encoding="utf-8", errors="replace")
    found = [(line[1], line[2]) for line in re.findall(r'("(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP)', text)]
    return [item for item in found if not item[1].startswith("/moto-api")]


def reset(url: str) -> None:
    """Let the account hold nothing again."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=10).close()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()
    except OSError:
        return False
    return True
