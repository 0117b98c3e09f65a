# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Route 53's adapter and publication are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ...aws.session import Access
from .switch import Home

KEY = "llm-verifier/routing.txt"
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")  # without dots, or its certificate doesn't hold
LOCATION = re.compile(r"(?!cn-|us-gov-|us-iso)[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the back end route53.

    Attributes:
        owner: whose records, health checks and buckets they are.
        zone_id: the hosted zone; found by the policy's domain when empty.
        switches: two or more buckets for evictions, each with `bucket` and `location`.
        key: name of the text in these buckets.
        checker_networks: networks that may read it; Route 53 is asked for those of its health checkers when empty.
        endpoint_zones: region, or "static", to the hosted zone of the load balancer or bucket that its address names.
        load_balancer: name of this owner's accelerator, whose addresses are the chain's load balancer; empty for none.
        static_site: address or name of the static site, where the inventory has no host for it.
        private: whether addresses that the Internet doesn't reach are allowed; for tests.
        tags: further tags of health checks and buckets.
        profile, endpoint_url: as boto3 has them.
    """

    owner: str = "llm-verifier"
    zone_id: str = ""
    switches: tuple[tuple[str, str], ...] = ()
    key: str = KEY
    checker_networks: tuple[str, ...] = ()
    endpoint_zones: Mapping[str, str] = field(default_factory=dict)
    load_balancer: str = ""
    static_site: str = ""
    private: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    endpoint_url: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read settings. Raises ValueError for an unknown key or another form."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"route53 has no settings {', '.join(unknown)}")
        given = dict(data)
        try:
            switches = tuple((str(item["bucket"]), str(item["location"])) for item in given.pop("switches", ()))
            networks = tuple(map(str, given.pop("checker_networks", ())))
        except (KeyError, TypeError) as error:
            raise ValueError(f"route53: switches are a list, each with bucket and location: {error}") from None
        wrong = [name for name, _place in switches if not BUCKET.fullmatch(name)]
        wrong += [place for _name, place in switches if not LOCATION.fullmatch(place)]
        if wrong or len(set(switches)) < len(switches):
            text = "names of buckets in locations of the partition aws, each once"
            raise ValueError(f"route53: switches: {', '.join(wrong) or 'one twice'}: {text}")
        return cls(switches=switches, checker_networks=networks, **given)

    @property
    def access(self) -> Access:
        """Whose account is used."""
        return Access(profile=self.profile, endpoint_url=self.endpoint_url)

    @property
    def homes(self) -> tuple[Home, ...]:
        """The buckets as health checkers reach them."""
        return tuple(
            Home(location=location, host=f"{bucket}.s3.{location}.amazonaws.com", path=f"/{self.key}")
            for bucket, location in self.switches
        )
