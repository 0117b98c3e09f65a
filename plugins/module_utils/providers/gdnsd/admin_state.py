# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's own lines in gdnsd's file of forced states. Pure.

They stand in a block of their own at the top: gdnsd lets later lines override earlier ones, so an operator's win.
Their keys are written as a pattern that only the engine uses, since gdnsd refuses a file with the same key twice and
doesn't even start with one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .render import MAP

BEGIN = "# BEGIN llm_verifier.multi_region: evicted regions, written by the routing engine"
END = "# END llm_verifier.multi_region"

_PATTERN = f"geoip/[{MAP[0]}]{MAP[1:]}/"
_OWN = re.compile(rf'^"{re.escape(_PATTERN)}(\S+)" => DOWN/(\d+)$', re.MULTILINE)
_BLOCK = re.compile(rf"^{re.escape(BEGIN)}\n.*?(?:^{re.escape(END)}\n|\Z)", re.MULTILINE | re.DOTALL)


def evicted(text: str) -> dict[str, int]:
    """The regions that the engine's block forces down, with the time to live (seconds) of answers without them."""
    return {name: int(ttl) for block in _BLOCK.findall(text) for name, ttl in _OWN.findall(block)}


def with_evicted(text: str, regions: Mapping[str, int]) -> str:
    """The file with the block made anew; everybody else's lines stay as they are. No block for no region."""
    others = _BLOCK.sub("", text)
    if not regions:
        return others
    lines = [f'"{_PATTERN}{name}" => DOWN/{ttl}' for name, ttl in sorted(regions.items())]
    return "\n".join([BEGIN, *lines, END]) + "\n" + others
