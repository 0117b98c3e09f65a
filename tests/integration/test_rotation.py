# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every credential that a playbook replaces, replaced under load: no request of a client notices."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.run import (
    FOLDER,
    install,
    recorded,
    running,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.tokens import signing_key, token
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.node import Node

from .conftest import DOMAIN, REGIONS, Site, all_own, changes, steady, until

CLIENT, RATE = "client-eu", 20
SECONDS, BEFORE, AFTER = 1200, 6, 5
RENEWED = "renew_certificates.yml"
# Every playbook, and files of which each must be another afterwards.
REPLACED = {
    "rotate_jwt.yml": ["secrets/jwt-ring.json"],
    "rotate_encryption_key.yml": [f"pki/{region}/encryption.yaml" for region in REGIONS],
    "rotate_signing_key.yml": ["signing/cosign.key", "signing/cosign.pub"],
    "rotate_certificates.yml": [
        *(f"{folder}/{region}" for folder in ("deployer", "kubeconfigs") for region in REGIONS),
        *(f"pki/{region}/apiserver.crt" for region in REGIONS), "routing-ca/edge-1.crt", "routing-ca/eu-west-1.crt",
    ],
    RENEWED: ["certificate/tls.key"],
}  # fmt: skip


@contextmanager
def load(site: Site) -> Iterator[list[dict[str, Any]]]:
    """A client of Europe all the time; afterwards the list holds its requests."""
    node, records = Node(site.instance, CLIENT), list[dict[str, Any]]()
    install(node, site.state / "certificate/ca.crt")
    stop = node.inside / FOLDER / "stop"
    stop.unlink(missing_ok=True)
    key = signing_key(site.instance, REGIONS)
    settings = {"host": f"api.{DOMAIN}", "token": token(key, time.time()), "rate": RATE, "plain_rate": 0,
                "cafile": f"/node/{FOLDER}/ca.pem", "seconds": SECONDS, "stop": f"/node/{FOLDER}/stop"}  # fmt: skip
    with running(node, "load", settings, "rotation") as process:
        time.sleep(BEFORE)
        yield records
        time.sleep(AFTER)
        assert process.poll() is None, "the load ended too early"
        stop.touch()
        process.wait(60)
    records += recorded(node, "rotation")


def marks(site: Site, names: list[str]) -> dict[str, str]:
    return {name: hashlib.sha256(Path(site.state / name).read_bytes()).hexdigest() for name in names}


@pytest.mark.long
@pytest.mark.parametrize("playbook", REPLACED)
def test_a_credential_is_replaced_and_no_request_fails(site: Site, playbook: str) -> None:
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole before")
    if playbook == RENEWED:  # the ACME server has another root since its last start, which a client learns by a renewal
        site.play(f"playbooks/{playbook}")
    before = marks(site, REPLACED[playbook])
    with load(site) as records:
        site.play(f"playbooks/{playbook}", timeout=SECONDS - 60)
    after = marks(site, REPLACED[playbook])
    assert not [name for name in before if before[name] == after[name]], "these were not replaced"
    failed = [record for record in records if not 200 <= record["status"] < 300]
    slowest = max(record["seconds"] for record in records)
    print(f"{playbook}: {len(records)} requests, {len(failed)} failed, slowest {slowest:.2f} s")
    assert len(records) > RATE * 10 and not failed, failed[:5]
    until(lambda: steady(site.instance) and all_own(site), 120, "the site is whole after")


@pytest.mark.long
def test_after_all_of_it_a_run_changes_nothing(site: Site) -> None:
    assert set(changes(site.play("site.yml", timeout=1200)).values()) == {0}
