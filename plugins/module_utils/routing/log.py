# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision log: one line of canonical JSON an entry, each bound to the one before, replayable to the same bytes.

An entry is `{previous, hash, kind, at, generation, ..., inputs}`; `hash` is the SHA-256 of `previous`, a line feed and
the canonical JSON of all other keys. The first entry of all has an empty `previous`. A file begun after a rotation
goes on with the last hash of the file before, so parts verify alone and together. Whoever rewrites the whole chain
changes its head, which is why the head is told outside of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .decide import decide
from .decision import OK, Decision
from .errors import InvalidError, Problem
from .forms import plain, read
from .model import Policy, Region
from .observations import Observations
from .state import Order, State

DECISION = "decision"
_WHAT = "the decision log"
_MEND = "keep the file for whoever looks into it, and begin a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a look at a chain found: its number of lines, its head, and every place where it is broken."""

    count: int
    head: str
    problems: tuple[Problem, ...] = ()


def canonical(data: Any) -> str:
    """JSON with sorted keys and no blanks; whole numbers are written without a point, whatever type they have."""
    return json.dumps(_whole(data), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _whole(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _whole(item) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return [_whole(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def digest(previous: str, body: Mapping[str, Any]) -> str:
    """The hash of an entry."""
    return sha256(f"{previous}\n{canonical(body)}".encode()).hexdigest()


def notable(before: State, decision: Decision) -> bool:
    """Whether a tick belongs into the log: something moved, was refused anew, an order or a verdict changed."""
    after = decision.state
    known = {item.name: item for item in before.regions}
    return (
        decision.generation != before.generation
        or before.orders != after.orders
        or before.partitioned != after.partitioned
        or any(not change.refused for change in decision.changes)
        or any(
            item.name not in known or (item.verdict, item.reason) != (known[item.name].verdict, known[item.name].reason)
            for item in after.regions
        )
    )


def entry(
    policy: Policy,
    regions: Iterable[Region],
    before: State,
    observations: Observations,
    decision: Decision,
    head: str,
    *,
    decided_from: State | None = None,
    known: str = "",
    by: str = "",
    reason: str = "",
) -> str | None:
    """A decision as the line that follows `head`, without its line feed; None for a tick without news.

    `before` is the state of the last decision, `decided_from` the same with what an operator `by` name and `reason`
    put in or took out. `known` is
    `inputs_hash(policy, regions)` when an entry of the same file has policy and regions in full.
    """
    if not notable(before, decision):
        return None
    fleet = _fleet(policy, regions)
    start = decided_from or before
    inputs = {
        "hash": _sum(fleet),
        "now": decision.at,
        "state": {**start.to_dict(), "log_head": ""},
        "observations": observations.to_dict(),
    }
    if inputs["hash"] != known:
        inputs["fleet"] = fleet
    lifted = [plain(order) for order in before.orders if order not in decision.state.orders]
    signed = {key: text for key, text in (("by", by), ("reason", reason)) if text}
    body = {**_outcome(before.orders, decision), "lifted": lifted, "inputs": inputs, **signed}
    return _line(head, {key: item for key, item in body.items() if item != []})


def inputs_hash(policy: Policy, regions: Iterable[Region]) -> str:
    """What stands for policy and regions in entries that don't hold them."""
    return _sum(_fleet(policy, regions))


def _fleet(policy: Policy, regions: Iterable[Region]) -> dict[str, Any]:
    return {"policy": plain(policy), "regions": [plain(item) for item in sorted(regions, key=lambda item: item.name)]}


def _sum(data: Mapping[str, Any]) -> str:
    return sha256(canonical(data).encode()).hexdigest()


def _outcome(orders: tuple[Order, ...], decision: Decision) -> dict[str, Any]:
    """What came out: admissions below 1, verdicts other than OK, every change."""
    return {
        "kind": DECISION,
        "at": decision.at,
        "generation": decision.generation,
        "ttl_seconds": decision.ttl_seconds,
        "admissions": {name: ratio for name, ratio in decision.admissions if ratio < 1},
        "verdicts": [plain(item) for item in decision.verdicts if item.verdict != OK],
        "changes": [plain(item) for item in decision.changes],
        "orders": [plain(order) for order in decision.state.orders if order not in orders],
        "state": _sum({**decision.state.to_dict(), "log_head": ""}),
    }


def _line(previous: str, body: Mapping[str, Any]) -> str:
    return canonical({**body, "previous": previous, "hash": digest(previous, body)})


def parse(line: str) -> dict[str, Any]:
    """An entry. Raises InvalidError for a line that is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("hash", "previous")):
        raise InvalidError([Problem("", "line", "log-line", "is no entry", "a line of the log", _MEND)], _WHAT)
    return found


def verify(lines: Iterable[str], head: str = "", previous: str | None = None) -> Verification:
    """Look at a whole chain: does it follow `previous` (None for unknown) and end with `head` (empty for unknown)?"""
    problems, last, count = [], previous, 0
    for count, line in enumerate(lines, 1):
        try:
            found = parse(line)
        except InvalidError:
            problems.append(_broken(count, "is no entry"))
            continue
        if last is not None and found["previous"] != last:
            problems.append(_broken(count, "does not follow the line before"))
        if not _intact(line, found):
            problems.append(_broken(count, "was changed"))
        last = found["hash"]
    if head and last != head:
        problems.append(_broken(count, f"is not the head {head[:12]}: lines are missing or all were rewritten"))
    return Verification(count=count, head=last or "", problems=tuple(problems))


def _intact(line: str, found: Mapping[str, Any]) -> bool:
    body = {key: item for key, item in found.items() if key not in ("hash", "previous")}
    try:
        return digest(found["previous"], body) == found["hash"] and canonical(found) == line
    except ValueError:
        return False


def _broken(number: int, wrong: str) -> Problem:
    return Problem("", f"line {number}", "log-broken", wrong, "an unbroken chain of hashes", _MEND)


def replay(lines: Iterable[str]) -> Iterator[str]:
    """Decide everything again from the logged inputs: each line as it has to be.

    Raises InvalidError for what can't be read.

    Equal lines prove that the engine decided so; the first that differs is where it, or the log, is another one.
    """
    fleets: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        found = parse(line)
        inputs = found.get("inputs")
        if found.get("kind") != DECISION or not isinstance(inputs, Mapping):
            raise InvalidError([Problem("", "line", "log-line", "holds no inputs", "a decision", _MEND)], _WHAT)
        name = str(inputs.get("hash"))
        fleet = (
            fleets.setdefault(name, inputs["fleet"]) if isinstance(inputs.get("fleet"), Mapping) else fleets.get(name)
        )
        if fleet is None or not isinstance(fleet.get("regions"), list):
            wrong = "policy and regions are in none of these lines"
            raise InvalidError([Problem("", "line", "log-fleet", wrong, "the file's first entry", _MEND)], _WHAT)
        yield _again(found, inputs, fleet)


def _again(found: Mapping[str, Any], inputs: Mapping[str, Any], fleet: Mapping[str, Any]) -> str:
    policy = read(Policy, fleet.get("policy"), "policy")
    regions = [read(Region, item, "region") for item in fleet["regions"]]
    state = State.from_dict(inputs.get("state"))
    observations = Observations.from_dict(inputs.get("observations"))
    now = read(_Moment, {"now": inputs.get("now")}, "inputs").now
    decision = decide(policy, regions, state, observations, now)
    added = _as_plain(found.get("orders"))
    held = tuple(order for order in decision.state.orders if plain(order) not in added)
    body = {key: item for key, item in _outcome(held, decision).items() if item != []}
    kept = {key: item for key, item in found.items() if key in ("inputs", "lifted", "by", "reason")}
    return _line(str(found["previous"]), {**body, **kept})


def _as_plain(orders: object) -> list[Any]:
    return [plain(read(Order, item, "order")) for item in orders] if isinstance(orders, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    now: float


def rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An entry as flat rows: orders given (`kind` "order") and ended ("lifted"), moves and refusals ("change").

    Parts of another form are passed over.
    """
    common = {"at": found.get("at"), "generation": found.get("generation")}
    for order in _objects(found.get("orders")):
        yield {**common, **_row("order", order, order.get("by", ""), order.get("reason", ""))}
    for order in _objects(found.get("lifted")):
        yield {**common, **_row("lifted", order, found.get("by", ""), found.get("reason", ""))}
    for change in _objects(found.get("changes")):
        known = {key: change[key] for key in _MOVE if key in change}
        yield {**dict.fromkeys(_MOVE, ""), **common, "kind": "change", "refused": False, "by": "", **known}


_MOVE = ("region", "before", "after", "admission_before", "admission_after", "reason", "refused")


def _objects(found: object) -> list[Mapping[str, Any]]:
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _row(kind: str, order: Mapping[str, Any], by: object, reason: object) -> dict[str, Any]:
    return {
        "kind": kind, "region": order.get("region", ""), "before": "", "after": order.get("kind", ""),
        "admission_before": None, "admission_after": None, "reason": reason, "refused": False, "by": by,
    }  # fmt: skip
