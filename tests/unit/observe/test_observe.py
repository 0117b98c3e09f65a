# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole look: everything that can be asked is there, what can't is unknown, and it ends in time."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.config import Config
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.health import look, summary
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.observe import Observer, observe
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.observe.wire import LARGEST_BODY, read_reply

from .conftest import OK, MakeConfig, Serve, free_port, policy
from .test_prometheus import by_query

COUNTERS = "# pxname,svname,type,wredis,econ,eresp,srv_abrt,hrsp_2xx,hrsp_5xx\n"


class Admin:
    """HAProxy's admin socket with counters that grow with every look."""

    def __init__(self, path: Path) -> None:
        self.path, self.looks = path, 0
        self.ready, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        assert self.ready.wait(10)

    async def _run(self) -> None:
        server = await asyncio.start_unix_server(self._answer, str(self.path))
        self.ready.set()
        while not self.over.is_set():
            await asyncio.sleep(0.02)
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self.looks += 1
        row = f"regions,a,2,0,0,0,0,{100 * self.looks},{10 * self.looks}\nregions,BACKEND,1,0,0,0,0,9,9\n"
        slow = f"# table: slow, type: string\n0x1: key=a use=0 exp=0 gpc0={self.looks}\n"
        writer.write(f"Name: HAProxy\nPid: 7\n\n{COUNTERS}{row}\n{slow}\n".encode())
        writer.close()


def test_own_probes_counters_peers_and_witness_come_together(
    make_config: MakeConfig, serve: Serve, tmp_path: Path
) -> None:
    admin = Admin(tmp_path / "admin.sock")
    prometheus = (("b", f"http://127.0.0.1:{serve(by_query)}"), ("a", f"http://127.0.0.1:{free_port()}"))
    config = make_config(port=serve(lambda path: OK), admin_socket=str(admin.path), prometheus=prometheus)
    observer = Observer(config)
    first, second = observer.observe(100.0), observer.observe(102.0)
    standby = observer.observe(104.0, everything=False)
    observer.close()
    admin.over.set()

    seen = {(probe.vantage, probe.region): probe.ok for probe in second.probes}
    assert seen == {("edge-1", "a"): True, ("edge-1", "b"): True, ("b", "a"): True, ("a", "b"): None}
    told = {(item.witness, item.region): (item.requests, item.errors, item.slow) for item in second.traffic}
    assert told == {("edge-1", "a"): (110, 10, 1), ("prometheus", "b"): (7, 0, 0)}
    assert [item.witness for item in first.traffic] == ["prometheus"], "one look is no window"
    assert {probe.kind for probe in standby.probes} == {"edge"}
    assert {item.witness for item in standby.traffic} == {"edge-1"}


def test_it_ends_in_time_when_nobody_answers(make_config: MakeConfig, serve: Serve) -> None:
    port = serve(lambda path: None)
    prometheus = (("a", f"http://127.0.0.1:{port}"), ("b", f"http://127.0.0.1:{port}"))
    config = make_config(
        port=port, prometheus=prometheus, deadline_seconds=0.5, policy=policy(timeout_seconds=1, interval_seconds=2)
    )
    started = time.monotonic()
    found = observe(config, 5.0)
    assert time.monotonic() - started < 5
    assert len(found.probes) == 4 and all(probe.ok is None for probe in found.probes) and not found.traffic


def test_nothing_makes_it_raise(make_config: MakeConfig, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    junk = f"http://127.0.0.1:{serve(lambda path: b'HTTP/1.1 200 OK' + bytes(4) + b'x')}"
    config = make_config(
        {"a": "", "b": "no such host", "c": "\0"}, admin_socket=str(tmp_path / "file"),
        prometheus=(("a", junk), ("b", "https://127.0.0.1:1"), ("c", "nonsense"), ("d", "http://[")),
    )  # fmt: skip
    found = observe(config, 5.0)
    assert {probe.region for probe in found.probes} >= {"a", "b", "c"}
    assert not any(probe.ok for probe in found.probes) and not found.traffic


@pytest.mark.parametrize("length", [LARGEST_BODY + 1, 10**12])
def test_no_answer_fills_the_memory(length: int) -> None:
    async def read() -> int:
        reader = asyncio.StreamReader()
        reader.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + bytes(LARGEST_BODY + 9))
        reader.feed_eof()
        return len((await read_reply(reader))[1])

    assert asyncio.run(read()) <= LARGEST_BODY


def test_several_looks_come_to_latencies(make_config: MakeConfig, serve: Serve) -> None:
    answers = iter([OK, b"HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n", OK])
    config = make_config({"a": "127.0.0.1"}, port=serve(lambda path: next(answers)))
    waits: list[float] = []
    found = summary(config, look(config, 3, 2.5, clock=lambda: 1.0, sleep=waits.append))["a"]
    assert (found["ok"], found["failures"], len(found["seconds"]), waits) == (True, 1, 2, [2.5, 2.5])


def test_a_configuration_is_plain_data() -> None:
    given = {"vantage": "edge-1", "prometheus": {"a": "https://10.0.0.1:9490"}}
    assert Config.from_dict(given, policy(), ()).prometheus == (("a", "https://10.0.0.1:9490"),)
    for wrong in ("nonsense", "policy"):
        with pytest.raises(ValueError, match=wrong):
            Config.from_dict({"vantage": "edge-1", wrong: 1}, policy(), ())
