# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Global Accelerator's adapter and publication are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ...aws.session import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the back end global_accelerator.

    Attributes:
        owner: whose accelerator it is.
        name: name of the accelerator; the policy's domain when empty.
        endpoints: region to the ARN of its load balancer (an ALB where WAF is on) or the allocation of its address.
        waf: whether a web ACL guards the endpoints; then each must be an application load balancer.
        tags: further tags of the accelerator.
        wait_seconds: time for a change to be deployed everywhere; 0 to go on at once.
        profile, endpoint_url: as boto3 has them.
    """

    owner: str = "llm-verifier"
    name: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    waf: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: int = 600
    profile: str = ""
    endpoint_url: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read settings. Raises ValueError for an unknown key."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"global_accelerator has no settings {', '.join(unknown)}")
        return cls(**data)

    @property
    def access(self) -> Access:
        """Whose account is used."""
        return Access(profile=self.profile, endpoint_url=self.endpoint_url)

    def faults(self, places: Mapping[str, str]) -> list[str]:
        """Everything that is wrong with the endpoints of some regions, each with its location."""
        missing = sorted(set(places) - set(self.endpoints))
        found = [f"endpoints: {name} has none" for name in missing]
        for name, code in places.items():
            given = self.endpoints.get(name, "")
            if self.waf and given and ":loadbalancer/app/" not in given:
                found.append(f"endpoints: {name} is no application load balancer, and a web ACL attaches to no other")
            if given.startswith("arn:") and not given.startswith("arn:aws:"):
                found.append(f"endpoints: that of {name} is in another partition, where the service isn't")
            if ":elasticloadbalancing:" in given and given.split(":")[3] != code:
                found.append(f"endpoints: that of {name} is in {given.split(':')[3]}, not in {code}")
        twice = {given for given in self.endpoints.values() if list(self.endpoints.values()).count(given) > 1}
        return found + [f"endpoints: {given} belongs to several regions" for given in sorted(twice)]
