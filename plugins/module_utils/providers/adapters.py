# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every back end that a decision is applied to: a table of imports, since a module's code travels by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..routing.model import RoutingTable, Site
from .gdnsd.adapter import GdnsdAdapter
from .gdnsd.render import Settings as GdnsdSettings
from .global_accelerator.adapter import GlobalAcceleratorAdapter
from .global_accelerator.settings import Settings as GlobalAcceleratorSettings
from .haproxy.adapter import HaproxyAdapter
from .haproxy.settings import Settings as HaproxySettings
from .interface import Adapter
from .memory.adapter import MemoryAdapter
from .route53.adapter import Route53Adapter
from .route53.settings import Settings as Route53Settings

_OPEN: Mapping[str, Callable[[RoutingTable, Site, Mapping[str, Any]], Adapter]] = {
    "haproxy": lambda table, site, given: HaproxyAdapter(table, site, HaproxySettings.from_dict(given)),
    "gdnsd": lambda table, site, given: GdnsdAdapter(table, site, GdnsdSettings.from_dict(given)),
    "route53": lambda table, site, given: Route53Adapter(table, site, Route53Settings.from_dict(given)),
    "global_accelerator": lambda table, site, given: GlobalAcceleratorAdapter(
        table, site, GlobalAcceleratorSettings.from_dict(given)
    ),
    "memory": lambda table, _site, _given: MemoryAdapter(table),
}


def open_adapter(name: str, table: RoutingTable, site: Site, settings: Mapping[str, Any]) -> Adapter:
    """The adapter of a back end on this host; `settings` are what its configuration was rendered with.

    Raises ValueError for a back end that isn't in the table and for a key that isn't a setting.
    """
    if name not in _OPEN:
        raise ValueError(f"no back end {name}: there are {', '.join(_OPEN)}")
    return _OPEN[name](table, site, settings)
