# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of clusters that somebody else made: checked at once, then planned by the whole site.yml."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
REGIONS = ("eu-west-1", "us-east-1")
POLICY = {
    "version": 1,
    "domain": "llm-verifier.com",
    "geographies": {
        "europe": {"continents": ["EU"], "regions": ["eu-west-1", "us-east-1"]},
        "other": {"default": True, "regions": ["us-east-1"]},
    },
}


def inventory(folder: Path, **variables: Any) -> Path:
    """Regions of aws alone, and nothing of this machine but folders."""
    own = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "routing_policy": POLICY,
        "local_state_dir": str(folder / "state"),
        "local_cache_dir": str(folder / "cache"),
        "registry": "127.0.0.1:9",
        "certificates_source": "files",
        "certificates_given_certificate": str(folder / "tls.crt"),
        "certificates_given_key": str(folder / "tls.key"),
        **variables,
    }
    regions: dict[str, Any] = {"primary": {"hosts": {"us-east-1": {}}}, "secondary": {"hosts": {"eu-west-1": {}}}}
    aws = {"hosts": {name: {} for name in REGIONS}, "vars": {"region_provider": "aws", "region_geography": "europe"}}
    path = folder / "hosts.json"
    path.write_text(json.dumps({"all": {"children": {"regions": {"children": regions}, "aws": aws}, "vars": own}}))
    return path


def play(playbook: str, path: Path, *words: str) -> tuple[int, str]:
    """Exit code and output of a playbook."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(path), playbook, *words]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_cluster_that_is_not_given_is_told_before_anything_is_touched(tmp_path: Path) -> None:
    code, output = play("site.yml", inventory(tmp_path, certificates_source="acme"))
    assert code == 2, output
    for region in REGIONS:
        assert f"{region}: region_kubeconfig: is missing [variable-missing]" in output
        assert f"{region}: region_endpoint: is missing [variable-missing]" in output
    assert "mend: set region_kubeconfig to the path of a kubeconfig of the region's cluster" in output
    assert "certificates_source: no edge host is there to prove the domain to an ACME server [certificate]" in output
    assert not (tmp_path / "state").exists()


def test_clusters_that_are_given_get_secrets_and_the_workload_and_nothing_of_this_machine(tmp_path: Path) -> None:
    names = "subjectAltName=DNS:api.llm-verifier.com,DNS:*.llm-verifier.com"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=x"]
    files = ["-keyout", str(tmp_path / "tls.key"), "-out", str(tmp_path / "tls.crt")]
    subprocess.run([*request, "-addext", names, *files], check=True, capture_output=True)
    given = {
        "region_kubeconfig": str(tmp_path) + "/{{ inventory_hostname }}.kubeconfig",
        "region_endpoint": "{{ inventory_hostname }}.gateway.example.com",
    }
    code, output = play("site.yml", inventory(tmp_path, **given), "--check", "--limit", "localhost,us-east-1")
    assert code == 0, output
    planned = [task for task in re.split(r"(?m)^TASK ", output) if "changed: [us-east-1]" in task]
    assert {task.split(" : ")[0].rpartition(".")[2] for task in planned} == {"secrets", "regional_deploy"}
    assert not (tmp_path / "state").exists()
