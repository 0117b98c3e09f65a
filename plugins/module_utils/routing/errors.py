# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong, and the errors that carry it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One reason why an inventory or a policy can't be used.

    `host` is empty for what belongs to no single host, `key` is the path of the value at fault.
    """

    host: str
    key: str
    id: str
    wrong: str
    allowed: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.host}: {self.key}" if self.host else self.key
        return f"{place}: {self.wrong} [{self.id}]\n    allowed: {self.allowed}\n    mend: {self.mend}"


class RoutingError(Exception):
    """The root of every error of the routing core."""


class InvalidError(RoutingError):
    """Something given can't be used; `problems` holds every reason, `what` names the thing."""

    def __init__(self, problems: Iterable[Problem], what: str = "inventory and policy") -> None:
        self.problems = tuple(problems)
        super().__init__(report(self.problems, what))


def report(problems: Iterable[Problem], what: str = "inventory and policy") -> str:
    """Tell all problems in one readable text, sorted by host and key."""
    ordered = sorted(problems)
    head = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return "\n".join([f"{head} in {what}:", *(f"  {problem}" for problem in ordered)])
