# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that misbehave as they are asked to, and configurations that look at them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.config import Config
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import Policy, Region

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
RESET = b"reset"  # the connection is, without a word
Answer = Callable[[str], bytes | None]
Serve = Callable[[Answer], int]
MakeConfig = Callable[..., Config]
ALL = {"all": {"default": True, "regions": ["a"]}}


def policy(**health: Any) -> Policy:
    """A policy with these thresholds; a busy machine has long to answer."""
    return Policy.from_dict(
        {"version": 1, "geographies": ALL, "health": {"interval_seconds": 60, "timeout_seconds": 20, **health}}
    )


@pytest.fixture(name="make_config")
def fixture_make_config() -> MakeConfig:
    """A function (names to addresses, port, **fields) -> configuration without TLS."""

    def make(regions: dict[str, str] | None = None, **fields: Any) -> Config:
        given = regions or {"a": "127.0.0.1", "b": "127.0.0.1"}
        known = tuple(Region(name=name, endpoint=place) for name, place in given.items())
        defaults = {"vantage": "edge-1", "tls": False, "admin_socket": "", "policy": policy(), "regions": known,
                    "deadline_seconds": 20.0}
        return Config(**{**defaults, **fields})

    return make


@pytest.fixture(name="serve")
def fixture_serve() -> Iterator[Serve]:
    """A function (answer by path) -> port on 127.0.0.1. No answer (None) holds the connection until the end."""
    stack = contextlib.ExitStack()
    over = threading.Event()

    def talk(connection: socket.socket, answer: Answer) -> None:
        with contextlib.suppress(OSError), connection:
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                said = answer(head.split(b" ", 2)[1].decode())
                if said is None:
                    over.wait(30)
                    return
                if said == RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                connection.sendall(said)
                if said != OK:
                    return

    def start(answer: Answer) -> int:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=50))

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _peer = listener.accept()
                    threading.Thread(target=talk, args=(connection, answer), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    over.set()
    stack.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
