# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way to AWS: a run finishes or names what failed, a rerun finishes, nothing is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import AwsError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import (
    BackendError,
    apply,
    plan,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.adapter import Route53Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.publish import Publisher
from ansible_collections.llm_verifier.multi_region.tests.aws.fault_proxy import Proxy, Trouble, failing

from .test_route53 import SETTINGS, SITE, checks, decision, sets, table_of, zone  # noqa: F401 - a fixture

EXPECTED_CHECKS = 18
HALF = [
    Trouble("503 SlowDown", "PUT", "switch-a"),
    Trouble("400 Throttling", "POST", "/healthcheck", 2),
    Trouble("500 InternalError", "POST", "/rrset"),
    Trouble("drop", "GET", "/healthcheck"),
    Trouble("lost", "POST", "/healthcheck"),
]


@pytest.fixture
def proxy(zone: str, amazon: str) -> Iterator[Proxy]:  # noqa: F811
    """The same account by way of a proxy; the test's own calls go past it."""
    del zone
    with failing(amazon) as found:
        yield found


def through(proxy: Proxy) -> Publisher:
    return Publisher(table_of(), SITE, replace(SETTINGS, endpoint_url=proxy.url))


def test_throttling_and_lost_answers_are_tried_again(proxy: Proxy, zone: str) -> None:  # noqa: F811
    proxy.troubles = [replace(trouble) for trouble in HALF]
    through(proxy).run(check=False)
    assert proxy.met == 6
    # AWS gives the health check of a reference again; moto makes a second one, and the next run takes one of them away.
    assert len(checks()) == EXPECTED_CHECKS + 1
    again = through(proxy).run(check=False)
    assert [step.action for step in again.plan.steps] == ["delete"] and len(checks()) == EXPECTED_CHECKS
    assert not through(proxy).run(check=False).changed
    named = {item["HealthCheckId"] for item in sets(zone) if "HealthCheckId" in item}
    assert named <= {item["Id"] for item in checks()}


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble("403 AccessDenied", "PUT", "switch-b", 99), "s3 create_bucket: AccessDenied"),
        (Trouble("400 ExpiredToken", "POST", "/healthcheck", 99), "log in again"),
        (Trouble("400 InvalidChangeBatch", "POST", "/rrset", 99), "change_resource_record_sets"),
        (Trouble("400 TooManyHealthChecks", "POST", "/healthcheck", 99), "TooManyHealthChecks"),
    ],
)
def test_what_fails_for_good_is_named_and_a_rerun_finishes(proxy: Proxy, trouble: Trouble, words: str) -> None:
    proxy.troubles = [replace(trouble)]
    with pytest.raises(AwsError, match=words):
        through(proxy).run(check=False)
    proxy.troubles = []
    through(proxy).run(check=False)
    assert len(checks()) == EXPECTED_CHECKS and not through(proxy).run(check=False).changed


def test_an_eviction_whose_answer_was_lost_is_in_force_and_repeated(proxy: Proxy) -> None:
    through(proxy).run(check=False)
    adapter = Route53Adapter(table_of(), SITE, replace(SETTINGS, endpoint_url=proxy.url))
    apply(adapter, plan(adapter, decision(1)))
    wanted = decision(2, eu_west_1=0)
    proxy.troubles = [Trouble("lost", "PUT", "switch-a"), Trouble("503 SlowDown", "PUT", "switch-b")]
    apply(adapter, plan(adapter, wanted))
    assert proxy.met == 2 and adapter.read() == adapter.desired(wanted)
    proxy.troubles = [Trouble("403 AccessDenied", "PUT", "switch", 99)]
    with pytest.raises(BackendError, match="AccessDenied"):
        apply(adapter, plan(adapter, decision(3)))
    assert adapter.read() == adapter.desired(wanted), "what can't be changed stays in force"
