# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs is known and signed, and nothing else is deployed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image import sbom, signature
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.plan import parse_reference
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.image.registry import Registry

from .conftest import Site
from .test_security import image


def test_what_runs_is_listed_and_signed(site: Site) -> None:
    reference = parse_reference(image(site))
    registry = Registry(reference.registry, insecure=True)
    key = signature.read_key(str(site.state / "signing/cosign.pub"))
    assert signature.problem(registry, reference, [key]) == ""
    assert stat.S_IMODE((site.state / "signing/cosign.key").stat().st_mode) == 0o600
    bill = sbom.attached(registry, reference)
    assert bill == (site.state / "sbom" / f"{sbom.tag(reference.digest)}.cdx.json").read_bytes()
    names = {(item["purl"].partition("/")[0], item["name"]) for item in json.loads(bill)["components"]}
    assert {("pkg:deb", "haproxy"), ("pkg:deb", "python3.11-minimal"), ("pkg:pypi", "starlette")} <= names
    inside = site.kubectl("us-west-2", "exec", "-n", "llm-verifier", "deployment/llm-verifier", "--", "python3", "-c",
                          "import importlib.metadata as m; print(*[d.metadata['Name'] for d in m.distributions()])")
    assert {name for kind, name in names if kind == "pkg:pypi"} == set(inside.split()), "all that it finds, no more"


def test_an_image_that_no_known_key_signed_is_refused_before_a_region_is_touched(site: Site, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pub"
    stranger.write_bytes(signature.new_pair()[1].pem)
    words = ["-e", json.dumps({"regional_deploy_public_keys": [str(stranger)]})]
    runs = set((site.state / "runs").glob("deploy-*.json"))
    output = site.play("playbooks/80_deploy.yml", *words, check=False)
    assert "is signed, but by none of these keys" in output and str(stranger) in output
    assert "failed=0" not in output.split("PLAY RECAP")[-1].split("us-east-1", 1)[-1].splitlines()[0]
    assert set((site.state / "runs").glob("deploy-*.json")) == runs, "no deployment began"
