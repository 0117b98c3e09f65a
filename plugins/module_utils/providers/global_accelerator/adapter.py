# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Global Accelerator steered by a decision: endpoint weights, and dials for a ramp. Its API is in us-west-2 alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from ...aws.accelerator import shapes
from ...aws.owner import GENERATION
from ...aws.session import AwsError
from ...routing.model import RoutingTable, Site
from ...routing.records import DELETE, Card, Records, Step
from ..flat import unpack
from ..interface import Answer, BackendError, Steering
from .card import CARD
from .compile import desired
from .fleet import Fleet, Held
from .settings import Settings
from .simulate import resolver, shares

_ENDPOINT, _DIAL = "weight/", "dial/"

Up = Callable[[Held], Collection[str]]
"""Of what there is, the names of regions whose endpoint is healthy."""


class GlobalAcceleratorAdapter:
    """The accelerator of a policy. `table` is the policy's, with no decision in it.

    `up` tells which endpoints are healthy; what Global Accelerator itself says counts unless it is given.
    """

    def __init__(self, table: RoutingTable, site: Site, settings: Settings, up: Up | None = None) -> None:
        self._table, self._site, self._settings = table, site, settings
        self._fleet = Fleet(table, site, settings)
        self._up = up or self._healthy
        faults = settings.faults(self._fleet.places)
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def card(self) -> Card:
        """What Global Accelerator can do."""
        return CARD

    def _compiled(self, steering: Steering) -> Records:
        return desired(self._table, self._site, dict(steering.admissions))

    def desired(self, steering: Steering) -> Records:
        """The weight of every region's endpoint, and the dial of every location."""
        found = {}
        for key, item in unpack(self._compiled(steering)).items():
            kind, _slash, name = key.partition("/")
            if kind == "endpoint":
                found[f"{_ENDPOINT}{name}"] = json.dumps(item["weight"])
            if kind == "endpoint_group":
                found[f"{_DIAL}{name}"] = json.dumps(item["traffic_dial"])
        return Records(generation=steering.generation, items=tuple(sorted(found.items())))

    def read(self) -> Records:
        """The weights of our endpoints and the dials of our locations; of regions that left, what is still steered."""
        held, names, found = self._steered(), self._fleet.names(), {}
        for code, group in held.groups.items():
            dial = round(group["traffic_dial"])
            if code in self._fleet.places.values() or dial != shapes.DIAL:
                found[f"{_DIAL}{code}"] = json.dumps(dial)
            for end in group["endpoints"]:
                name = names.get(end["endpoint_id"], "")
                if name in self._fleet.places or (name and end["weight"] == 0):
                    found[f"{_ENDPOINT}{name}"] = json.dumps(end["weight"])
        return Records(generation=held.generation, items=tuple(sorted(found.items())))

    def _steered(self) -> Held:
        try:
            held = self._fleet.steered()
        except AwsError as error:
            self._fleet.__dict__.pop("arns", None)
            raise BackendError(str(error)) from error
        if not held.groups:
            raise BackendError(f"there is no accelerator {self._fleet.name}: publish it by 90_global_lb.yml")
        return held

    def claim(self, generation: int) -> None:
        """Write the generation into the accelerator's tag."""
        tags = [{"Key": GENERATION, "Value": str(generation)}]
        self._call("tag_resource", ResourceArn=self._fleet.arns[0], Tags=tags)

    def apply(self, step: Step) -> None:
        """Set one weight or one dial. A group's endpoints are replaced as a whole, so all others are sent as read."""
        kind, _slash, name = step.key.partition("/")
        value = None if step.action == DELETE else json.loads(step.after)
        held = self._steered()
        if f"{kind}/" == _DIAL:
            group = held.groups.get(name)
            if group:
                dial = float(shapes.DIAL if value is None else value)
                self._call("update_endpoint_group", EndpointGroupArn=group["endpoint_group_arn"],
                           TrafficDialPercentage=dial)  # fmt: skip
            return
        wanted = self._settings.endpoints.get(name)
        for group in held.groups.values():
            ends = [{**end, "weight": value if value is not None else shapes.WEIGHT}
                    if end["endpoint_id"] == wanted else end for end in group["endpoints"]]  # fmt: skip
            if any(end["endpoint_id"] == wanted for end in ends):
                self._call("update_endpoint_group", EndpointGroupArn=group["endpoint_group_arn"],
                           EndpointConfigurations=shapes.endpoint_calls(ends))  # fmt: skip

    def _call(self, operation: str, **given: Any) -> None:
        try:
            self._fleet.api.client.call(operation, **given)
        except AwsError as error:
            raise BackendError(str(error)) from error

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """What serves a client of each geography, worked out of what was read back, each with its part of `times`."""
        try:
            held = self._fleet.read()
        except AwsError as error:
            raise BackendError(str(error)) from error
        if not held.groups:
            raise BackendError(f"there is no accelerator {self._fleet.name}: publish it by 90_global_lb.yml")
        records, up = self._fleet.records(held), frozenset(self._up(held))
        found = []
        for name in sorted(geographies):
            parts = shares(records, up, self._country(name))
            served = tuple((one, max(1, round(share * times))) for one, share in sorted(parts.items()))
            found.append(Answer(geography=name, served=served))
        return tuple(found)

    def _country(self, geography: str) -> str:
        """A country of a geography that its network names, else its first one."""
        route = self._table.route(geography)
        told = [country for _network, country in self._site.networks if country in route.countries]
        return next(iter([*told, *route.countries]), "")

    def _healthy(self, held: Held) -> Collection[str]:
        ends = [end for group in held.groups.values() for end in group["endpoints"]]
        return [self._fleet.name_of(end["endpoint_id"]) for end in ends if end["health_state"] != "UNHEALTHY"]

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """What the decision's records serve: the policy's nearest regions as far as the service goes."""
        return resolver(self._compiled(steering))(up, self._country(geography))
