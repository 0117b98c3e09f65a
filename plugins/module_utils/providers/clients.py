# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that stand for the clients of a geography, to ask back ends by."""

from __future__ import annotations

import ipaddress

from ..routing.model import RoutingTable, Site

UNKNOWN = "192.0.2.1"
"""An address of nobody (TEST-NET-1, RFC 5737), so of the default geography unless a network holds it."""


def client_address(table: RoutingTable, site: Site, geography: str) -> str:
    """An IPv4 address whose country belongs to a geography; empty when no network of the site does."""
    networks = [(ipaddress.ip_network(network, strict=False), country) for network, country in site.networks]
    for network, country in networks:
        address = network.network_address + (1 if network.num_addresses > 2 else 0)
        if network.version == 4 and table.route_of(country).name == geography == _geography(table, networks, address):
            return str(address)
    unknown = ipaddress.ip_address(UNKNOWN)
    return UNKNOWN if geography == _geography(table, networks, unknown) else ""


def _geography(
    table: RoutingTable,
    networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]],
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> str:
    holding = [(network.prefixlen, country) for network, country in networks if address in network]
    return table.route_of(max(holding)[1]).name if holding else table.default
