# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a back end holds, as flat records: desired and existing are compared without knowing the back end."""

from __future__ import annotations

from dataclasses import dataclass

CREATE, UPDATE, DELETE = "create", "update", "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a back end can do. A fact about a back end is a field here, never a branch on its name.

    Attributes:
        name: the back end's name, as in its folder.
        layer: "load_balancer" or "dns".
        ordered: follows the policy's ordered list for each country; else it steers to the nearest region.
        shares: can give a geography's regions any shares; `share_step` is the finest ratio.
        weights_runtime: a decision is applied without touching what the policy compiled to.
        native_checks: evicts by checks of its own, with no control host.
        degraded_ttl: can lower the TTL while a region is out.
        last_resort: an evicted region serves when no other is up, then the static site; else it fails open.
        shares_kept: shares hold while another region is evicted.
        check_seconds: the intervals of health checks that it offers; none for the policy's own.
        check_timeout_seconds: when its health checks give up; 0 for the policy's own time.
        steer_seconds: from a decision that is to be written until the back end has seen it.
        publish_seconds: from there, or from a health check's verdict, until answers follow.
        maximum_regions: 0 for no limit that matters.
        unsupported_countries: ISO codes that the back end refuses; they fall to the default geography.
        source: where these facts are written down.
    """

    name: str
    layer: str
    ordered: bool
    shares: bool
    share_step: float = 0.0
    weights_runtime: bool = False
    native_checks: bool = True
    degraded_ttl: bool = False
    last_resort: bool = True
    shares_kept: bool = True
    check_seconds: tuple[int, ...] = ()
    check_timeout_seconds: float = 0.0
    steer_seconds: float = 0.0
    publish_seconds: float = 0.0
    maximum_regions: int = 0
    unsupported_countries: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Records of one owner in a back end: `items` are pairs of key and value (canonical JSON text), sorted by key."""

    generation: int
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one record."""

    action: str
    key: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps from what exists to what is desired, in the order in which they are applied."""

    backend: str
    generation: int
    steps: tuple[Step, ...] = ()
