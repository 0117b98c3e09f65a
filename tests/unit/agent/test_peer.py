# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges know each other by certificates of their own authority, and nobody else gets a word in."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.agent.peer import (
    Peer,
    PeerError,
    PeerServer,
    client_context,
    server_context,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki

NAMES = ("edge-1", "edge-2", "us-east-1")


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of two edges and a region, and of an edge by another authority."""
    folder = tmp_path_factory.mktemp("pki")
    wanted = [Wanted(name, "ca", name, names=(name,)) for name in NAMES]
    stranger = Wanted("stranger", "other", "edge-2", names=("edge-2",))
    ensure_pki(folder, ["ca", "other"], [*wanted, stranger], [], dt.datetime.now(dt.UTC), check=False)
    return folder


def client(folder: Path, name: str, authority: str = "ca") -> ssl.SSLContext:
    return client_context(folder / f"{authority}.crt", folder / f"{name}.crt", folder / f"{name}.key")


def echo(peer: str, question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    if question.get("fail"):
        return 409, {"error": "older", "generation": 9}
    return 200, {"peer": peer, **question}


@pytest.fixture(name="server")
def fixture_server(folder: Path) -> Iterator[PeerServer]:
    """edge-1, who listens to edge-2."""
    context = server_context(folder / "ca.crt", folder / "edge-1.crt", folder / "edge-1.key")
    server = PeerServer(("127.0.0.1", 0), context, {"edge-1", "edge-2"}, {("POST", "/echo"): echo})
    server.start()
    yield server
    server.shutdown()
    server.server_close()


Asking = Callable[..., Peer]


@pytest.fixture(name="peer")
def fixture_peer(server: PeerServer) -> Iterator[Asking]:
    """Makes clients of the server and closes them in the end."""
    made: list[Peer] = []

    def peer(context: ssl.SSLContext, name: str = "edge-1") -> Peer:
        made.append(Peer(name, "127.0.0.1", server.server_address[1], context, timeout=5))
        return made[-1]

    yield peer
    for one in made:
        one.close()


def test_an_edge_is_answered_on_one_connection(peer: Asking, folder: Path) -> None:
    asking = peer(client(folder, "edge-2"))
    assert asking.ask("POST", "/echo", {"x": 1}) == {"peer": "edge-2", "x": 1}
    first = asking._connection.sock
    assert asking.ask("POST", "/echo", {"x": 2})["x"] == 2
    assert asking._connection.sock is first
    with pytest.raises(PeerError, match="edge-1: older") as caught:
        asking.ask("POST", "/echo", {"fail": True})
    assert caught.value.status == 409 and caught.value.answer["generation"] == 9


def test_a_region_is_told_off_though_its_certificate_is_good(peer: Asking, folder: Path) -> None:
    with pytest.raises(PeerError, match="no edge's") as caught:
        peer(client(folder, "us-east-1")).ask("POST", "/echo", {"x": 1})
    assert caught.value.status == 403


def test_a_stranger_with_an_edge_name_gets_nothing(peer: Asking, folder: Path) -> None:
    asking = peer(client(folder, "stranger"))
    with pytest.raises(PeerError):
        asking.ask("POST", "/echo", {"x": 1})


def test_without_a_certificate_there_is_no_answer(peer: Asking, folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    with pytest.raises(PeerError):
        peer(context).ask("POST", "/echo", {"x": 1})


def test_who_answers_in_another_edges_place_is_not_believed(peer: Asking, folder: Path) -> None:
    with pytest.raises(PeerError, match="certificate"):
        peer(client(folder, "edge-2"), "edge-3").ask("POST", "/echo", {})


def test_somebody_who_says_nothing_keeps_nobody_waiting(server: PeerServer, peer: Asking, folder: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1])):
        assert peer(client(folder, "edge-2")).ask("POST", "/echo", {"x": 1})["x"] == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_again(peer: Asking, folder: Path) -> None:
    asking = peer(client(folder, "edge-2"))
    asking.ask("POST", "/echo", {})
    assert asking._connection.sock is not None
    asking._connection.sock.shutdown(socket.SHUT_RDWR)
    assert asking.ask("POST", "/echo", {"x": 3})["x"] == 3
