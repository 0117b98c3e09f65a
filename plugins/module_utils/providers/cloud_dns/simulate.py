# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cloud DNS answers from its records, its traps included. Pure.

- Primary targets that are healthy are answered; when all are bad, the backup policy decides.
- A geo policy answers what is healthy at the location nearest to the client, else at the next nearest one.
- When nothing is healthy the nearest location's targets are answered, dead or not (what the API's description says of a
  fenced policy; of all locations failing it says nothing).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from ...routing.records import Records
from ..expectation import STATIC
from ..flat import Item, Resolver, unpack
from ..places import by_distance


def _policy(records: Records) -> tuple[Item, Mapping[str, Item]]:
    """The primary targets and the geo items of `api`."""
    policy = next(
        item["routing_policy"] for key, item in unpack(records).items() if key.startswith("record/api.")
    )
    both = policy.get("primary_backup", {})
    return both.get("primary", {}), both.get("backup_geo") or policy.get("geo", {})


def treatment(records: Records, country: str) -> Hashable:
    """Countries of one treatment get the same answer whatever is up."""
    return by_distance(country, _policy(records)[1])


def resolver(records: Records) -> Resolver:
    """The names behind what `api` answers; the static site counts as healthy always."""
    primary, geo = _policy(records)

    def ask(up: Collection[str], country: str) -> frozenset[str]:
        nearest = by_distance(country, geo)
        for targets in (primary, *(geo[code] for code in nearest)):
            good = frozenset(name for name in targets if name in up or name == STATIC)
            if good:
                return good
        return frozenset(geo[nearest[0]] if nearest else primary)

    return ask


def answer(records: Records, up: Collection[str], country: str) -> frozenset[str]:
    """What is answered while the health checks of exactly `up` pass; see `resolver`."""
    return resolver(records)(up, country)
