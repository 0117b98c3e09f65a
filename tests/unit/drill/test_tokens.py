# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill's tokens are signed with the key that pods have, not with one that a file of an earlier run holds."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.drill.tokens import signing_key, token
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.local.instance import Instance, LocalError

KEY = "the key that pods have, long enough for HS256"
KUBECTL = """#!/bin/sh
case "$*" in
  *"kubeconfigs/us-west-2 -n llm-verifier get secret llm-verifier-secrets"*) printf %s "$KEY" | base64 -w0 ;;
  *) echo "connection refused" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    program = tmp_path / "opt/kubernetes/kubectl"
    program.parent.mkdir(parents=True)
    program.write_text(KUBECTL)
    program.chmod(0o755)
    monkeypatch.setenv("KEY", KEY)
    return Instance("zzunit", "10.99", tmp_path, tmp_path / "cache")


def test_the_first_region_that_answers_tells_the_key(instance: Instance) -> None:
    key = signing_key(instance, ["us-east-1", "us-west-2"])
    said = jwt.decode(token(key, 1000.0), KEY, algorithms=["HS256"], options={"verify_exp": False})
    assert said == {"sub": "drill", "iat": 1000, "exp": 4600}


def test_that_none_answers_is_an_error_that_says_why(instance: Instance) -> None:
    with pytest.raises(LocalError, match=r"no region tells the key that tokens are signed with: .*connection refused"):
        signing_key(instance, ["us-east-1"])
