"""Check mode ends with a plan on a bare and on a half-built machine and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance

from .conftest import CACHE, Site, changes, leftovers

BARE = Site(Instance("llmb", "10.73", Path("/var/lib/llm-verifier/llmb"), CACHE))


@pytest.fixture(autouse=True)
def clean_before_and_after() -> Iterator[None]:
    BARE.play("playbooks/clean.yml")
    yield
    BARE.play("playbooks/clean.yml")


def files() -> dict[Path, bytes]:
    kept = [BARE.state / "nodes/services-1", BARE.state / "pki", BARE.state / "tree"]
    return {path: path.read_bytes() for root in kept for path in root.rglob("etc/**/*") if path.is_file()}


def test_a_bare_machine_gets_a_plan_and_stays_bare() -> None:
    planned = changes(BARE.play("site.yml", "--check", "--diff"))
    assert all(planned[host] for host in ("us-east-1", "ap-southeast-1", "edge-1", "static-1", "services-1"))
    assert leftovers(BARE.instance) == []


@pytest.mark.long
def test_a_half_built_machine_keeps_what_it_has() -> None:
    BARE.play("playbooks/20_nodes.yml")
    before = files()
    planned = changes(BARE.play("site.yml", "--check"))
    assert planned["client-eu"] == 0
    assert planned["eu-west-1"] > 0
    assert before
    assert files() == before
    assert not (BARE.state / "nodes/eu-west-1").exists()
