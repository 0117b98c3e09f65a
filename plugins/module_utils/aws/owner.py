# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a thing of a cloud is: two tags, and the refusal to touch anything without them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OWNER, GENERATION = "llm-verifier:owner", "llm-verifier:generation"
RESERVED = ("aws:", "llm-verifier:")
"""Beginnings of keys that aren't the user's: AWS's own, and ours."""


class NotOursError(Exception):
    """Something has the wanted name or place but isn't ours; the text says how to hand it over."""


def owned(tags: Mapping[str, str], owner: str) -> bool:
    """Whether something is this owner's."""
    return tags.get(OWNER) == owner


def require_owned(tags: Mapping[str, str], owner: str, what: str) -> None:
    """Raise NotOursError for something that isn't this owner's."""
    if not owned(tags, owner):
        whose = f"belongs to {tags[OWNER]!r}" if OWNER in tags else "has no owner's tag"
        raise NotOursError(
            f"{what} {whose}, so it isn't touched: take another name, or tag it {OWNER}={owner} to hand it over"
        )


def generation(tags: Mapping[str, str]) -> int:
    """The generation that a thing holds; 0 when there never was one."""
    text = tags.get(GENERATION, "")
    return int(text) if text.isdecimal() else 0


def wanted_tags(given: Mapping[str, str], current: Mapping[str, str], owner: str, *, purge: bool) -> dict[str, str]:
    """The tags that something should have: the user's, ours, and of the others all that aren't the user's to purge."""
    kept = {key: value for key, value in current.items() if not purge or key.startswith(RESERVED)}
    return {**kept, **given, OWNER: owner}


def reserved(tags: Iterable[str]) -> list[str]:
    """Keys that a user must not give."""
    return sorted(key for key in tags if key.startswith(RESERVED))
