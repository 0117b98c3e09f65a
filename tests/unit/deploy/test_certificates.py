# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A given certificate, by the stage itself: taken, kept, replaced by one of another authority, refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAMES = "DNS:api.llm-verifier.com,DNS:*.llm-verifier.com"


@dataclass(frozen=True)
class Given:
    """A certificate with its chain, its key and the root that verifies it."""

    chain: Path
    key: Path
    root: Path


def made(folder: Path, name: str, names: str = NAMES) -> Given:
    """A certificate of an authority of its own."""
    given = Given(folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}-ca.crt")
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90"]
    ca, leaf = ["-subj", f"/CN={name} CA", "-keyout", str(folder / "ca.key"), "-out", str(given.root)], [
        "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-CA", str(given.root),
        "-CAkey", str(folder / "ca.key"), "-keyout", str(given.key), "-out", str(given.chain)]  # fmt: skip
    for words in (ca, leaf):
        subprocess.run([*new, *words], check=True, capture_output=True)
    return given


def take(state: Path, given: Given) -> tuple[int, str]:
    """Exit code and output of the stage."""
    variables = {
        "local_state_dir": str(state), "certificates_source": "files", "certificates_given_ca": str(given.root),
        "certificates_given_certificate": str(given.chain), "certificates_given_key": str(given.key),
    }  # fmt: skip
    # Without the hosts that it would be handed out to.
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/60_certificates.yml", "-vvv"]
    words = ["--diff", "-i", "inventories/local", "--limit", "localhost,client-na", "-e", json.dumps(variables)]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run([*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_given_certificate_is_in_force_until_another_one_is(tmp_path: Path) -> None:
    state, certificate = tmp_path / "state", tmp_path / "state/certificate"
    first, second = made(tmp_path, "first"), made(tmp_path, "second")
    code, output = take(state, first)
    assert code == 0, output
    assert first.key.read_text().split("\n")[1] not in output, "a key is shown nowhere"
    for name in ("fullchain.crt", "tls.crt"):
        assert (certificate / name).read_bytes() == first.chain.read_bytes()
    assert (certificate / "tls.key").read_bytes() == first.key.read_bytes()
    assert {path.stat().st_mode & 0o777 for path in certificate.iterdir()} == {0o600}
    assert (certificate / "ca.crt").read_text().strip() == first.root.read_text().strip()
    assert take(state, second)[0] == 0
    assert (certificate / "fullchain.crt").read_bytes() == second.chain.read_bytes()
    both = [second.root.read_text().strip(), first.root.read_text().strip()]
    assert (certificate / "ca.crt").read_text().strip() == "\n".join(both), "the old one is still shown somewhere"


def test_one_without_the_wildcard_is_refused_before_anything_is_replaced(tmp_path: Path) -> None:
    code, output = take(tmp_path / "state", made(tmp_path, "wrong", "DNS:api.llm-verifier.com"))
    assert code == 2 and "must be for api.llm-verifier.com and *.llm-verifier.com" in output, output
    assert "but it is for api.llm-verifier.com;" in output, output
    assert not (tmp_path / "state/certificate").exists()
