# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent is told: the file `agent.json`, written by the role `routing` from inventory and policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..routing.budget import TICK_SECONDS
from ..routing.model import Policy, Region, Site


class SettingsError(Exception):
    """The agent's file can't be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One agent's settings.

    Attributes:
        edge: the name of the host that it runs on; its certificate has it, too.
        policy, regions, site: as everywhere.
        edges: pairs of an edge's name and the address that its agent listens on, this one included.
        first: the edge that is active until somebody chooses another one.
        port: TCP port between agents.
        metrics_port: TCP port of metrics and health on loopback; 0 for none.
        tick_seconds: time from one look at the regions to the next.
        folder: where state, log and lock lie.
        ca, certificate, key: files of the mutual TLS between agents, of regions and edges.
        observe: what `observe.config.Config` takes besides policy and regions.
        backends: the back ends of this host, each with the settings that it was rendered with.
    """

    edge: str
    policy: Policy
    regions: tuple[Region, ...]
    site: Site
    edges: tuple[tuple[str, str], ...]
    first: str
    port: int = 9470
    metrics_port: int = 9469
    tick_seconds: float = TICK_SECONDS
    folder: Path = Path("/node/data/routing")
    ca: Path = Path("/node/etc/routing/ca.crt")
    certificate: Path = Path("/node/etc/routing/tls.crt")
    key: Path = Path("/node/etc/routing/tls.key")
    observe: Mapping[str, Any] = field(default_factory=dict)
    backends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def others(self) -> tuple[tuple[str, str], ...]:
        """Name and address of every other edge."""
        return tuple(pair for pair in self.edges if pair[0] != self.edge)

    @property
    def address(self) -> str:
        """This edge's address between agents."""
        return dict(self.edges)[self.edge]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read the file's content. Raises SettingsError, or InvalidError for a policy that isn't valid."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise SettingsError(f"unknown keys: {', '.join(unknown)}")
        try:
            given = dict(data)
            policy, site = Policy.from_dict(given.pop("policy")), given.pop("site")
            regions = tuple(Region.from_dict(region) for region in site["regions"])
            edges = tuple((str(name), str(address)) for name, address in sorted(given.pop("edges").items()))
            named = [name for name in ("folder", "ca", "certificate", "key") if name in given]
            paths: dict[str, Any] = {name: Path(given.pop(name)) for name in named}
            made = cls(policy=policy, regions=regions, site=Site.from_dict(site), edges=edges, **paths, **given)
        except (KeyError, TypeError, AttributeError) as error:
            raise SettingsError(f"a key is missing or has another form: {error!r}") from None
        if made.edge not in dict(edges) or made.first not in dict(edges):
            raise SettingsError(f"{made.edge} and {made.first} must be among the edges {', '.join(dict(edges))}")
        return made

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the file. Raises SettingsError or InvalidError."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path}: {error}: bring it with playbooks/92_routing.yml") from None
        if not isinstance(data, dict):
            raise SettingsError(f"{path} holds no JSON object")
        return cls.from_dict(data)
