# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account of our own making, and modules run in this process against it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.accelerator import api

from .fake_globalaccelerator import Fake
from .fake_server import serving

PACKAGE = "ansible_collections.llm_verifier.multi_region.plugins.modules"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's keys, and nothing of whoever runs the tests."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def account(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """A Global Accelerator that takes a moment to deploy."""
    del credentials
    monkeypatch.setattr(api, "POLL_SECONDS", 0.005)
    with serving(Fake(deploy_seconds=0.02)) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLOBAL_ACCELERATOR", fake.url)
        yield fake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function (module, check, options) -> what it returns; `check` runs it in check mode, diff mode is on."""

    def act(called: str, /, check: bool = False, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"{PACKAGE}.{called}")
        capsys.readouterr()
        given: Mapping[str, Any] = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(dict(given)), pytest.raises(SystemExit):
            module.main()
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return act
