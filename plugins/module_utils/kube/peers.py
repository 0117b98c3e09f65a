# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as peers of a NetworkPolicy; what is meant to be public never reaches a private address. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, TypeAlias

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

# Not reachable over the Internet (IANA special-purpose registries, RFC 6890 and its updates), and multicast. Names of
# metadata services of the clouds (169.254.169.254, fd00:ec2::254) are among them.
NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip


def network_peers(networks: Iterable[str], *, public: bool = False) -> list[dict[str, Any]]:
    """The `ipBlock` peers of these networks, in their order.

    With `public` every special-purpose range inside a network is cut out of it. ValueError with every network that is
    none, has host bits, or (with `public`) holds no public address.
    """
    found: list[dict[str, Any]] = []
    wrong: list[str] = []
    for text in networks:
        try:
            found.append({"ipBlock": _block(ipaddress.ip_network(text), public)})
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def _block(network: Network, public: bool) -> dict[str, Any]:
    block: dict[str, Any] = {"cidr": str(network)}
    if not public:
        return block
    if any(_within(network, special) for special in NOT_PUBLIC):
        raise ValueError(f"{network} holds no public address")
    cut = [str(special) for special in NOT_PUBLIC if _within(special, network)]
    return {**block, "except": cut} if cut else block


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
