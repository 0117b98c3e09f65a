# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NetworkPolicy lets out to: nothing private where the Internet is meant."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.kube.peers import network_peers

PRIVATE = ("10.77.1.2", "169.254.169.254", "192.168.1.1", "172.20.0.1", "100.64.0.1", "127.0.0.1", "fd00:ec2::254",
           "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fe80::1", "224.0.0.1", "255.255.255.255")  # fmt: skip


def reaches(peers: list[dict[str, Any]], address: str) -> bool:
    """Whether a policy with these peers lets an address through."""
    wanted = ipaddress.ip_address(address)
    return any(
        wanted in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        and not any(wanted in ipaddress.ip_network(cut) for cut in peer["ipBlock"].get("except", []))
        for peer in peers
    )


@pytest.mark.parametrize("address", PRIVATE)
def test_the_internet_holds_nothing_private(address: str) -> None:
    assert reaches(network_peers(["0.0.0.0/0", "::/0"]), address)
    assert not reaches(network_peers(["0.0.0.0/0", "::/0"], public=True), address)


def test_a_public_address_is_reached_and_a_narrow_network_stays_as_it_is() -> None:
    assert reaches(network_peers(["0.0.0.0/0"], public=True), "160.79.104.10")
    assert network_peers(["160.79.104.0/23"], public=True) == [{"ipBlock": {"cidr": "160.79.104.0/23"}}]
    assert network_peers(["10.0.0.0/8"]) == [{"ipBlock": {"cidr": "10.0.0.0/8"}}]


@given(prefix=st.integers(0, 32), number=st.integers(0, 2**32 - 1), asked=st.integers(0, 2**32 - 1))
def test_no_public_peer_ever_holds_an_address_that_is_not_global(prefix: int, number: int, asked: int) -> None:
    network = ipaddress.ip_network((number, prefix), strict=False)
    address = ipaddress.IPv4Address(int(network.network_address) | asked & int(network.hostmask))
    try:
        peers = network_peers([str(network)], public=True)
    except ValueError:
        assert not address.is_global or address.is_multicast
        return
    assert not reaches(peers, str(address)) or address.is_global
    for peer in peers:  # what the API refuses
        for cut in peer["ipBlock"].get("except", []):
            assert ipaddress.IPv4Network(cut).subnet_of(ipaddress.IPv4Network(peer["ipBlock"]["cidr"]))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"10\.1\.0\.0/16 holds no public.*host bits.*nonsense"):
        network_peers(["10.1.0.0/16", "8.8.8.8/24", "nonsense", "8.8.8.0/24"], public=True)
