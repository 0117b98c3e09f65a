# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clouds to try adapters on without an account: moto, and our fake of Global Accelerator.

Neither has real health checks or answers: what a client gets is worked out of what was read back, with the endpoints
that the test lets live.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from typing import Any

import boto3
import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.adapter import (
    GlobalAcceleratorAdapter,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.fleet import (
    Fleet,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.fleet import (
    Held as AcceleratorHeld,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.global_accelerator.settings import (
    Settings as AcceleratorSettings,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.adapter import Route53Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.publish import Publisher
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.settings import Settings
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_globalaccelerator import Fake
from ansible_collections.llm_verifier.multi_region.tests.aws.fake_server import serving
from ansible_collections.llm_verifier.multi_region.tests.aws.moto_account import ENVIRONMENT, UNSET, moto

from .lab import REGIONS, SITE, Lab, table_of


class CloudLab(Lab):
    """A cloud's account. Regions are endpoints that the test lets live or die."""

    def __init__(self) -> None:
        self.alive = set(REGIONS)
        self.stack = ExitStack()

    def enter(self, **environment: str) -> None:
        """Nobody's keys until `end`."""
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        for name in UNSET:
            patch.delenv(name, raising=False)
        for name, value in {**ENVIRONMENT, **environment}.items():
            patch.setenv(name, value)

    def kill(self, *names: str) -> None:
        self.alive -= set(names)

    def revive(self) -> None:
        self.alive = set(REGIONS)

    def end(self) -> None:
        self.stack.close()


class Route53Lab(CloudLab):
    """Route 53 and S3 of moto."""

    settings = Settings(
        switches=(("switch-a", "eu-central-1"), ("switch-b", "us-east-2")), checker_networks=("15.177.0.0/18",),
        private=True,
    )  # fmt: skip

    def begin(self) -> None:
        self.enter(AWS_ENDPOINT_URL=self.stack.enter_context(moto()))
        boto3.client("route53").create_hosted_zone(Name="llm-verifier.com", CallerReference="1")
        self.reload()

    def open(self, without: str = "") -> Adapter:
        def up(checks: Collection[str]) -> Collection[str]:
            return self.alive & set(checks)

        return Route53Adapter(table_of(without=without), SITE, self.settings, up)

    def kept(self) -> object:
        clients = [(boto3.client("s3", region_name=location), name) for name, location in self.settings.switches]
        return [client.list_object_versions(Bucket=name).get("Versions") for client, name in clients]

    def revive(self) -> None:
        super().revive()
        for check in self._checks():
            if check["HealthCheckConfig"]["Disabled"]:
                self._disable(check, False)

    def _checks(self) -> list[dict[str, Any]]:
        pages = boto3.client("route53").get_paginator("list_health_checks").paginate()
        return [item for page in pages for item in page["HealthChecks"]]

    def reload(self) -> None:
        Publisher(table_of(), SITE, self.settings).run(check=False)

    restart = reload

    def overrule(self, region: str) -> None:
        """A health check that is disabled is healthy always."""
        held = Publisher(table_of(), SITE, self.settings).read()
        name = next(check.id for check in held.checks.values() if check.key == f"health_check/{region}/serving")
        self._disable(next(check for check in self._checks() if check["Id"] == name), True)

    def _disable(self, check: dict[str, Any], disabled: bool) -> None:
        """moto forgets children that an update doesn't name; AWS keeps them."""
        children = check["HealthCheckConfig"].get("ChildHealthChecks", [])
        boto3.client("route53").update_health_check(
            HealthCheckId=check["Id"], Disabled=disabled, ChildHealthChecks=children
        )


class AcceleratorLab(CloudLab):
    """Our fake of Global Accelerator."""

    settings = AcceleratorSettings(
        endpoints={
            name: f"arn:aws:elasticloadbalancing:{name}:111122223333:loadbalancer/app/llmv/0123456789abcdef"
            for name in REGIONS
        },
        wait_seconds=0,
    )
    foreign = "eipalloc-0123456789abcdef0"

    def begin(self) -> None:
        self.fake = self.stack.enter_context(serving(Fake()))
        self.enter(AWS_ENDPOINT_URL_GLOBAL_ACCELERATOR=self.fake.url)
        self.reload()

    def open(self, without: str = "") -> Adapter:
        def up(held: AcceleratorHeld) -> Collection[str]:
            ends = {end["endpoint_id"] for group in held.groups.values() for end in group["endpoints"]}
            return self.alive | {f"foreign-{name}" for name in ends}

        return GlobalAcceleratorAdapter(table_of(without=without), SITE, self.settings, up)

    def kept(self) -> object:
        return len(self.fake.writes())

    def revive(self) -> None:
        super().revive()
        for group in self.fake.groups.values():
            group["EndpointDescriptions"] = [
                end for end in group["EndpointDescriptions"] if end["EndpointId"] != self.foreign
            ]

    def reload(self) -> None:
        Fleet(table_of(), SITE, self.settings).publish(check=False)

    restart = reload

    def overrule(self, region: str) -> None:
        """An endpoint of the operator's own, which isn't ours to take away."""
        group = next(item for item in self.fake.groups.values() if item["EndpointGroupRegion"] == region)
        group["EndpointDescriptions"].append({"EndpointId": self.foreign, "Weight": 255, "HealthState": "HEALTHY",
                                              "ClientIPPreservationEnabled": False})  # fmt: skip
