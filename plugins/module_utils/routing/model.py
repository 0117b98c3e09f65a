# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that everything about routing is said in: policy, regions, front door and the compiled table.

Seconds are seconds, ratios lie between 0 and 1, weights are relative to each other, countries are ISO 3166-1 alpha-2.
The fields of `Policy` and its sections carry their own rule, default and explanation: the JSON Schema, the checks and
docs/policy.md are read from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from .countries import CONTINENTS, COUNTRIES
from .errors import InvalidError, Problem
from .rules import Fault, Rule, check, read, setting
from .steering import STEERING, WAIVERS, Waiver

ALGORITHMS = ("geo", "weighted", "round_robin", "least_connections")
CHAIN = ("load_balancer", "regions", "static_site")

LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
LABEL_TEXT = "a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters"
CIDR = r"^[0-9A-Fa-f.:]+/[0-9]{1,3}$"

_REGION = Rule("string", pattern=LABEL, pattern_text=LABEL_TEXT)
_CONTINENT = Rule("string", choices=tuple(CONTINENTS))
_COUNTRY = Rule("string", choices=tuple(COUNTRIES), choices_text="an ISO 3166-1 alpha-2 code in capitals, such as IE")
_NETWORK = Rule("string", pattern=CIDR, pattern_text="a network such as 192.0.2.0/24")


def _ratio(help: str) -> Rule:
    return Rule("number", help, "ratio", minimum=0, maximum=1)


def _seconds(help: str, minimum: float = 0, maximum: float = 86400) -> Rule:
    return Rule("number", help, "seconds", minimum=minimum, maximum=maximum)


def _whole_seconds(help: str, minimum: int, maximum: int) -> Rule:
    return Rule("integer", help, "seconds", minimum=minimum, maximum=maximum)


def _count(help: str, minimum: int, maximum: int) -> Rule:
    return Rule("integer", help, "count", minimum=minimum, maximum=maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geography:
    """Where the requests of some countries go, in this order."""

    regions: tuple[str, ...] = setting(
        Rule(
            "array",
            "Regions in order of preference. Every other region follows them by itself.",
            items=_REGION,
            minimum_items=1,
            unique=True,
        )
    )
    continents: tuple[str, ...] = setting(
        Rule("array", "Continents whose countries belong here.", items=_CONTINENT, unique=True), ()
    )
    countries: tuple[str, ...] = setting(
        Rule("array", "Countries that belong here whatever their continent.", items=_COUNTRY, unique=True), ()
    )
    default: bool = setting(
        Rule("boolean", "Takes every country and address that no other geography takes; exactly one does."), False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What counts as sick."""

    path: str = setting(
        Rule(
            "string", "Path that health checks ask for.", pattern=r"^/[!-~]*$", pattern_text="a path that begins with /"
        ),
        "/api/health",
    )
    interval_seconds: int = setting(_whole_seconds("Time from one health check to the next.", 1, 255), 2)
    timeout_seconds: int = setting(_whole_seconds("Time a health check may take; less than the interval.", 1, 254), 1)
    failures: int = setting(_count("Failed checks in a row that take a region out.", 1, 10), 3)
    successes: int = setting(_count("Good checks in a row that bring a region back.", 1, 10), 2)
    latency_seconds: float = setting(
        Rule("number", "Real requests slower than this count as failed.", "seconds", exclusive_minimum=0, maximum=300),
        5,
    )
    latency_percentile: float = setting(
        Rule("number", "Which percentile of latency is judged.", "ratio", exclusive_minimum=0, maximum=1), 0.95
    )
    error_ratio: float = setting(_ratio("Share of failed requests above which a region is sick."), 0.05)
    minimum_sample: int = setting(_count("Requests in the window below which no ratio is judged.", 1, 1000000), 20)
    window_seconds: float = setting(_seconds("Window over which requests are judged.", 1, 3600), 15)
    confidence: float = setting(
        Rule(
            "number",
            "How sure it must be that the share of failed or slow requests lies above its limit (Wilson lower bound).",
            "ratio",
            minimum=0.5,
            maximum=0.9999,
        ),
        0.99,
    )
    observation_age_seconds: float = setting(
        _seconds("Age above which an observation counts as missing; more than the interval.", 1, 3600), 10
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Which replica may be read and promoted."""

    lag_seconds: float = setting(_seconds("Replication lag above which a replica is neither read nor promoted."), 30)
    sample_age_seconds: float = setting(_seconds("Age above which a lag sample counts as missing.", 1), 60)
    promotion: str = setting(
        Rule("string", "Who promotes a replica: an operator, or the decision engine.", choices=("manual", "automatic")),
        "manual",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What must hold before a region is taken out by a decision."""

    vantage_quorum: int = setting(
        _count("Places that must see a region fail, one of them outside every region.", 2, 100), 2
    )
    maximum_evictions: int = setting(_count("Regions that may be taken out at once.", 0, 100), 1)
    minimum_serving: int = setting(_count("Regions that must go on serving.", 1, 250), 1)
    capacity_headroom: float = setting(_ratio("Share of the receivers' capacity that a move must leave free."), 0.2)
    common_mode_ratio: float = setting(_ratio("Share of regions failing alike above which none is taken out."), 0.5)
    freeze: bool = setting(Rule("boolean", "Stops every automatic move."), False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failback:
    """How a region comes back."""

    successes: int = setting(_count("Good observations in a row before the return begins.", 1, 1000), 20)
    hold_down_seconds: float = setting(_seconds("Least time out; doubles with every flap."), 60)
    hold_down_cap_seconds: float = setting(_seconds("Most time out, however often a region flaps."), 3600)
    flap_window_seconds: float = setting(
        _seconds("A region that is taken out this soon after its return flaps.", 0, 86400), 600
    )
    ramp: tuple[float, ...] = setting(
        Rule(
            "array",
            "Shares of its weight that a returning region gets, step by step; rising, the last one 1.",
            unit="ratio",
            items=Rule("number", exclusive_minimum=0, maximum=1),
            minimum_items=1,
            unique=True,
        ),
        (0.01, 0.1, 0.5, 1.0),
    )
    ramp_step_seconds: float = setting(_seconds("Time on each step of the ramp."), 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ttl:
    """How long resolvers keep answers."""

    normal_seconds: int = setting(_whole_seconds("Time to live of answers.", 1, 86400), 30)
    degraded_seconds: int = setting(
        _whole_seconds(
            "Time to live while a region is out, where a back end can tell; at most the normal one.", 1, 86400
        ),
        10,
    )
    negative_seconds: int = setting(_whole_seconds("Time that a missing name is remembered.", 1, 86400), 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """What answers for `api.<domain>`, and whose word about a client's address counts."""

    chain: tuple[str, ...] = setting(
        Rule(
            "array",
            "What the name answers, the next one when nothing of the one before is up; ends in static_site.",
            items=Rule("string", choices=CHAIN),
            minimum_items=1,
            unique=True,
        ),
        CHAIN,
    )
    tick_seconds: float = setting(_seconds("Time until a check's verdict is taken up by what answers.", 0, 3600), 1)
    publish_seconds: float = setting(_seconds("Time until a new answer is out on every name server.", 0, 3600), 0)
    trusted_proxies: tuple[str, ...] = setting(
        Rule(
            "array",
            "Networks whose X-Forwarded-For is believed. Of all others the peer's address counts.",
            items=_NETWORK,
            unique=True,
        ),
        (),
    )
    networks: tuple[tuple[str, str], ...] = setting(
        Rule(
            "object",
            "Networks whose country is known without a database, each to its country.",
            keys=_NETWORK,
            items=_COUNTRY,
        ),
        (),
    )
    steering: tuple[tuple[str, str], ...] = setting(STEERING, ())
    waivers: tuple[Waiver, ...] = setting(WAIVERS, ())


def _section(section: type[Any]) -> Rule:
    return Rule("object", (section.__doc__ or "").strip(), section=section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Where each country's traffic goes and what counts as sick."""

    version: int = setting(Rule("integer", "Version of the policy's form.", choices=(1,)))
    domain: str = setting(
        Rule(
            "string",
            "Domain that is served as `api.<domain>` and `*.<domain>`.",
            pattern=r"^(?=.{4,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$",
            pattern_text="a domain name in lower case, such as example.com",
        ),
        "llm-verifier.com",
    )
    algorithm: str = setting(
        Rule("string", "How requests are spread over the regions that serve.", choices=ALGORITHMS), "geo"
    )
    geographies: tuple[tuple[str, Geography], ...] = setting(
        Rule(
            "object",
            "Geographies by name.",
            keys=Rule("string", pattern=LABEL, pattern_text=LABEL_TEXT),
            items=Rule("object", section=Geography),
            minimum_items=1,
        )
    )
    health: Health = field(default=Health(), metadata={"rule": _section(Health)})
    database: Database = field(default=Database(), metadata={"rule": _section(Database)})
    safety: Safety = field(default=Safety(), metadata={"rule": _section(Safety)})
    failback: Failback = field(default=Failback(), metadata={"rule": _section(Failback)})
    ttl: Ttl = field(default=Ttl(), metadata={"rule": _section(Ttl)})
    front_door: FrontDoor = field(default=FrontDoor(), metadata={"rule": _section(FrontDoor)})
    recovery_time_objective_seconds: float = setting(
        _seconds("Time in which clients must be served again after a region is lost.", 1), 60
    )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Policy:
        """Read the variable `routing_policy`. Raises InvalidError with every fault of its form."""
        problems = form_problems(data)
        if problems:
            raise InvalidError(problems)
        return cls.salvage(data)

    @classmethod
    def salvage(cls, data: object) -> Policy:
        """Read what can be read of a policy, for checks that want to see everything at once; never raises."""
        policy: Policy = read(POLICY, data if isinstance(data, Mapping) else {})
        return policy

    def geography(self, name: str) -> Geography:
        """A geography by its name. Raises KeyError."""
        return dict(self.geographies)[name]


POLICY = _section(Policy)
"""The rule of the whole variable `routing_policy`."""


def form_problems(data: object) -> tuple[Problem, ...]:
    """Every key of a policy that breaks its own rule; what keys say about each other is `validate`'s."""
    return tuple(
        Problem("", fault.key, f"policy-{fault.id}", fault.wrong, fault.allowed, _mend(fault))
        for fault in check(POLICY, data, "routing_policy")
    )


def _mend(fault: Fault) -> str:
    if fault.wrong.startswith("False is not an ISO"):
        return 'quote it: "NO"; YAML reads Norway\'s code as false'
    known = [name for name in fault.allowed.removeprefix("one of ").split(", ") if fault.id == "unknown-key"]
    close = get_close_matches(fault.key.rpartition(".")[2], known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return "correct it in the variable routing_policy; docs/policy.md explains every key"


def _known(cls: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: data[item.name] for item in fields(cls) if item.name in data}


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region. `order` is its place in the inventory, `weight` 0 means drained: last in every list, no share."""

    name: str
    geography: str = ""
    endpoint: str = ""
    weight: float = 1
    capacity_rps: float = 0
    provider: str = ""
    location: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    primary: bool = False
    order: int = 0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Region:
        """Read one entry of the filter `routing_inputs`' list `regions`; keys of no field are passed over."""
        known = _known(cls, data)
        labels = tuple(sorted((str(name), str(value)) for name, value in (known.pop("labels", None) or {}).items()))
        return cls(**known, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A host of the front door: `address` is its public one, `node_address` its own."""

    name: str
    address: str
    node_address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Addresses of the front door. `networks` are pairs of network and country, `trusted_proxies` networks."""

    edges: tuple[Machine, ...] = ()
    static_site: Machine | None = None
    networks: tuple[tuple[str, str], ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Site:
        """Read what the filter `routing_inputs` gives."""
        static = [Machine(**_known(Machine, item)) for item in data.get("static_site", ())]
        return cls(
            edges=tuple(Machine(**_known(Machine, item)) for item in data.get("edges", ())),
            static_site=static[0] if static else None,
            networks=tuple(sorted((str(net), str(country)) for net, country in data.get("networks", {}).items())),
            trusted_proxies=tuple(sorted(data.get("trusted_proxies", ()))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GeographyRoute:
    """A geography's way: every region once, in order; `shares` are the ratios of the same regions and sum to 1."""

    name: str
    regions: tuple[str, ...]
    shares: tuple[float, ...]
    countries: tuple[str, ...]
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """What every back end is rendered from. A table of an older `generation` must never replace a newer one."""

    generation: int
    policy: Policy
    regions: tuple[Region, ...]
    routes: tuple[GeographyRoute, ...]
    default: str
    countries: tuple[tuple[str, str], ...]

    def region(self, name: str) -> Region:
        """A region by its name. Raises KeyError."""
        return {region.name: region for region in self.regions}[name]

    def route(self, geography: str) -> GeographyRoute:
        """A geography's route. Raises KeyError."""
        return {route.name: route for route in self.routes}[geography]

    def route_of(self, country: str) -> GeographyRoute:
        """The route of a country; the default one's for codes that nobody knows."""
        return self.route(dict(self.countries).get(country, self.default))
