# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that an API server encrypts Secrets with, and how one takes the place of another. Pure.

The first key of the file encrypts, every one decrypts. Keys are named by numbers that only grow, so that the order of
the names tells where a rotation stands: `key1` steady, `key1 key2` introduced, `key2 key1` promoted, `key2` steady.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

_KEY = re.compile(r"^ {6}- name: key(\d+)\n {8}secret: (\S+)\n", re.MULTILINE)
INTRODUCED, PROMOTED, SETTLED = "introduced", "promoted", "settled"


class EncryptionError(Exception):
    """The file isn't one of ours, or the step isn't possible from where it is."""


def configuration(keys: list[tuple[int, str]]) -> str:
    """An EncryptionConfiguration of these keys (number, base64 of 32 bytes); the first one encrypts."""
    listed = "".join(f"      - name: key{number}\n        secret: {secret}\n" for number, secret in keys)
    return (
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
        f"- resources: [secrets]\n  providers:\n  - secretbox:\n      keys:\n{listed}  - identity: {{}}\n"
    )


def encoded(key: bytes) -> str:
    """32 random bytes as the file has them; ValueError for another length."""
    if len(key) != 32:
        raise ValueError("a secretbox key has 32 bytes")
    return base64.b64encode(key).decode()


def phase(text: str) -> str:
    """Where a rotation stands: `settled`, `introduced` or `promoted`. EncryptionError when the file is another's."""
    return _phase(_keys(text))


def turned(text: str, step: str, new_key: Callable[[], str]) -> str:
    """The file after a step: `introduced`, `promoted` or `settled`. A step already made changes nothing.

    EncryptionError when the file isn't one of ours, or a key that doesn't encrypt yet would lose the one that does.
    """
    keys = _keys(text)
    now = _phase(keys)
    if (step, now) == (INTRODUCED, SETTLED):
        keys = [*keys, (keys[0][0] + 1, new_key())]
    elif (step, now) == (PROMOTED, INTRODUCED):
        keys = keys[::-1]
    elif (step, now) == (SETTLED, PROMOTED):
        keys = keys[:1]
    elif (step, now) == (SETTLED, INTRODUCED):
        raise EncryptionError("the new key was introduced but doesn't encrypt yet: promote it first")
    return configuration(keys)


def _keys(text: str) -> list[tuple[int, str]]:
    keys = [(int(number), secret) for number, secret in _KEY.findall(text)]
    if configuration(keys) != text or len(keys) not in (1, 2):
        raise EncryptionError("this is no list of one or two keys as the collection writes it")
    return keys


def _phase(keys: list[tuple[int, str]]) -> str:
    if len(keys) == 1:
        return SETTLED
    return INTRODUCED if keys[0][0] < keys[1][0] else PROMOTED
