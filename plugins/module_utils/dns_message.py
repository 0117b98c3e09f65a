# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of DNS: a question (RFC 1035, with a client's network by RFC 7871) and its answer's records. Pure."""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass

A, CNAME, TXT = 1, 5, 16

_IN, _OPT, _CLIENT_SUBNET = 1, 41, 8
_RECURSION_DESIRED = 0x0100


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an answer: its kind, its time to live in seconds, the address of A or the first string of TXT."""

    kind: int
    ttl: int
    data: str


def encode(number: int, name: str, kind: int, client: str = "", recursive: bool = False) -> bytes:
    """The question for records of a kind, with the network of an IPv4 client where one is named."""
    labels = b"".join(bytes([len(part)]) + part.encode("ascii") for part in name.rstrip(".").split("."))
    question = labels + b"\0" + struct.pack("!HH", kind, _IN)
    flags = _RECURSION_DESIRED if recursive else 0
    if not client:
        return struct.pack("!HHHHHH", number, flags, 1, 0, 0, 0) + question
    subnet = struct.pack("!HBB", 1, 32, 0) + ipaddress.IPv4Address(client).packed
    option = struct.pack("!HH", _CLIENT_SUBNET, len(subnet)) + subnet
    extra = b"\0" + struct.pack("!HHIH", _OPT, 1232, 0, len(option)) + option
    return struct.pack("!HHHHHH", number, flags, 1, 0, 0, 1) + question + extra


def decode(message: bytes, number: int) -> tuple[Record, ...]:
    """The records of an answer, in order. Raises ValueError for what is no good answer to the question."""
    try:
        got, flags, questions, answers, _authority, _more = struct.unpack_from("!HHHHHH", message)
        if got != number or not flags & 0x8000:
            raise ValueError("an answer to another question")
        if flags & 0x000F:
            raise ValueError(f"the server answered code {flags & 0x000F}")
        at, found = 12, []
        for _question in range(questions):
            at = _after_name(message, at) + 4
        for _answer in range(answers):
            at = _after_name(message, at)
            kind, _class, ttl, length = struct.unpack_from("!HHIH", message, at)
            data, at = message[at + 10 : at + 10 + length], at + 10 + length
            found.append(Record(kind, ttl, _text(kind, data)))
    except (struct.error, IndexError, OSError) as error:
        raise ValueError("a malformed answer") from error
    return tuple(found)


def _text(kind: int, data: bytes) -> str:
    if kind == A:
        return socket.inet_ntoa(data)
    return data[1 : 1 + data[0]].decode("ascii", "replace") if kind == TXT else ""


def _after_name(message: bytes, at: int) -> int:
    while message[at] & 0xC0 != 0xC0:
        if not message[at]:
            return at + 1
        at += 1 + message[at]
    return at + 2
