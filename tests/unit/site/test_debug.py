# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a site in trouble: nothing secret is asked or kept, time is bounded, one page says what is wrong."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import socketserver
import ssl
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.pki import Wanted, ensure_pki
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug import certificates, look
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.certificates import Left
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.look import Answer
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.plan import (
    Places,
    Question,
    questions,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.redact import redacted, values
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.debug.summary import (
    Found,
    problems,
    summary,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.questions import SEPARATOR

NOW = 1_800_000_000.0
RUNS: dict[str, Any] = {"running": True, "faults": {}, "services": 3, "down": []}
PLACES = Places(
    name="api.llm-verifier.com", path="/api/health", roots="ROOTS", regions={"us": "/k/us", "eu": "/k/eu"},
    nodes=("us", "eu", "edge-1", "edge-2"), edges={"edge-1": "10.0.201.10", "edge-2": "10.0.202.10"},
    clients={"client-eu": "IE"}, namespaces=("llm-verifier",),
)  # fmt: skip
KEY = "a-key-of-eight-and-more"


def instance(folder: Path) -> Instance:
    return Instance("none", "10.0", folder, folder)


# What is asked

def test_no_question_asks_for_a_secret_or_changes_anything() -> None:
    for question in questions(PLACES, NOW):
        words = " ".join(question.argv).lower()
        assert "secret" not in words and "configmap" not in words
        assert not re.search(r"\b(apply|delete|patch|edit|exec|set|rm|kill)\b", words), words


def test_everything_of_the_guides_chapter_is_asked() -> None:
    files = {question.file for question in questions(PLACES, NOW)}
    assert len(files) == len(list(questions(PLACES, NOW))), "two answers in one file"
    assert files >= {
        "regions/eu/pods.txt", "regions/eu/events.txt", "regions/eu/objects.txt", "regions/eu/top-pods.txt",
        "regions/eu/logs-llm-verifier.txt", "regions/eu/logs-before-llm-verifier.txt", "nodes/eu/logs.txt",
        "clients/client-eu/dns-edge-1.txt", "clients/client-eu/dns-edge-2.txt", "clients/client-eu/answer.txt",
        "edges/edge-1/explain-IE.json", "edges/edge-1/explain-eu.json", "edges/edge-2/probes.json",
        "edges/edge-2/routing.json",
    }  # fmt: skip
    assert next(iter(questions(PLACES, NOW))).file == "regions/us/api.txt"


# Secrets

@pytest.mark.parametrize("text", [
    f"env JWT_SECRET={KEY} here",
    f"data: {base64.b64encode(KEY.encode()).decode()}",
    f"data: {base64.b64encode(('x' + KEY + 'yz').encode()).decode()}",
    f"data: {base64.b64encode(('xy' + KEY + 'z').encode()).decode()}",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI" + KEY + "\n-----END EC PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMHcCAQEEI cut off " + KEY,
    "client-key-data: " + base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nMHcCAQEEIabcdefgh").decode(),
    "Authorization: Bearer abcdefgh12345678",
    "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0x.c2lnbmF0dXJl",
    "OPENAI_API_KEY=sk-proj-0123456789abcdef",
])  # fmt: skip
def test_secrets_are_taken_out(text: str) -> None:
    said = redacted(f"before {text}", {KEY, "short"})
    assert "[hidden]" in said and said.startswith("before ")
    for secret in (KEY, base64.b64encode(KEY.encode()).decode()[4:-4], "MHcCAQ", "abcdefgh", "sk-proj", "eyJzdWIi",
                   base64.b64encode(b"PRIVATE KEY").decode()[2:-3]):  # fmt: skip
        assert secret not in said


def test_what_is_no_secret_stays() -> None:
    text = "a short word, eyJ, sk-1, pod llm-verifier-6bd4c5cd8b-x2x9z Ready sha256:0123456789abcdef"
    assert redacted(text, {"short", ""}) == text


def test_values_of_a_file_of_secrets() -> None:
    assert values('{"current": "abc", "more": ["d", {"e": "f"}], "phase": 3}') == {"abc", "d", "f"}
    assert values("kind: x\n  secret: c2VjcmV0\n\n") == {"x", "c2VjcmV0"}


# Asking

def test_what_programs_print_is_kept_without_secrets_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/jwt-ring.json").write_text(json.dumps({"current": KEY}))
    asked = [Question(file="a.txt", argv=("echo", f"it is {KEY}")),
             Question(file="b.txt", argv=("sh", "-c", f"echo {KEY} >&2; exit 3")),
             Question(file="c.txt", argv=("no-such-program",))]  # fmt: skip
    told = look.ask_all(instance(tmp_path), asked, look.secrets_of([f"{tmp_path}/secrets/**"]), 30)
    assert [bool(answer.trouble) for answer in told.values()] == [False, True, True]
    assert told["b.txt"].trouble == "exit 3: [hidden]"
    where = look.keep(tmp_path / "debug", "debug-1", look.files(told), NOW)
    assert where.stat().st_mode & 0o777 == 0o600 and where.parent.stat().st_mode & 0o777 == 0o700
    with tarfile.open(where) as bundle:
        names, texts = bundle.getnames(), [bundle.extractfile(name) for name in bundle.getnames()]
        content = b"".join(file.read() for file in texts if file)
        assert {member.mode for member in bundle} == {0o600}
    assert names == ["debug-1/a.txt", "debug-1/b.txt", "debug-1/questions.txt"]
    assert KEY.encode() not in content and b"it is [hidden]" in content and b"no-such-program is not" in content


def test_a_region_whose_api_is_silent_costs_one_question(tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text('#!/bin/sh\ncase "$2" in */eu) exec sleep 60;; esac\necho "$@"\n')
    program.chmod(0o755)
    places = Places(name="x", path="/", kubectl=str(program), regions=PLACES.regions, namespaces=("a",))
    asked = [Question(file=item.file, argv=item.argv, region=item.region, seconds=0.5)
             for item in questions(places, NOW)]  # fmt: skip
    began = time.monotonic()
    told = look.ask_all(instance(tmp_path), asked, (), 60)
    assert time.monotonic() - began < 8
    assert list(told) == [question.file for question in asked]
    assert "no answer within" in told["regions/eu/api.txt"].trouble
    assert told["regions/eu/pods.txt"].trouble == "not asked: the region's API doesn't answer"
    assert "get pods -A -o wide" in told["regions/us/pods.txt"].text


def test_nothing_is_asked_when_the_time_is_over(tmp_path: Path) -> None:
    asked = [Question(file=f"{number}", argv=("sleep", "30")) for number in range(40)]
    began = time.monotonic()
    told = look.ask_all(instance(tmp_path), asked, (), 1.5)
    assert time.monotonic() - began < 8
    assert all(answer.trouble for answer in told.values())
    assert told["39"].trouble == "not asked: 2 s were over"


# Certificates

@pytest.fixture(name="server")
def fixture_server(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A TLS server with a certificate for x.example; its folder and port."""
    wanted = [Wanted("server", "ca", "x.example", names=("x.example",))]
    ensure_pki(tmp_path, ["ca"], wanted, [], dt.datetime.now(dt.UTC), check=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    class Asked(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(self.request, server_side=True).close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Asked) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield tmp_path, door.server_address[1]
        door.shutdown()


def test_how_long_a_certificate_is_good(server: tuple[Path, int]) -> None:
    folder, port = server
    told = certificates.shown({"good": "127.0.0.1"}, "x.example", folder / "ca.crt", port)
    assert told["good"].days == pytest.approx(365, abs=1)
    other = certificates.shown({"a": "127.0.0.1"}, "y.example", folder / "ca.crt", port)["a"]
    assert other.days is None and "Hostname mismatch" in other.trouble
    assert certificates.shown({"a": "127.0.0.1"}, "x", folder / "none.crt", port)["a"].trouble
    files = certificates.files([f"{folder}/*.crt"])
    assert files[f"{folder}/server.crt"].days == pytest.approx(365, abs=1)
    assert files[f"{folder}/ca.crt"].days == pytest.approx(3650, abs=1)
    (folder / "bad.crt").write_text("none")
    assert certificates.files([f"{folder}/bad.crt"])[f"{folder}/bad.crt"].trouble


# The page

def json_answer(item: Any) -> Answer:
    return Answer(text=json.dumps(item))


def measured(**values: float) -> Answer:
    result = [{"metric": {"region": region}, "value": [NOW, str(value)]} for region, value in values.items()]
    return json_answer({"status": "success", "data": {"result": result}})


def pod(name: str, ready: bool, restarts: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "llm-verifier"},
            "status": {"conditions": [{"type": "Ready", "status": str(ready)}],
                       "containerStatuses": [{"restartCount": restarts}]}}  # fmt: skip


def warning(at: str) -> dict[str, Any]:
    return {"type": "Warning", "lastTimestamp": at, "metadata": {}, "message": "it fails"}


def dns(*addresses: str) -> Answer:
    lines = [f"api.llm-verifier.com.\t30\tIN\tA\t{address}" for address in addresses]
    return Answer(text=";; ANSWER SECTION:\n" + "\n".join(lines) + "\n")


def routing(eu_admission: float, verdict: str, at: float = NOW) -> Answer:
    def region(name: str, admission: float, verdict: str) -> dict[str, Any]:
        phase = "HEALTHY" if admission == 1 else "EVICTED"
        return {"name": name, "phase": phase, "admission": admission, "verdict": verdict, "reason": "seen"}

    return json_answer({"generated_at": at, "regions": [region("us", 1, "OK"), region("eu", eu_admission, verdict)]})


def whole() -> dict[str, Answer]:
    served = "X-Region: us\r\n" + SEPARATOR + "200 10.0.201.10 0.012"
    found = {"clients/client-eu/answer.txt": Answer(text=served)}
    for edge, active in (("edge-1", True), ("edge-2", False)):
        found |= {
            f"clients/client-eu/dns-{edge}.txt": dns("10.0.201.10", "10.0.202.10"),
            f"edges/{edge}/routing.json": json_answer({"active": active}),
            f"edges/{edge}/status.json": routing(1, "OK"),
            f"edges/{edge}/firing.json": measured(),
            f"edges/{edge}/requests.json": measured(us=12.34, eu=1),
            f"edges/{edge}/p95.json": measured(us=0.25, eu=float("nan")),
        }
    for region in PLACES.regions:
        found |= {
            f"regions/{region}/api.txt": Answer(text="ok"),
            f"regions/{region}/pods.json": json_answer({"items": [pod("a", True, 1), pod("b", True, 0)]}),
            f"regions/{region}/events.json": json_answer({"items": [warning("2020-01-01T00:00:00Z")]}),
        }
    return found


def found(answers: dict[str, Answer], **more: Any) -> Found:
    given: dict[str, Any] = {
        "nodes": dict.fromkeys(PLACES.nodes, RUNS),
        "certificates": {name: Left(days=89.4) for name in (*PLACES.regions, *PLACES.edges)},
        **more,
    }
    return Found(places=PLACES, answers=answers, now=NOW, **given)


def test_a_site_that_is_well() -> None:
    page = summary(found(whole()))
    assert "LOOK AT  nothing" in page and ", 0 unanswered" in page
    row = next(line.split() for line in page.splitlines() if line.startswith("  us "))
    assert row == ["us", "ok", "2/2", "1", "0", "12.3", "-", "0.250", "s", "-", "HEALTHY", "100%", "OK", "89", "days"]
    assert re.search(r"edge-1 +yes +89 days +none", page) and re.search(r"edge-2 +no ", page)
    assert "client-eu  IE       10.0.201.10 10.0.202.10  10.0.201.10 10.0.202.10  us in 12 ms" in page
    assert len(page.splitlines()) < 40


def test_a_bad_day_is_told_line_by_line() -> None:
    answers = whole() | {
        "regions/eu/api.txt": Answer(trouble="no answer within 10 s"),
        "regions/eu/pods.json": Answer(trouble="not asked"),
        "regions/us/pods.json": json_answer({"items": [pod("a", False, 7)]}),
        "regions/us/events.json": json_answer({"items": [warning("2027-01-15T07:59:00Z")]}),
        "edges/edge-2/status.json": routing(0, "REGION_DOWN", NOW + 5),
        "edges/edge-1/firing.json": json_answer({"status": "success", "data": {"result": [
            {"metric": {"alertname": "RegionEvicted", "region": "eu"}, "value": [NOW, "1"]}]}}),
        "clients/client-eu/dns-edge-1.txt": dns("10.0.202.10"),
        "clients/client-eu/dns-edge-2.txt": dns(),
        "clients/client-eu/answer.txt": Answer(trouble="exit 28: timed out"),
    }  # fmt: skip
    nodes = dict.fromkeys(PLACES.nodes, RUNS) | {"eu": {**RUNS, "running": False, "faults": {"down": True}}}
    left = {"eu": Left(trouble="timed out"), "edge-1": Left(days=3.2)}
    lines = list(problems(found(answers, nodes=nodes, certificates=left)))
    assert lines == [
        "eu: down (by a fault)",
        "us: llm-verifier/a is not ready, started anew 7 times",
        "eu: its API doesn't answer (no answer within 10 s)",
        "eu: EVICTED, REGION_DOWN, gets 0%: seen",
        "certificate of eu: timed out",
        "certificate of edge-1: 3 days left",
        "RegionEvicted eu fires on edge-1",
        "client-eu: the name server of edge-2 gives no address",
        "client-eu isn't served: exit 28: timed out",
    ]
    page = summary(found(answers, nodes=nodes, certificates=left))
    assert [line for line in page.splitlines() if "LOOK AT" in line] == [f"  LOOK AT  {line}" for line in lines]
    row = next(line.split() for line in page.splitlines() if line.startswith("  eu "))
    assert row[:5] == ["eu", "silent", "-", "-", "0"]
    assert next(line.split() for line in page.splitlines() if line.startswith("  us "))[4] == "1"


def test_name_servers_that_disagree_are_told() -> None:
    answers = whole() | {"clients/client-eu/dns-edge-1.txt": dns("10.0.202.10")}
    assert list(problems(found(answers))) == ["client-eu: the name servers disagree"]


def test_a_site_without_anything_is_a_page_too() -> None:
    page = summary(Found(places=Places(name="x", path="/"), nodes={}, answers={}, certificates={}, now=NOW))
    assert "LOOK AT  nothing" in page
