# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference verifier keeps the guide's contract."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.workload.harness import (
    API_KEY,
    APP,
    ENVIRONMENT,
    PREVIOUS,
    SECRET,
    Verifier,
    exchange,
    listening,
    redirect,
    spawn,
    token,
)

Start = Callable[..., Verifier]


def sample(name: str, labels: dict[str, str], **more: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return the key of one sample in what `series` returns."""
    return name, frozenset({**labels, **more}.items())


def series(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the values of all samples of a scrape."""
    return {sample(found.name, found.labels): found.value
            for family in text_string_to_metric_families(text) for found in family.samples}


def test_health_says_where_it_runs(shared: Verifier) -> None:
    answer = shared.ask("GET", "/api/health")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "ready": True, "region": "eu-west-1", "cluster": "eu-1", "version": "1.1.0",
                           "image_digest": "sha256:abc"}
    assert answer.headers["x-region"] == "eu-west-1"
    assert answer.headers["x-image-digest"] == "sha256:abc"


@pytest.mark.parametrize("method, path, status", [
    ("HEAD", "/api/health", 200), ("GET", "/api/models?page=1", 200), ("POST", "/api/health", 405), ("GET", "/", 404),
    ("GET", "/api/verify", 405), ("DELETE", "/api/verify", 405)])
def test_routes(shared: Verifier, method: str, path: str, status: int) -> None:
    assert shared.ask(method, path).status == status


@pytest.mark.parametrize("bearer, status", [
    (token(), 200),
    (token(PREVIOUS), 200),
    (token("another key"), 401),
    (token(alg="none"), 401),
    (token(alg="None"), 401),
    (token(alg="HS512"), 401),
    (token(alg="RS256"), 401),
    (token(exp=time.time() - 10), 401),
    (token(exp=None), 401),
    (token(exp="tomorrow"), 401),
    (token(nbf=time.time() + 3000), 401),
    (token() + "x", 401),
    (token().rpartition(".")[0] + ".", 401),
    ("a.b.c", 401),
    ("", 401),
], ids=["current key", "key before", "another key", "none", "None", "HS512", "RS256", "expired", "without an end",
        "end in words", "not yet", "one letter more", "no signature", "three letters", "nothing"])
def test_only_valid_tokens_verify(shared: Verifier, bearer: str, status: int) -> None:
    assert shared.verify(bearer=bearer).status == status


def test_the_same_key_gets_the_same_answer(shared: Verifier) -> None:
    first, second = shared.verify(key="one"), shared.verify(key="one")
    assert (first.status, first.body) == (second.status, second.body)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert shared.verify(key="two").json["id"] != first.json["id"]
    assert shared.verify({"prompt": "another"}, key="one").status == 422
    stranger = shared.ask("POST", "/api/verify", {"prompt": "another"}, Idempotency_Key="one",
                          Authorization=f"Bearer {token(sub='you')}")
    assert stranger.status == 200


def test_a_retry_while_the_first_runs_waits_for_its_answer(shared: Verifier) -> None:
    answers: list[Any] = []
    body = {"prompt": "slow", "delay_seconds": 0.6}
    began = time.monotonic()
    threads = [threading.Thread(target=lambda: answers.append(shared.verify(body, key="slow"))) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    assert answers[0].body == answers[1].body
    assert time.monotonic() - began < 1.1


def test_another_replica_gives_the_same_identifier(shared: Verifier, start: Start) -> None:
    other = start(REGION="us-east-1", CLUSTER_NAME="us-1")
    assert other.verify(key="moved").body == shared.verify(key="moved").body


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"delay_seconds": -1}', b'{"delay_seconds": NaN}', b'{"prompt": 1}'])
def test_a_body_that_makes_no_sense_is_refused(shared: Verifier, body: bytes) -> None:
    assert shared.verify(body).status == 400


def test_delays_are_capped(shared: Verifier) -> None:
    connection = socket.create_connection(("127.0.0.1", shared.port))
    head = f"POST /api/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n"
    body = b'{"delay_seconds": 1e400}'
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.close()


@pytest.mark.parametrize("raw, status", [
    (b"GET /api/health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"GET /api/health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"GET /api/health HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400),
    (b"GET /api/health HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    (b"GET /api/health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"GET /api/health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"POST /api/health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405),
    (b"POST /api/health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400),
])
def test_requests_that_smuggle_or_flood_are_refused(shared: Verifier, raw: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as connection:
        connection.sendall(raw)
        assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


def test_connections_and_patience_are_bounded(start: Start) -> None:
    verifier = start(MAX_CONNECTIONS="2", HEADER_SECONDS="0.3")
    slow, other = (socket.create_connection(("127.0.0.1", verifier.port), timeout=5) for _ in range(2))
    slow.sendall(b"GET /api/")
    time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", verifier.port), timeout=5) as third:
        assert third.recv(100).startswith(b"HTTP/1.1 503 ")
    assert slow.recv(100) == b""
    slow.close()
    with socket.create_connection(("127.0.0.1", verifier.port), timeout=5) as trickle:
        trickle.sendall(f"POST /api/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n"
                        "Content-Length: 9\r\n\r\n{".encode())
        assert trickle.recv(100) == b""
    assert verifier.ask("GET", "/api/health").status == 200
    other.close()


def test_keep_alive_answers_are_quick(shared: Verifier) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as connection:
        began = time.monotonic()
        for _ in range(50):
            assert exchange(connection, b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n") == 200
        assert time.monotonic() - began < 1.0  # a delayed acknowledgement alone would take 2 s


def test_metrics_are_what_the_alert_rules_ask_for(start: Start) -> None:
    verifier = start()
    verifier.ask("GET", "/api/health")
    verifier.ask("GET", "/no/such/path")
    text = verifier.ask("GET", "/metrics", port=verifier.metrics_port).body.decode()
    values, place = series(text), {"region": "eu-west-1", "cluster": "eu-1"}
    labels = {**place, "method": "GET", "path": "/api/health"}
    assert values[sample("http_requests_total", labels, code="200")] == 1
    counts = [values[sample("http_request_duration_seconds_bucket", labels, le=bound)]
              for bound in ("0.005", "2.0", "5.0", "+Inf")]
    assert counts == sorted(counts)
    assert counts[-1] == 1 == values[sample("http_request_duration_seconds_count", labels)]
    assert values[sample("http_requests_total", place, method="GET", path="other", code="404")] == 1
    assert values[sample("llm_verifier_ready", place)] == 1
    assert "/no/such" not in text
    assert verifier.ask("GET", "/api/health", port=verifier.metrics_port).status == 404


def test_termination_drains(start: Start) -> None:
    verifier = start(DRAIN_SECONDS="0.7")
    answers: list[Any] = []
    slow = threading.Thread(target=lambda: answers.append(verifier.verify({"delay_seconds": 1.5})))
    slow.start()
    time.sleep(0.2)
    verifier.process.terminate()
    time.sleep(0.2)
    health = verifier.ask("GET", "/api/health")
    assert (health.status, health.json["status"], health.headers["connection"]) == (503, "draining", "close")
    assert verifier.verify().status == 200
    assert verifier.ask("GET", "/api/live").status == 200
    time.sleep(0.6)
    with pytest.raises(ConnectionRefusedError):
        verifier.ask("GET", "/api/health")
    slow.join()
    assert answers[0].status == 200
    assert verifier.process.wait(5) == 0


def test_what_takes_too_long_is_cut_off_and_told(start: Start) -> None:
    verifier = start(SHUTDOWN_SECONDS="0.3")
    with socket.create_connection(("127.0.0.1", verifier.port), timeout=5) as connection:
        body = b'{"delay_seconds": 60}'
        connection.sendall(f"POST /api/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.3)
        code, output = verifier.end()
    assert code == 1
    assert '"finished":false' in output


def test_a_provider_that_fails_is_a_bad_gateway(start: Start) -> None:
    answer = start(OPENAI_BASE_URL="http://127.0.0.1:9").verify({"model": "openai/x"})
    assert answer.status == 502
    assert answer.json["error"].startswith("openai gave no usable answer")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_nowhere(start: Start, collector: tuple[str, list[Any]], status: int) -> None:
    """Neither a provider nor a collector of spans sends the workload on to another address."""
    elsewhere, taken = collector
    with listening(lambda handler: redirect(handler, status, f"http://{elsewhere}/inside")) as provider:
        verifier = start(OPENAI_BASE_URL=f"http://{provider}", ZIPKIN_ENDPOINT=provider, OPENAI_API_KEY=API_KEY)
        answer = verifier.verify({"model": "openai/x"})
        _code, output = verifier.end()
    assert (answer.status, answer.json["error"]) == (502, f"openai answered {status}")
    assert not taken and API_KEY not in output


def test_no_request_names_where_it_is_sent(start: Start, collector: tuple[str, list[Any]]) -> None:
    elsewhere, taken = collector
    verifier = start(OPENAI_BASE_URL="http://127.0.0.1:9")
    for field in ("base_url", "url", "endpoint", "upstream"):
        assert verifier.verify({"model": "openai/x", field: f"http://{elsewhere}"}).status in (400, 502)
    for model in (f"http://{elsewhere}/x", f"openai/../../{elsewhere}", f"@{elsewhere}/x"):
        assert verifier.verify({"model": model}).status in (400, 404, 502)
    assert not taken


def test_spans_and_the_carried_trace(start: Start, collector: tuple[str, list[Any]]) -> None:
    address, taken = collector
    verifier = start(ZIPKIN_ENDPOINT=address, OPENAI_BASE_URL=f"http://{address}")
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = verifier.ask("POST", "/api/verify", {"model": "openai/x", "prompt": "p"},
                          Authorization=f"Bearer {token()}", traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert answer.json["answer"] == "yes"
    assert answer.headers["x-trace-id"] == trace
    verifier.ask("GET", "/api/models", b3=f"{trace}-b7ad6b7169203331-0")
    verifier.end()
    call = next(entry for entry in taken if entry["path"] == "/v1/chat/completions")
    spans = {span["kind"]: span for entry in taken if entry["path"] == "/api/v2/spans" for span in entry["body"]}
    assert spans["SERVER"]["parentId"] == "b7ad6b7169203331"
    assert spans["CLIENT"]["parentId"] == spans["SERVER"]["id"]
    assert call["headers"]["traceparent"] == f"00-{trace}-{spans['CLIENT']['id']}-01"
    assert len(spans) == 2  # the one that b3 said not to sample isn't there


def test_no_span_is_lost_while_the_collector_keeps_up(start: Start, collector: tuple[str, list[Any]]) -> None:
    address, taken = collector
    verifier = start(ZIPKIN_ENDPOINT=address)
    with socket.create_connection(("127.0.0.1", verifier.port), timeout=5) as connection:
        for count in range(1, 602):  # more than the queue holds, in parts that it holds
            assert exchange(connection, b"GET /api/models HTTP/1.1\r\nHost: x\r\n\r\n") == 200
            deadline = time.monotonic() + 10
            while count % 150 == 0 and sum(len(entry["body"]) for entry in taken) < count:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    verifier.end()
    assert sum(len(entry["body"]) for entry in taken) == 601


def test_a_dead_collector_costs_no_request(start: Start) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        verifier = start(ZIPKIN_ENDPOINT=f"127.0.0.1:{silent.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", verifier.port), timeout=1) as connection:
            for _ in range(700):  # more than a batch and a full queue
                assert exchange(connection, b"GET /api/models HTTP/1.1\r\nHost: x\r\n\r\n") == 200
        text = verifier.ask("GET", "/metrics", port=verifier.metrics_port).body.decode()
        assert series(text)[sample("llm_verifier_spans_dropped_total", {"region": "eu-west-1", "cluster": "eu-1"})] > 0


def test_no_secret_is_logged(start: Start) -> None:
    verifier = start(LOG_HEALTH="1", ZIPKIN_ENDPOINT="127.0.0.1:9")
    bearer = token()
    verifier.verify(bearer=bearer)
    verifier.ask("GET", f"/api/models?token={bearer}")
    verifier.verify(b"{")
    verifier.ask("GET", "/metrics", port=verifier.metrics_port)
    _, output = verifier.end()
    entries = [json.loads(line) for line in output.splitlines()]
    assert {"method", "path", "status", "duration_ms", "trace_id", "region"} <= set(entries[1])
    assert not [secret for secret in (SECRET, PREVIOUS, API_KEY, bearer) if secret in output]


def test_what_is_missing_is_named(start: Start) -> None:
    process = spawn({"REGION": "eu-west-1", "PORT": "many", "JWT_SECRET_PREVIOUS": PREVIOUS})
    output = process.communicate()[0]
    assert process.returncode == 78
    assert output.count("\n") == 1
    for text in ("CLUSTER_NAME is required", "JWT_SECRET is required", "PORT must be"):
        assert text in output
    assert PREVIOUS not in output


@pytest.mark.parametrize("environment, status", [({"FAULT_STATUS": "500"}, 500), ({"FAULT_NOT_READY": "1"}, 503)])
def test_faults_need_their_switch(start: Start, environment: dict[str, str], status: int) -> None:
    assert start(**environment).ask("GET", "/api/health").status == 200
    assert start(**environment, FAULT_INJECTION="1").ask("GET", "/api/health").status == status


def test_a_fault_can_hit_every_nth_request(start: Start) -> None:
    verifier = start(FAULT_INJECTION="1", FAULT_STATUS="500", FAULT_PATH="/api/models", FAULT_EVERY="4")
    assert [verifier.ask("GET", "/api/models").status for _ in range(8)] == [200, 200, 200, 500] * 2
    assert verifier.ask("GET", "/api/health").status == 200


def test_the_image_has_what_is_tested() -> None:
    """The libraries that the image asks for are those of the environment that these tests run in."""
    pins = (APP / "image-requirements.txt").read_text().partition("\n\n")[0]
    wanted = dict(line.split()[0].split("==") for line in pins.splitlines() if not line.startswith("#"))
    assert wanted == {name: version(name) for name in wanted}
    assert "uvicorn" in wanted


def test_an_injected_crash_ends_it() -> None:
    process = spawn({**ENVIRONMENT, "FAULT_INJECTION": "1", "FAULT_CRASH": "1"})
    process.communicate()
    assert process.returncode == 70
