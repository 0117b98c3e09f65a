# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world map: every country is there to be seen, in its colour, and the picture stands alone."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from xml.etree import ElementTree

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.worldmap import (
    NEUTRAL,
    STATIC,
    country_names,
    region_colours,
    template,
    worldmap,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.site.worldmap_data import HEIGHT, WIDTH

SVG = "{http://www.w3.org/2000/svg}"


def countries(picture: str) -> dict[str, ElementTree.Element]:
    found = ElementTree.fromstring(picture).iter(f"{SVG}g")
    return {str(item.get("data-country")): item for item in found if item.get("data-country")}


def rings(country: ElementTree.Element) -> list[list[tuple[int, int]]]:
    """The corners of a country's parts."""
    found = []
    for shape in country.iter(f"{SVG}path"):
        for ring in str(shape.get("d")).split("M")[1:]:
            values = [int(number) for number in re.findall(r"-?\d+", ring)]
            steps = zip(values[::2], values[1::2], strict=True)
            found.append(list(accumulate(steps, lambda at, step: (at[0] + step[0], at[1] + step[1]))))
    return found


def extent(country: ElementTree.Element) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a country, its dot taken in."""
    corners = [corner for ring in rings(country) for corner in ring]
    for shape in country.iter(f"{SVG}circle"):
        x, y, radius = (int(str(shape.get(key))) for key in ("cx", "cy", "r"))
        corners += [(x - radius, y - radius), (x + radius, y + radius)]
    xs, ys = [x for x, _y in corners], [y for _x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def test_every_country_is_large_enough_to_be_seen_and_lies_on_the_map() -> None:
    drawn = countries(template())
    assert set(COUNTRIES) <= set(drawn)
    for code, country in drawn.items():
        left, top, right, bottom = extent(country)
        assert max(right - left, bottom - top) >= 8, code
        assert left >= -5 and top >= -5 and right <= WIDTH + 5 and bottom <= HEIGHT + 5, code


@pytest.mark.parametrize(
    ("code", "west", "east", "north", "south"),
    [("FR", 940, 1060, 100, 300), ("GF", 680, 720, 400, 480), ("NZ", 20, 1980, 650, 900), ("SG", 1540, 1600, 440, 500)],
)
def test_countries_lie_where_they_lie(code: str, west: int, east: int, north: int, south: int) -> None:
    """France without what ISO 3166 counts apart; New Zealand, which has islands on both sides of the map."""
    left, top, right, bottom = extent(countries(template())[code])
    assert west <= left <= right <= east and north <= top <= bottom <= south, (left, top, right, bottom)


def test_no_line_is_drawn_across_the_whole_map() -> None:
    """What crosses the 180th meridian is cut there; Antarctica alone ends in a line from side to side."""
    for code in ("RU", "FJ", "US"):
        for ring in rings(countries(template())[code]):
            assert max(abs(b[0] - a[0]) for a, b in pairwise([*ring, ring[0]])) < WIDTH / 4, code


def test_countries_have_their_colours_and_words() -> None:
    picture = worldmap({"IE": "#0072B2", "AQ": STATIC, "QQ": "#000000"}, "Who serves", [("eu-west-1", "#0072B2")])
    drawn = countries(picture)
    assert {drawn["IE"].get("fill"), drawn["AQ"].get("fill")} == {"#0072B2", "url(#static)"}
    assert drawn["SG"].get("fill") == NEUTRAL and "QQ" not in drawn
    assert drawn["IE"].findtext(f"{SVG}title") == "Ireland (IE): eu-west-1"
    assert "eu-west-1: 1 country" in str(ElementTree.fromstring(picture).findtext(f"{SVG}desc"))


def test_the_picture_stands_alone_whatever_it_is_told() -> None:
    hostile = '"><script>alert(1)</script>&'
    picture = worldmap({}, hostile, [(hostile, "#123456")])
    tree = ElementTree.fromstring(picture)
    assert not [item.tag for item in tree.iter() if item.tag.removeprefix(SVG) in ("script", "image", "use", "a")]
    names = {name for item in tree.iter() for name in item.attrib}
    assert not [name for name in names if "href" in name or name.startswith("on")]
    assert re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg\")", picture) == []
    with pytest.raises(ValueError, match="no colour"):
        worldmap({"IE": 'red"/><script/>'}, "", [])


def test_regions_of_a_usual_number_differ_in_colour_and_every_country_has_a_name() -> None:
    names = [f"region-{number}" for number in range(21)]
    assert len(set(region_colours(names).values())) == 21
    assert len(region_colours([*names, "another"])) == 22
    assert all(country_names()[code] for code in COUNTRIES)
