# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes by what a server does: healthy, sick, or nothing that could be learned."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.config import Config
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.probe import (
    certificate_days,
    probe_all,
    reason,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.wire import Trust
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Probe

from .conftest import OK, MakeConfig, Serve, free_port, policy

NOW = 1_800_000_000.0


def look(config: Config) -> list[Probe]:
    return list(asyncio.run(probe_all(config, Trust(), NOW, config.regions)))


@pytest.mark.parametrize(
    ("said", "body", "error"),
    [
        (OK, "", ""),
        (OK, "ok", ""),
        (OK, "fine", "the body is not what it should be"),
        (b"HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n\r\n", "", "status 503"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "", "no whole HTTP answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "", "no whole HTTP answer"),
        (b"", "", "no whole HTTP answer"),
    ],
)
def test_an_answer(make_config: MakeConfig, serve: Serve, said: bytes, body: str, error: str) -> None:
    probe = look(make_config({"a": "127.0.0.1"}, port=serve(lambda path: said), body=body))[0]
    assert (probe.ok, probe.error) == (not error, error)
    assert (probe.vantage, probe.kind, probe.region, probe.at) == ("edge-1", "edge", "a", NOW)


def test_the_policys_path_is_asked_for(make_config: MakeConfig, serve: Serve) -> None:
    asked: list[str] = []

    def answer(path: str) -> bytes:
        asked.append(path)
        return OK

    look(make_config({"a": "127.0.0.1"}, port=serve(answer)))
    assert asked == ["/api/health"]


def test_silence_is_a_failure_but_the_own_deadline_is_none(make_config: MakeConfig, serve: Serve) -> None:
    port = serve(lambda path: None)
    slow = look(make_config({"a": "127.0.0.1"}, port=port, policy=policy(timeout_seconds=1)))[0]
    assert (slow.ok, slow.error) == (False, "timeout") and slow.seconds >= 0.9
    assert look(make_config({"a": "127.0.0.1"}, port=port, deadline_seconds=0.2))[0].ok is None


def test_nobody_there_is_a_failure_and_no_descriptor_left_is_none(make_config: MakeConfig) -> None:
    assert look(make_config({"a": "127.0.0.1"}, port=free_port()))[0].ok is False
    assert reason(OSError(24, "Too many open files"))[0] is None


def test_roots_that_are_missing_say_nothing_about_regions(make_config: MakeConfig, tmp_path: Path) -> None:
    found = look(make_config(tls=True, ca_file=str(tmp_path / "none.pem")))
    assert [probe.ok for probe in found] == [None, None] and "none.pem" in found[0].error


def test_a_certificate_counts_only_for_the_services_name(make_config: MakeConfig, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    right = Wanted("right", "ca", "x", names=("api.llm-verifier.com",))
    wrong = Wanted("wrong", "ca", "x", names=("other.example",))
    ensure_pki(tmp_path, ["ca"], [right, wrong], [], now, check=False)

    def ask(name: str) -> Probe:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        return asyncio.run(talk(server))

    async def talk(server: ssl.SSLContext) -> Probe:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            writer.close()

        running = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server)
        port = running.sockets[0].getsockname()[1]
        config = make_config({"a": "127.0.0.1"}, tls=True, port=port, ca_file=str(tmp_path / "ca.crt"))
        found = await probe_all(config, Trust(), now.timestamp(), config.regions)
        running.close()
        return found[0]

    good, bad = ask("right"), ask("wrong")
    assert good.ok and good.certificate_days == pytest.approx(365, abs=1)
    assert bad.ok is False and bad.error.startswith("certificate: Hostname mismatch")


def test_regions_are_asked_at_once(make_config: MakeConfig, serve: Serve) -> None:
    """Every region answers only when all of them were asked."""
    together = threading.Barrier(8, timeout=10)

    def wait(path: str) -> bytes:
        together.wait()
        return OK

    regions = {f"r{number}": "127.0.0.1" for number in range(8)}
    assert all(probe.ok for probe in look(make_config(regions, port=serve(wait))))


def test_days_of_a_certificate_may_be_over() -> None:
    assert certificate_days("Jan 11 00:00:00 2027 GMT", 1799625600.0 + 86400) == pytest.approx(-1, abs=0.01)
    assert certificate_days("", NOW) is None
