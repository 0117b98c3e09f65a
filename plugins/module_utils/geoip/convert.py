# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a country database of any usual shape into what HAProxy and gdnsd read, once for each content of it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..durable import write_atomically
from ..routing.countries import COUNTRIES
from ..routing.errors import Problem
from . import mmdb
from .ranges import IPV4_END, Range, merged, networks, text

try:
    import maxminddb

    MAXMINDDB_ERROR = ""
except ImportError as error:
    MAXMINDDB_ERROR = str(error)

MAP, DATABASE, RECORD = "geoip.map", "country.mmdb", "source.json"
FORMAT = 1
"""Of the files that are written; another number writes them anew."""

_PROBED = 10000
_CODE = re.compile(r"[A-Z]{2}")


class GeoipError(Exception):
    """A database that can't be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made of a database.

    Attributes:
        sha256: of the database.
        format: of the files.
        networks: number of networks after merging.
        unknown: codes that aren't ISO 3166-1's, such as XK, to their number of networks; they are left out.
        without: number of networks whose record tells no country; they are left out.
    """

    sha256: str
    format: int
    networks: int
    unknown: dict[str, int]
    without: int


def country(record: object) -> str:
    """The country's code of a record: GeoIP2 (`country.iso_code`, else where it is registered) or flat; or nothing."""
    if not isinstance(record, Mapping):
        return ""
    found = [record.get("country"), record.get("country_code"), record.get("registered_country")]
    codes = [item.get("iso_code") if isinstance(item, Mapping) else item for item in found]
    return next((code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)), "")


def opened(path: Path) -> Any:
    """A reader of the database. Raises GeoipError."""
    if MAXMINDDB_ERROR:
        raise GeoipError(f"needs the Python package maxminddb to be read ({MAXMINDDB_ERROR}): pip install maxminddb")
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise GeoipError(f"can't be read: {error.strerror or error}") from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise GeoipError("is no MaxMind database (.mmdb); unpack it if it is packed") from error


def probe(path: Path) -> None:
    """Look whether it is a country database, in its first networks. Raises GeoipError."""
    with opened(path) as reader:
        for _network, record in itertools.islice(_entries(reader), _PROBED):
            if country(record) in COUNTRIES:
                return
        raise _no_countries(reader)


def problems(hosts: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """What is wrong with the databases that the hosts' variables name."""
    paths = {facts.get("geoip2_database") for facts in hosts.values()}
    found = []
    for path in sorted(path for path in paths if isinstance(path, str) and path.startswith("/")):
        try:
            probe(Path(path))
        except GeoipError as error:
            mend = "name a database that is on this machine, or leave the variable empty"
            allowed = "a MaxMind database (.mmdb) of countries or cities"
            found.append(Problem("", "geoip2_database", "geoip2-database", f"{path} {error}", allowed, mend))
    return found


def _entries(reader: Any) -> Iterator[tuple[Any, object]]:
    try:
        yield from reader
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise GeoipError(f"is damaged: {error}") from error


def _no_countries(reader: Any) -> GeoipError:
    kind = reader.metadata().database_type
    keys = sorted({key for _network, record in itertools.islice(_entries(reader), 100)
                   for key in (record if isinstance(record, Mapping) else {})})
    told = f"its records tell {', '.join(keys[:5])}" if keys else "it is empty"
    return GeoipError(f"holds no countries ({kind}; {told}): take a country or city database")


def convert(source: Path, folder: Path, *, check: bool) -> tuple[bool, Converted | None]:
    """Make folder hold the source's map and database; whether that needed (check: would need) anything, and the result.

    In check mode there is no result where the source was not converted before. Raises GeoipError and OSError.
    """
    try:
        with source.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise GeoipError(f"can't be read: {error.strerror or error}") from error
    known = _known(folder)
    if known and (known.sha256, known.format) == (digest, FORMAT):
        return False, known
    if check:
        probe(source)
        return True, None
    lines, content, made = _made(source, digest)
    write_atomically(folder / MAP, lines, 0o644)
    write_atomically(folder / DATABASE, content, 0o644)
    write_atomically(folder / RECORD, json.dumps(asdict(made), sort_keys=True) + "\n", 0o644)
    return True, made


def _known(folder: Path) -> Converted | None:
    if not ((folder / MAP).is_file() and (folder / DATABASE).is_file()):
        return None
    try:
        return Converted(**json.loads((folder / RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _made(source: Path, digest: str) -> tuple[str, bytes, Converted]:
    left_out: Counter[str] = Counter()
    with opened(source) as reader:
        ranges = list(merged(_ranges(reader, left_out)))
        if not ranges:
            raise _no_countries(reader)
        epoch = reader.metadata().build_epoch
    lines = [f"{text(start, _length(start, size))} {name}\n"
             for first, last, name in ranges for start, size in networks(first, last)]
    without = left_out.pop("", 0)
    made = Converted(digest, FORMAT, len(lines), dict(sorted(left_out.items())), without)
    return "".join(lines), mmdb.database(ranges, COUNTRIES, epoch), made


def _length(first: int, size: int) -> int:
    return (33 if first < IPV4_END else 129) - size.bit_length()


def _ranges(reader: Any, left_out: Counter[str]) -> Iterator[Range]:
    for network, record in _entries(reader):
        code = country(record)
        if code in COUNTRIES:
            first = int(network.network_address)
            yield first, first + network.num_addresses - 1, code
        else:
            left_out[code] += 1
