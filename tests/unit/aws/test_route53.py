# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy in Route 53: published in moto, read back from it, and answering as the policy says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.owner import NotOursError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.aws.session import AwsError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.flat import unpack
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.interface import (
    BackendError,
    Steering,
    apply,
    plan,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.adapter import Route53Adapter
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.card import CARD
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.publish import (
    Publisher,
    in_force,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.settings import Settings
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.route53.simulate import places
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.providers.table import compare
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.countries import COUNTRIES
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Machine,
    Policy,
    Region,
    RoutingTable,
    Site,
)

ROOT = Path(__file__).resolve().parents[3]
REGIONS = {"us-east-1": "north-america", "us-west-2": "north-america", "eu-west-1": "europe", "ap-southeast-1": "asia"}
SITE = Site(
    edges=tuple(Machine(name=f"edge-{number}", address=f"44.1.0.{number}") for number in (1, 2)),
    static_site=Machine(name="static-1", address="44.2.0.1"),
)
SETTINGS = Settings(
    switches=(("switch-a", "eu-central-1"), ("switch-b", "us-east-2")), checker_networks=("15.177.0.0/18",)
)
Calls = list[tuple[str, str, str]]


def table_of(domain: str = "llm-verifier.com", **changes: Any) -> RoutingTable:
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["routing_policy"]
    regions = [
        Region(name=name, geography=place, endpoint=f"44.0.0.{order}", order=order)
        for order, (name, place) in enumerate(REGIONS.items(), 1)
    ]
    return compile_table(Policy.from_dict({**data, "domain": domain, **changes}), regions, 1)


@pytest.fixture
def zone(amazon: str) -> str:
    """The hosted zone of the domain, with a record that isn't ours."""
    del amazon
    client = boto3.client("route53")
    made = client.create_hosted_zone(Name="llm-verifier.com", CallerReference="1")["HostedZone"]["Id"]
    found: str = made.rpartition("/")[2]
    put(found, {"Name": "www.llm-verifier.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "44.9.9.9"}]})
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """Every call: service, location, operation."""
    from botocore.client import BaseClient

    made: Calls = []
    real: Callable[..., Any] = BaseClient._make_api_call

    def seen(self: Any, operation: str, given: Any) -> Any:
        made.append((self.meta.service_model.service_name, self.meta.region_name, operation))
        return real(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", seen)
    yield made


def put(zone: str, *records: dict[str, Any], action: str = "CREATE") -> None:
    changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
    boto3.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def sets(zone: str) -> list[dict[str, Any]]:
    pages = boto3.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [item for page in pages for item in page["ResourceRecordSets"]]


def names(zone: str) -> set[str]:
    return {item["Name"] for item in sets(zone)}


def checks() -> list[dict[str, Any]]:
    pages = boto3.client("route53").get_paginator("list_health_checks").paginate()
    return [item for page in pages for item in page["HealthChecks"]]


def writes(calls: Calls) -> list[str]:
    return [name for _service, _place, name in calls if not name.startswith(("Get", "List", "Head"))]


def decision(generation: int, **out: float) -> Steering:
    given = {name: out.get(name.replace("-", "_"), 1.0) for name in REGIONS}
    return Steering(generation=generation, admissions=tuple(sorted(given.items())), ttl_seconds=10)


def test_what_is_published_is_what_was_compiled(zone: str) -> None:
    publisher = Publisher(table_of(), SITE, SETTINGS)
    assert publisher.run(check=False).changed
    assert publisher.read().items() == publisher.wanted
    assert len(checks()) == 4 * 4 + 2 and len(sets(zone)) > 60
    inverted = [item["HealthCheckConfig"] for item in checks() if item["HealthCheckConfig"]["Inverted"]]
    assert {item["SearchString"] for item in inverted} == {f"evicted={name};" for name in REGIONS}


def test_check_mode_calls_nothing_that_writes_and_a_second_run_does_nothing(zone: str, calls: Calls) -> None:
    publisher = Publisher(table_of(), SITE, SETTINGS)
    told = publisher.run(check=True)
    assert told.changed and len(told.buckets) == 4 and writes(calls) == []
    assert publisher.run(check=False).plan == told.plan
    before = str(sets(zone)), str(checks())
    calls.clear()
    again = Publisher(table_of(), SITE, SETTINGS).run(check=False)
    assert not again.changed and writes(calls) == []
    assert (str(sets(zone)), str(checks())) == before


def test_a_changed_policy_changes_what_it_must_and_old_checks_go(zone: str) -> None:
    Publisher(table_of(), SITE, SETTINGS).run(check=False)
    before = {item["Id"] for item in checks()}
    slower = table_of(health={"interval_seconds": 20, "failures": 2})
    publisher = Publisher(slower, SITE, SETTINGS)
    done = publisher.run(check=False)
    assert publisher.read().items() == publisher.wanted and done.plan.generation == 2
    after = {item["Id"] for item in checks()}
    assert len(after) == len(before) and len(after & before) == 8, "only the switches stay as they are"
    assert not Publisher(slower, SITE, SETTINGS).run(check=False).changed


def test_a_region_goes_and_comes_back(zone: str) -> None:
    Publisher(table_of(), SITE, SETTINGS).run(check=False)
    whole = names(zone), len(checks())
    table = table_of()
    without = {name: {**item, "regions": [one for one in item["regions"] if one != "us-west-2"]}
               for name, item in geographies().items()}  # fmt: skip
    small = compile_table(
        Policy.from_dict({**policy(), "geographies": without}),
        [item for item in table.regions if item.name != "us-west-2"], 1,
    )  # fmt: skip
    publisher = Publisher(small, SITE, SETTINGS)
    publisher.run(check=False)
    assert publisher.read().items() == publisher.wanted and len(checks()) == whole[1] - 4
    Publisher(table, SITE, SETTINGS).run(check=False)
    assert (names(zone), len(checks())) == whole and "www.llm-verifier.com." in names(zone)


def policy() -> dict[str, Any]:
    text = (ROOT / "inventories/local/group_vars/all/routing_policy.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["routing_policy"]
    return found


def geographies() -> dict[str, Any]:
    found: dict[str, Any] = policy()["geographies"]
    return found


def test_what_somebody_changed_by_hand_is_mended_and_what_an_operator_disabled_stays(zone: str) -> None:
    first = Publisher(table_of(), SITE, SETTINGS)
    first.run(check=False)
    held = {check.key: check.id for check in first.read().checks.values()}
    client = boto3.client("route53")
    client.update_health_check(HealthCheckId=held["health_check/eu-west-1"], Port=8443)
    client.update_health_check(HealthCheckId=held["health_check/us-east-1"], Disabled=True)
    api = next(item for item in sets(zone) if "Failover" in item and "AliasTarget" in item)
    api["AliasTarget"]["EvaluateTargetHealth"] = False
    put(zone, api, action="UPSERT")
    done = Publisher(table_of(), SITE, SETTINGS).run(check=False)
    assert len(done.plan.steps) == 2 and done.disabled == ("health_check/us-east-1",)
    items = Publisher(table_of(), SITE, SETTINGS).read().items()
    assert items.pop("health_check/us-east-1")["disabled"]
    assert items == {key: item for key, item in first.wanted.items() if key != "health_check/us-east-1"}
    assert {check["Id"] for check in checks()} == set(held.values())
    assert not Publisher(table_of(), SITE, SETTINGS).run(check=False).changed


def test_what_is_not_ours_is_not_touched(zone: str) -> None:
    api = {"Name": "api.llm-verifier.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "44.9.9.9"}]}
    put(zone, api)
    with pytest.raises(NotOursError, match="have no owner's marker"):
        Publisher(table_of(), SITE, SETTINGS).run(check=False)
    put(zone, api, action="DELETE")
    Publisher(table_of(), SITE, SETTINGS).run(check=False)
    before = str(sets(zone))
    with pytest.raises(NotOursError, match="belong to 'llm-verifier'"):
        Publisher(table_of(), SITE, replace(SETTINGS, owner="other")).run(check=False)
    assert str(sets(zone)) == before and checks()


def test_a_bucket_that_is_somebody_elses_is_refused(zone: str) -> None:
    client = boto3.client("s3", region_name="eu-central-1")
    client.create_bucket(Bucket="switch-a", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    with pytest.raises(NotOursError, match="the bucket switch-a has no owner's tag"):
        Publisher(table_of(), SITE, SETTINGS).run(check=False)
    assert len(names(zone)) == 2 and checks() == []


def test_a_run_that_was_ended_half_way_is_finished_and_nothing_is_made_twice(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Publisher(table_of(), SITE, SETTINGS)

    def ended(*_words: Any) -> None:
        raise AwsError("route53", "change", "ServiceUnavailable", "away")

    monkeypatch.setattr(first.api, "change", ended)
    with pytest.raises(AwsError):
        first.run(check=False)
    made = {item["Id"] for item in checks()}
    Publisher(table_of(), SITE, SETTINGS).run(check=False)
    assert {item["Id"] for item in checks()} == made and len(sets(zone)) > 60


def test_every_country_is_answered_as_the_policy_says_from_what_was_read_back(published: Publisher) -> None:
    """Compiled, applied, read back from moto, simulated: 249 countries, every set of healthy regions and edges, all
    of it under every set of evicted regions.
    """
    table, adapter = published.table, Route53Adapter(table_of(), SITE, SETTINGS)
    for number in range(16):
        out = {name: 0.0 for place, name in enumerate(sorted(REGIONS)) if number >> place & 1}
        apply(adapter, plan(adapter, decision(number + 1, **{name.replace("-", "_"): 0.0 for name in out})))
        said = {key.removeprefix("admission/"): json.loads(text)["value"] for key, text in adapter.read().items}
        assert said == {name: int(name not in out) for name in REGIONS}
        held = in_force(published.read(), said)
        report = compare(table, SITE, ["route53"], out, {"route53": held})
        assert report.divergences == () and report.sets == 46 and not report.sampled
        asked = {code for item in report.answers for code in item.countries} & set(COUNTRIES)
        assert asked == set(COUNTRIES) and len(asked) == 249


def test_countries_that_route53_refuses_have_no_record_and_get_the_default(published: Publisher) -> None:
    held = unpack(in_force(published.read(), dict.fromkeys(REGIONS, 1)))
    refused = CARD.unsupported_countries
    assert [code for code in refused if f"record/api.llm-verifier.com/A/country {code}" in held] == []
    assert [places(code) for code in refused] == [("default",)] * 4


@pytest.fixture
def published(zone: str) -> Publisher:
    """The policy, published."""
    del zone
    made = Publisher(table_of(), SITE, SETTINGS)
    made.run(check=False)
    return made


def test_an_eviction_is_three_writes_and_none_where_the_control_plane_or_the_region_is(
    published: Publisher, calls: Calls
) -> None:
    del published
    adapter = Route53Adapter(table_of(), SITE, SETTINGS)
    apply(adapter, plan(adapter, decision(1)))
    calls.clear()
    wanted = decision(2, us_west_2=0)
    assert apply(adapter, plan(adapter, wanted))
    assert writes(calls) == ["PutObject"] * 3
    assert {service for service, _place, _name in calls} == {"s3"}
    assert {place for _service, place, _name in calls} == {"eu-central-1", "us-east-2"}
    assert plan(Route53Adapter(table_of(), SITE, SETTINGS), wanted).steps == ()


def test_one_bucket_is_enough_to_evict_and_what_was_missed_is_mended(
    published: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    del published
    adapter = Route53Adapter(table_of(), SITE, SETTINGS, up=lambda checks: list(checks))
    apply(adapter, plan(adapter, decision(1)))
    lost = replace(SETTINGS, switches=(("no-such-bucket", "eu-central-1"), SETTINGS.switches[1]))
    half = Route53Adapter(table_of(), SITE, lost, up=lambda checks: list(checks))
    wanted = decision(2, eu_west_1=0)
    with pytest.raises(BackendError, match="no-such-bucket"):
        apply(half, plan(half, wanted))
    told = dict(adapter.read().items)["admission/eu-west-1"]
    assert "evicted_in" in told and "us-east-2" in told
    assert {item.geography: item.served for item in adapter.answers(["europe"])}["europe"] == (("us-east-1", 1),)
    apply(adapter, plan(adapter, wanted))
    assert adapter.read() == adapter.desired(wanted)


def test_a_writer_that_was_overtaken_writes_nothing(published: Publisher) -> None:
    del published
    one, other = (Route53Adapter(table_of(), SITE, SETTINGS) for _number in range(2))
    apply(one, plan(one, decision(1)))
    late = plan(one, decision(2, us_east_1=0))
    apply(other, plan(other, decision(3, eu_west_1=0)))  # between the two reads and the write of the first
    held = other.read()
    one._generation = 2
    with pytest.raises(BackendError, match="holds generation 3 meanwhile"):
        one.apply(late.steps[0])
    assert other.read() == held
