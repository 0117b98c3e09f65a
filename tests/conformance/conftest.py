# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab a back end for all tests; real ones are left out, with the reason, where they can't run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from .lab import NEEDED, TREES, GdnsdLab, HaproxyLab, Lab, MemoryLab, own_network


@pytest.fixture(scope="module", params=["memory", "haproxy", "gdnsd"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The back end, started once."""
    if request.param == "memory":
        yield MemoryLab()
        return
    with own_tree():
        folder = tmp_path_factory.mktemp(request.param)
        lab: Lab = HaproxyLab(folder) if request.param == "haproxy" else GdnsdLab(folder)
        try:
            lab.begin()
            yield lab
        finally:
            lab.end()


@pytest.fixture
def lab(running: Lab) -> Iterator[Lab]:
    """The back end, with every region up before and after."""
    running.revive()
    yield running
    running.revive()


def own_tree() -> AbstractContextManager[None]:
    """A network for programs of the tree; skips where there can be none."""
    if os.geteuid() != 0 or not TREES:
        pytest.skip(NEEDED)
    return own_network()
