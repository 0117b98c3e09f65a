# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database says the same of every address before and after its conversion; what can't be used is refused."""

from __future__ import annotations

import ipaddress
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.geoip import convert as geoip
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.geoip.ranges import merged, networks
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES

KINDS: dict[str, Any] = {
    "GeoIP2": lambda code: {"continent": {"code": "XX"}, "country": {"iso_code": code, "names": {"en": "a name"}}},
    "without continent": lambda code: {"country": {"iso_code": code}},
    "registered only": lambda code: {"registered_country": {"iso_code": code}},
    "flat": lambda code: {"country_code": code},
    "flat with a name": lambda code: {"country": "A name", "country_code": code},
}


def write(path: Path, records: dict[str, Any], kind: str = "Test-Country") -> Path:
    """A database by a writer that is not ours."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def by_map(folder: Path) -> list[tuple[Any, str]]:
    lines = [line.split() for line in (folder / geoip.MAP).read_text().splitlines()]
    return [(ipaddress.ip_network(network), country) for network, country in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_both_outputs_say_what_the_database_says(tmp_path: Path, kind: str) -> None:
    draw = random.Random(7)
    records: dict[str, Any] = {}
    for block in range(0, 256, 2):
        code = draw.choice(["IE", "US", "SG", "BR", "XK"])
        records[f"10.{block}.0.0/{draw.choice([15, 16, 17, 20])}"] = KINDS[kind](code)
        records[f"2001:db8:{block:x}00::/{draw.choice([39, 40, 41, 64])}"] = KINDS[kind](code)
    source = write(tmp_path / "a.mmdb", records)
    changed, made = geoip.convert(source, tmp_path / "out", check=False)
    assert changed and made and made.unknown["XK"] > 0 and set(made.unknown) == {"XK"}
    table = by_map(tmp_path / "out")
    assert len(table) == made.networks
    with maxminddb.open_database(source) as given, maxminddb.open_database(tmp_path / "out" / geoip.DATABASE) as ours:
        for _turn in range(2000):
            four = f"10.{draw.randrange(256)}.{draw.randrange(256)}.7"
            address = draw.choice([four, f"2001:db8:{draw.randrange(2**16):x}::7"])
            code = geoip.country(given.get(address))
            wanted = code if code in COUNTRIES else None
            told: Any = ours.get(address)
            assert (told or {}).get("country", {}).get("iso_code") == wanted
            assert (told or {}).get("continent", {}).get("code") == COUNTRIES.get(code)
            assert [name for net, name in table if ipaddress.ip_address(address) in net] == ([wanted] if wanted else [])


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("abc"), st.booleans()), max_size=30))
def test_merging_keeps_every_address_and_leaves_nothing_to_merge(pieces: list[tuple[int, str, bool]]) -> None:
    ranges: list[tuple[int, int, str]] = []
    place = (1 << 32) - 40  # across the end of IPv4, which parts networks
    for size, name, gap in pieces:
        first = place + gap
        last = first + size - 1
        if first < 1 << 32 <= last:
            first, last = 1 << 32, (1 << 32) + size
        ranges.append((first, last, name))
        place = last + 1
    result = list(merged(ranges))
    flat = {address: name for first, last, name in ranges for address in range(first, last + 1)}
    assert {address: name for first, last, name in result for address in range(first, last + 1)} == flat
    assert not [1 for one, two in pairwise(result)
                if one[1] + 1 == two[0] != 1 << 32 and one[2] == two[2]]
    for first, last, _name in result:
        cut = list(networks(first, last))
        assert cut[0][0] == first and sum(size for _start, size in cut) == last - first + 1
        assert all(start % size == 0 and size & (size - 1) == 0 for start, size in cut)


def test_the_largest_networks(tmp_path: Path) -> None:
    source = write(tmp_path / "a.mmdb", {"0.0.0.0/0": {"country_code": "IE"}, "8000::/1": {"country_code": "IE"}})
    geoip.convert(source, tmp_path, check=False)
    assert (tmp_path / geoip.MAP).read_text() == "0.0.0.0/0 IE\n8000::/1 IE\n"
    with maxminddb.open_database(tmp_path / geoip.DATABASE) as ours:
        told: list[Any] = [ours.get(address) for address in ("10.1.1.1", "ffff::1", "1::9")]
    assert [item and item["country"]["iso_code"] for item in told] == ["IE", "IE", None]


def test_it_works_once_for_each_content(tmp_path: Path) -> None:
    source, folder = write(tmp_path / "a.mmdb", {"10.0.0.0/8": {"country_code": "IE"}}), tmp_path / "out"
    assert geoip.convert(source, folder, check=True) == (True, None)
    assert not folder.exists()
    changed, made = geoip.convert(source, folder, check=False)
    assert changed
    assert geoip.convert(source, folder, check=False) == geoip.convert(source, folder, check=True) == (False, made)
    (folder / geoip.MAP).unlink()
    assert geoip.convert(source, folder, check=False)[0]
    write(source, {"10.0.0.0/8": {"country_code": "US"}})
    assert geoip.convert(source, folder, check=False)[0]
    assert (folder / geoip.MAP).read_text() == "10.0.0.0/8 US\n"


def test_what_is_no_country_database_is_refused_with_the_reason(tmp_path: Path) -> None:
    text, names, empty = tmp_path / "text.mmdb", tmp_path / "names.mmdb", tmp_path / "missing.mmdb"
    text.write_text("no database")
    write(names, {"10.0.0.0/8": {"autonomous_system_number": 64512}}, "Test-ASN")
    hosts = {str(place): {"geoip2_database": str(place)} for place in (text, names, empty)}
    found = {problem.wrong.removeprefix(f"{tmp_path}/") for problem in geoip.problems({**hosts, "other": {}})}
    assert found == {
        "missing.mmdb can't be read: No such file or directory",
        "names.mmdb holds no countries (Test-ASN; its records tell autonomous_system_number): "
        "take a country or city database",
        "text.mmdb is no MaxMind database (.mmdb); unpack it if it is packed",
    }
    with pytest.raises(geoip.GeoipError, match="holds no countries"):
        geoip.convert(names, tmp_path / "out", check=False)
    assert not (tmp_path / "out").exists()
