# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emulator accepts and AWS refuses is refused by us, before any call, with every reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import unpack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.adapter import Route53Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.check import problems
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.compile import desired
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.publish import Publisher
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.settings import Settings
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.switch import (
    Text,
    parse,
    render,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import InvalidError

from .test_route53 import SETTINGS, SITE, Calls, calls, table_of  # noqa: F401 - the fixture

DOMAIN = "llm-verifier.com"
Items = dict[str, Any]
PAIR = f"record/europe.routing.{DOMAIN}/A/"


def good() -> Items:
    found = unpack(desired(table_of(), SITE, homes=SETTINGS.homes))
    return {key: dict(item) for key, item in found.items() if not key.startswith("admission/")}


def pair(items: Items) -> list[Any]:
    return [item for key, item in items.items() if key.startswith(PAIR)]


def set_all(key: str, value: Any) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        for item in pair(items):
            item[key] = value

    return change


def add(key: str, **item: Any) -> Callable[[Items], None]:
    return lambda items: items.update({f"record/{key}": {"type": "A", "ttl": 30, **item}})


def mend(key: str, **changes: Any) -> Callable[[Items], None]:
    return lambda items: items[key].update(changes)


def longest(items: Items) -> None:
    items[f"record/*.{DOMAIN}/CNAME"]["name"] = f"{'a' * 64}.{DOMAIN}"


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        (set_all("routing", {"policy": "failover", "role": "PRIMARY"}), ["roles"]),
        (set_all("routing", {"policy": "failover", "role": "SECONDARY"}), ["roles"]),
        (lambda items: pair(items)[0].update(routing={"policy": "weighted", "weight": "1"}), ["policies"]),
        (set_all("health_check", "health_check/nowhere"), ["check-unknown"]),
        (add("x", name=f"x.{DOMAIN}", values=["10.0.0.300"]), ["address"]),
        (add("x", name=f"x.{DOMAIN}", values=["2001:db8::1"]), ["address"]),
        (add("x", name=f"x.{DOMAIN}", values=["10.0.0.3"]), ["private"]),
        (add("x", name=DOMAIN, type="CNAME", values=["b"]), ["apex"]),
        (add("x", name=f"api.{DOMAIN}", type="CNAME", values=["b"]), ["cname", "policies", "twice"]),
        (mend(f"record/api.{DOMAIN}/A/country TR", routing={"policy": "geolocation", "country": "ZZ"}), ["country"]),
        (mend(f"record/api.{DOMAIN}/A/country TR", routing={"policy": "geolocation", "country": "BV"}), ["country"]),
        (mend(f"record/api.{DOMAIN}/A/continent EU", routing={"policy": "geolocation", "continent": "XX"}),
         ["continent"]),
        (mend(f"record/api.{DOMAIN}/A/country TR", routing={"policy": "geolocation", "continent": "EU"}), ["places"]),
        (mend(f"record/api.{DOMAIN}/A/country TR", alias=f"gone.routing.{DOMAIN}"), ["alias"]),
        (set_all("evaluate_target_health", False), ["always-healthy"]),
        (set_all("set_identifier", "same"), ["identifiers"]),
        (set_all("set_identifier", "x" * 128), ["identifier", "identifiers"]),
        (longest, ["name"]),
        (mend(f"record/*.{DOMAIN}/CNAME", name="a.example.org"), ["name"]),
        (add("x", name=f"*.{DOMAIN}", type="CNAME", values=["c"]), ["twice"]),
        (mend("health_check/eu-west-1", interval=5), ["check"]),
        (mend("health_check/eu-west-1", threshold=11), ["check"]),
        (mend("health_check/eu-west-1", path="api"), ["check"]),
        (mend("health_check/eu-west-1", address="10.1.1.1"), ["private"]),
        (mend("health_check/eu-west-1/serving", threshold=9), ["children"]),
        (mend("health_check/eu-west-1/serving", children=["health_check/nowhere"], threshold=1), ["children"]),
        (mend("health_check/eu-west-1/switch-us-east-2", search="x" * 256), ["search"]),
    ],
)  # fmt: skip
def test_it_is_refused(change: Callable[[Items], None], ids: list[str]) -> None:
    items = good()
    assert problems(items, DOMAIN) == ()
    change(items)
    assert sorted({item.id.removeprefix("route53-") for item in problems(items, DOMAIN)}) == ids


def test_all_reasons_are_told_at_once_and_before_any_call(amazon: str, calls: Calls) -> None:  # noqa: F811
    del amazon
    table = table_of()
    private = replace(table, regions=tuple(replace(item, endpoint=f"10.0.0.{item.order}") for item in table.regions))
    with pytest.raises(InvalidError) as caught:
        Publisher(private, SITE, SETTINGS).run(check=False)
    assert len({item.wrong for item in caught.value.problems}) == 4 and calls == []
    Publisher(private, SITE, replace(SETTINGS, private=True)).wanted  # noqa: B018 - no error


def test_a_region_never_holds_its_own_switch() -> None:
    two = replace(SETTINGS, switches=(("a", "eu-west-1"), ("b", "us-east-2")))
    with pytest.raises(ValueError, match="eu-west-1: an eviction needs 2 buckets outside"):
        Route53Adapter(table_of(), SITE, two)
    three = replace(two, switches=(*two.switches, ("c", "eu-central-1")))
    found = unpack(desired(table_of(), SITE, homes=three.homes))
    held = {name: sorted(key.rpartition("/switch-")[2] for key in found if f"/{name}/switch-" in key)
            for name in ("eu-west-1", "us-east-1")}  # fmt: skip
    assert held == {"eu-west-1": ["eu-central-1", "us-east-2"], "us-east-1": ["eu-west-1", "us-east-2"]}


def test_settings_are_read_strictly() -> None:
    switches = [{"bucket": "abc", "location": "eu-central-1"}]
    assert Settings.from_dict({"switches": switches, "owner": "me"}).switches == (("abc", "eu-central-1"),)
    for wrong in ([{"bucket": "A.b", "location": "eu-central-1"}], switches * 2):
        with pytest.raises(ValueError, match="names of buckets"):
            Settings.from_dict({"switches": wrong})
    with pytest.raises(ValueError, match="no settings colour"):
        Settings.from_dict({"colour": "red"})
    with pytest.raises(ValueError, match="bucket and location"):
        Settings.from_dict({"switches": [{"bucket": "a"}]})


def test_the_text_is_read_as_it_was_written_and_no_other() -> None:
    text = Text(generation=7, evicted=frozenset({"eu-west-1", "us-east-1"}))
    assert parse(render(text)) == text and parse("") == Text()
    for wrong in ("hello", render(text) + "more", render(text).replace(";", "")):
        with pytest.raises(ValueError, match="isn't a text of evictions"):
            parse(wrong)
    with pytest.raises(ValueError, match="5120"):
        render(Text(evicted=frozenset(f"region-{number}" for number in range(400))))
    assert len(render(Text(evicted=frozenset(f"ap-southeast-{number}" for number in range(100))))) < 5120
