# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab a back end for all tests; real ones are left out, with the reason, where they can't run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from .cloud_lab import AcceleratorLab, Route53Lab
from .lab import NEEDED, TREES, GdnsdLab, HaproxyLab, Lab, MemoryLab, own_network

LABS: Mapping[str, Callable[[Path], Lab]] = {
    "memory": lambda _folder: MemoryLab(),
    "haproxy": HaproxyLab,
    "gdnsd": GdnsdLab,
    "route53": lambda _folder: Route53Lab(),
    "global_accelerator": lambda _folder: AcceleratorLab(),
}
OF_THE_TREE = ("haproxy", "gdnsd")


@pytest.fixture(scope="module", params=LABS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The back end, started once."""
    with own_tree() if request.param in OF_THE_TREE else nullcontext():
        lab = LABS[request.param](tmp_path_factory.mktemp(request.param))
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
    """A network for programs of the tree; skips where there can be none. Root without a tree has left set-up out."""
    if os.geteuid() != 0:
        pytest.skip(NEEDED)
    if not TREES:
        pytest.fail(NEEDED, pytrace=False)
    return own_network()
