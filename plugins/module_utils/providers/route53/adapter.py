# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53 steered by a decision: a word in two buckets, read by health checks; no record and no control plane."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ...aws.objects import Bucket, Held, ReplacedError
from ...aws.owner import NotOursError
from ...aws.session import AwsError
from ...routing.compile import CompileError
from ...routing.decision import effective_table
from ...routing.errors import InvalidError
from ...routing.model import RoutingTable, Site
from ...routing.records import DELETE, Card, Records, Step
from ..expectation import STATIC, dns_names
from ..flat import ADMITTED
from ..interface import Answer, BackendError, Steering
from .card import CARD, HEALTHY_RATIO
from .compile import switched
from .publish import Publisher, in_force
from .settings import Settings
from .simulate import resolver
from .switch import Text, parse, render

_KEY = "admission/"
_TRIES = 3

Up = Callable[[Mapping[str, str]], Collection[str]]
"""Of health checks by the name of their region or edge: the names whose check passes."""


class Route53Adapter:
    """The zone of a policy. `table` is the policy's, with no decision in it.

    `up` tells which endpoints pass their health checks; Route 53 is asked unless it is given.
    """

    def __init__(self, table: RoutingTable, site: Site, settings: Settings, up: Up | None = None) -> None:
        self._table, self._settings = table, settings
        self._publisher = Publisher(table, site, settings)
        self._up = up or self._healthy
        self._buckets: dict[str, Bucket] = {}
        self._held: dict[str, Held] = {}
        self._generation = 0
        try:
            self._homes = {
                region.name: [home.location for home in switched(region, settings.homes)] for region in table.regions
            }
        except CompileError as error:
            raise ValueError(str(error)) from None

    @property
    def card(self) -> Card:
        """What Route 53 can do."""
        return CARD

    def desired(self, steering: Steering) -> Records:
        """Whether each region is admitted."""
        given = dict(steering.admissions)
        items = {
            f"{_KEY}{region.name}": _value(given.get(region.name, 1.0) >= ADMITTED) for region in self._table.regions
        }
        return Records(generation=steering.generation, items=tuple(sorted(items.items())))

    def read(self) -> Records:
        """What the buckets say. One that can't be read is passed over; where two differ, the difference is told."""
        texts = self._texts()
        names = {region.name for region in self._table.regions}.union(*(text.evicted for text in texts.values()))
        items = {f"{_KEY}{name}": self._said(name, texts) for name in names}
        # A plan is judged by what is read here; what is newer when it is written was written meanwhile.
        self._generation = max(text.generation for text in texts.values())
        return Records(generation=self._generation, items=tuple(sorted(items.items())))

    def _said(self, name: str, texts: Mapping[str, Text]) -> str:
        known = {place: name in text.evicted for place, text in texts.items() if place in self._places(name)}
        if len(set(known.values())) > 1:
            return json.dumps({"evicted_in": sorted(place for place, evicted in known.items() if evicted)})
        return _value(not any(known.values()))

    def _places(self, name: str) -> list[str]:
        """The homes of a region's eviction; for one that left the policy all."""
        return self._homes.get(name) or [location for _bucket, location in self._settings.switches]

    def _texts(self) -> dict[str, Text]:
        """What can be read, by location. Raises BackendError when nothing can."""
        found, failures = {}, []
        for name, location in self._settings.switches:
            try:
                found[location] = self._look(name, location)
            except (AwsError, ValueError) as error:
                failures.append(f"{name}: {error}")
        if not found:
            raise BackendError(f"route53: no bucket can be read: {'; '.join(failures)}")
        return found

    def _look(self, name: str, location: str) -> Text:
        if location not in self._buckets:
            self._buckets[location] = Bucket(name, location, self._settings.access)
        held = self._buckets[location].read(self._settings.key)
        text = parse(held.text)
        self._held[location] = held
        return text

    def claim(self, generation: int) -> None:
        """Write the generation into the first bucket that takes it; each step writes it into all that it concerns."""
        self._generation, failures = generation, []
        for _name, location in self._settings.switches:
            try:
                self._write(location, lambda text: text)
                return
            except BackendError as error:
                failures.append(str(error))
        raise BackendError("; ".join(failures))

    def apply(self, step: Step) -> None:
        """Write or take away a region's word in its buckets. Either alone evicts; both must agree to admit."""
        name = step.key.removeprefix(_KEY)
        out = step.action != DELETE and step.after == _value(False)

        def change(text: Text) -> Text:
            return replace(text, evicted=text.evicted | {name} if out else text.evicted - {name})

        failures = []
        for location in self._places(name):
            try:
                self._write(location, change)
            except BackendError as error:
                failures.append(str(error))
        if failures:
            raise BackendError("; ".join(failures))

    def _write(self, location: str, change: Callable[[Text], Text]) -> None:
        """Replace what was read; what somebody else wrote meanwhile is read and judged anew."""
        bucket = next(name for name, place in self._settings.switches if place == location)
        try:
            for _try in range(_TRIES):
                if location not in self._held:
                    self._look(bucket, location)
                before = self._held[location]
                text = change(parse(before.text))
                if text.generation > self._generation:
                    raise BackendError(f"{bucket} holds generation {text.generation} meanwhile: decide anew")
                made = render(replace(text, generation=self._generation))
                if made == before.text:
                    return
                try:
                    self._held[location] = self._buckets[location].write(self._settings.key, made, before)
                    return
                except ReplacedError:
                    del self._held[location]
        except (AwsError, ValueError) as error:
            raise BackendError(f"{bucket}: {error}") from error
        raise BackendError(f"{bucket} was written by somebody else {_TRIES} times: is another engine active?")

    def answers(self, geographies: Collection[str], times: int = 1) -> tuple[Answer, ...]:
        """What the zone's records answer behind the load balancer, worked out of what was read back from Route 53."""
        texts = self._texts()
        admissions = {name: int(not self._out(name, texts)) for name in self._homes}
        try:
            held = self._publisher.read()
        except (AwsError, NotOursError, InvalidError, CompileError) as error:
            raise BackendError(f"route53: {error}") from error
        if not held.records:
            raise BackendError(f"route53: nothing is published for {self._table.policy.domain}: run 50_dns.yml")
        known = {check.key.removeprefix("health_check/"): name for name, check in held.checks.items()
                 if name in held.named and "/" not in check.key.removeprefix("health_check/")}  # fmt: skip
        edges = {edge.name for edge in self._publisher.site.edges}
        up = frozenset(self._up({name: check for name, check in known.items() if name not in edges})) - edges
        ask = resolver(in_force(held, admissions))
        return tuple(
            Answer(geography=name, served=tuple((one, times) for one in sorted(ask(up, self._country(name)))))
            for name in sorted(geographies)
        )

    def _out(self, name: str, texts: Mapping[str, Text]) -> bool:
        return any(name in text.evicted for place, text in texts.items() if place in self._places(name))

    def _country(self, geography: str) -> str:
        """A country whose clients are of a geography; none for the default one without countries."""
        route = self._table.route(geography)
        return next((code for code in route.countries if code not in CARD.unsupported_countries), "")

    def _healthy(self, checks: Mapping[str, str]) -> Collection[str]:
        try:
            return [name for name, check in checks.items() if self._publisher.api.passes(check, HEALTHY_RATIO)]
        except AwsError as error:
            raise BackendError(f"route53: {error}") from error

    def expected(self, steering: Steering, geography: str, up: Collection[str]) -> frozenset[str]:
        """What the chain answers behind the load balancer under the decision."""
        given = dict(steering.admissions)
        ratios = {region.name: float(given.get(region.name, 1.0) >= ADMITTED) for region in self._table.regions}
        policy = self._table.policy
        table = effective_table(policy, self._table.regions, ratios, steering.generation)
        behind: Any = replace(self._publisher.site, edges=())
        return dns_names(table, behind, geography, up) or frozenset([STATIC])


def _value(admitted: bool) -> str:
    return json.dumps({"value": int(admitted)})
