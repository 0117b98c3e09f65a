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
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_server import serving
from ansible_collections.llm_verifier.multi_region.tests.aws.moto_account import ENVIRONMENT, UNSET, moto, reset

PACKAGE = "ansible_collections.llm_verifier.multi_region.plugins.modules"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's keys, and nothing of whoever runs the tests."""
    for name in UNSET:
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


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """moto, started once."""
    with moto() as url:
        yield url


@pytest.fixture
def amazon(account: Fake, server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An account that holds nothing: moto, and our fake for Global Accelerator."""
    del account
    reset(server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    return server


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
