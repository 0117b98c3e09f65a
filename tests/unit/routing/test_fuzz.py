# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is written into policy and inventory, validation answers, and the schema agrees with it."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.compile import compile_table
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.database import promotable
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.errors import RoutingError
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.explain import history
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.log import replay, verify
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.model import (
    Policy,
    Region,
    form_problems,
)
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.observations import Replication
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.schema import policy_schema
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.validate import validate
from ansible_collections.llm_verifier.multi_region.plugins.module_utils.routing.variables import SELECTED

from .test_log import LINES
from .world import default_policy

Data = dict[str, Any]

# Values that people write by mistake, and any other that YAML can hold.
WORDS = st.sampled_from(["us-east-1", "eu-west-1", "IE", "EU", "NO", "2s", "2", "", "yes", "10.0.0.0/8", "static_site"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 400), st.floats(-1, 70, allow_nan=False), WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
SCHEMA = Draft202012Validator(policy_schema())
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(data: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything inside."""
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, child in children:
        yield (*path, name)
        yield from places(child, (*path, name))


def spoil(data: st.DataObject, tree: Data) -> Data:
    """The same with up to three values replaced, taken away or added."""
    changed = copy.deepcopy(tree)
    for _number in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(sorted(places(changed), key=repr)))
        target: Any = changed
        for name in parents:
            target = target[name]
        kind = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if kind == "remove":
            del target[last]
        elif kind == "add" and isinstance(target, dict):
            target[data.draw(WORDS)] = data.draw(VALUES)
        else:
            target[last] = data.draw(VALUES)
        if not changed:
            break
    return changed


@FUZZ
@given(data=st.data())
def test_schema_and_checks_agree_on_anything(policy: Data, data: st.DataObject) -> None:
    spoilt = spoil(data, policy)
    assert (form_problems(spoilt) == ()) is SCHEMA.is_valid(spoilt), form_problems(spoilt)


@FUZZ
@given(data=st.data())
def test_a_policy_without_problems_compiles(hosts: dict[str, Data], policy: Data, data: st.DataObject) -> None:
    spoilt = spoil(data, policy)
    problems = validate(hosts, spoilt)
    regions = [Region(name=name) for name in hosts if "regions" in hosts[name]["groups"]]
    if not problems:
        assert len(compile_table(Policy.from_dict(spoilt), regions, 1).countries) == 249


@FUZZ
@given(data=st.data())
def test_any_variable_gets_an_answer(hosts: dict[str, Data], policy: Data, data: st.DataObject) -> None:
    spoilt = copy.deepcopy(hosts)
    for _number in range(data.draw(st.integers(1, 3))):
        host = data.draw(st.sampled_from(sorted(spoilt)))
        spoilt[host][data.draw(st.sampled_from(SELECTED))] = data.draw(VALUES)
    assert all(problem.key and problem.wrong and problem.mend for problem in validate(spoilt, policy))


@FUZZ
@given(data=st.data())
def test_a_log_that_was_written_over_is_told_or_refused(data: st.DataObject) -> None:
    lines = [json.loads(line) for line in LINES]
    number = data.draw(st.integers(0, len(lines) - 1))
    spoilt = spoil(data, {"line": lines[number]}).get("line", None)
    lines[number] = spoilt if spoilt is not None else data.draw(st.one_of(VALUES, st.just(10**400)))
    texts = [json.dumps(line) for line in lines]
    assert verify(texts).count == len(texts)
    for use in (lambda: history(texts, -math.inf, math.inf), lambda: tuple(replay(texts))):
        with contextlib.suppress(RoutingError):
            use()


@FUZZ
@given(samples=st.lists(st.builds(
    Replication, region=st.sampled_from(["us-east-1", "eu-west-1", ""]), at=st.floats(), epoch=st.integers(-1, 10**400),
    lag_seconds=st.one_of(st.none(), st.floats()), writer=st.booleans())), now=st.floats())  # fmt: skip
def test_any_sample_of_a_database_gets_an_answer(samples: list[Replication], now: float) -> None:
    found = promotable(samples, default_policy(), ["us-east-1", "eu-west-1"], now)
    assert (found.candidate == "") is bool(found.against)
