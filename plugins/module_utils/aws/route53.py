# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Route 53. All are its control plane, in us-east-1; answers and health checks need none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .session import Access, AwsError, Client, batches

SERVICE, HOME = "route53", "us-east-1"
MOST_CHANGES = 400
"""Record sets in a batch: AWS takes 1000 elements, and an UPSERT counts twice."""


class Api:
    """Zones, records and health checks of the account."""

    def __init__(self, access: Access) -> None:
        self.client = Client(SERVICE, HOME, access)

    def zone(self, domain: str) -> str:
        """The identifier of the one public zone of a domain. Raises AwsError."""
        found = self.client.call("list_hosted_zones_by_name", DNSName=domain, MaxItems="10")["HostedZones"]
        ids = [
            item["Id"].rpartition("/")[2]
            for item in found
            if item["Name"].rstrip(".") == domain and not item.get("Config", {}).get("PrivateZone")
        ]
        if len(ids) != 1:
            text = f"{len(ids)} public zones {domain}: make one and delegate the domain to it, or give zone_id"
            raise AwsError(SERVICE, "find the zone", "NoSuchHostedZone", text)
        return str(ids[0])

    def records(self, zone: str) -> list[dict[str, Any]]:
        """All record sets of a zone."""
        return self.client.pages("list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)

    def change(self, zone: str, changes: Iterable[Mapping[str, Any]], comment: str) -> None:
        """Change record sets, in order, in as few batches as AWS takes. Each batch is done wholly or not at all."""
        for batch in batches(list(changes), MOST_CHANGES):
            self.client.call(
                "change_resource_record_sets", HostedZoneId=zone, ChangeBatch={"Comment": comment, "Changes": batch}
            )

    def checks(self) -> list[dict[str, Any]]:
        """All health checks of the account."""
        return self.client.pages("list_health_checks", "HealthChecks")

    def create_check(self, reference: str, config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Make a health check; the same reference with the same settings gives the one that is there."""
        made = self.client.call("create_health_check", CallerReference=reference, HealthCheckConfig=dict(config))
        found = str(made["HealthCheck"]["Id"])
        added = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.client.call("change_tags_for_resource", ResourceType="healthcheck", ResourceId=found, AddTags=added)
        return found

    def update_check(self, check: str, config: Mapping[str, Any]) -> None:
        """Mend a health check that somebody changed; its kind and interval can't be."""
        given = {name: value for name, value in config.items() if name not in ("Type", "RequestInterval")}
        self.client.call("update_health_check", HealthCheckId=check, **given)

    def delete_check(self, check: str) -> None:
        """Take a health check away; one that is gone already is no error."""
        self.client.found("delete_health_check", ("NoSuchHealthCheck",), HealthCheckId=check)

    def passes(self, check: str, ratio: float) -> bool:
        """Whether more than a ratio of the checkers see an endpoint healthy, now."""
        seen = self.client.call("get_health_check_status", HealthCheckId=check)["HealthCheckObservations"]
        good = sum(1 for item in seen if item["StatusReport"]["Status"].startswith("Success"))
        return good > ratio * len(seen)
