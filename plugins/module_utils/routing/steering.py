# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a back end may depart from the policy's lists, and the departures that are accepted by name."""

from __future__ import annotations

from dataclasses import dataclass

from .rules import Rule, setting

BACKENDS = (
    "haproxy",
    "gdnsd",
    "memory",
    "route53",
    "global_accelerator",
    "cloud_dns",
    "google_lb",
    "traffic_manager",
    "front_door",
)
"""Back ends that the policy is compiled for; providers/table.py holds the same names."""

LIST, NEAREST = "list", "nearest"
"""How a back end chooses a region: by the geography's list, or the one nearest to the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A divergence of a back end from the policy that is known and accepted."""

    backend: str = setting(Rule("string", "Back end whose answers diverge.", choices=BACKENDS))
    divergence: str = setting(
        Rule(
            "string",
            "Name of the divergence as `routing_simulate` tells it, for all geographies or for one.",
            pattern=r"^[a-z]+(-[a-z]+)*(/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$",
            pattern_text="the name of a divergence such as dead-region or dead-region/europe",
        )
    )
    reason: str = setting(
        Rule("string", "Why it is accepted.", pattern=r"^[^\n]*[^\s][^\n]*$", pattern_text="a reason in one line")
    )


STEERING = Rule(
    "object",
    "Back ends that may answer the nearest region instead of the geography's list, each `nearest`.",
    keys=Rule("string", choices=BACKENDS),
    items=Rule("string", choices=(LIST, NEAREST)),
)
WAIVERS = Rule(
    "array",
    "Divergences of back ends from the policy that are accepted, each by its name.",
    items=Rule("object", section=Waiver),
    unique=True,
)
