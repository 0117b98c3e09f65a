# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks of regions' endpoints: one connection each, made anew, without a second try."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Iterable

from ..routing.model import Region
from ..routing.observations import Probe
from .config import Config
from .wire import Connection, Reply, Trust, WireError, connect

OWN_TROUBLE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM}
)
"""What keeps a vantage point from asking, and so says nothing about the region."""

_DAY = 86400.0


def certificate_days(not_after: str, now: float) -> float | None:
    """Days from `now` (seconds since the epoch) to the end of a certificate; negative when it is over."""
    try:
        return (ssl.cert_time_to_seconds(not_after) - now) / _DAY
    except ValueError:
        return None


def fault(reply: Reply, body: str) -> str:
    """Why an answer is no healthy one; empty when it is."""
    if reply.status != 200:
        return f"status {reply.status}"
    if body and body.encode() not in reply.body:
        return "the body is not what it should be"
    return ""


def reason(error: BaseException) -> tuple[bool | None, str]:
    """What a failed attempt says about the region (False, or None for nothing), and the error in short."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return False, f"certificate: {error.verify_message}"
    if isinstance(error, OSError) and error.errno in OWN_TROUBLE:
        return None, f"could not ask: {error.strerror}"
    if isinstance(error, TimeoutError):
        return False, "timeout"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return False, text or type(error).__name__


async def probe_all(config: Config, trust: Trust, now: float, regions: Iterable[Region]) -> tuple[Probe, ...]:
    """Probe all regions at once, each for at most the policy's `health.timeout_seconds`; never raises."""
    context = None
    if config.tls:
        try:
            context = trust.context(config.ca_file)
        except OSError as error:
            text = f"could not ask: {config.ca_file}: {error.strerror or error}"
            return tuple(unknown(config, region.name, now, text) for region in regions)
    return tuple(await asyncio.gather(*(_probe(config, context, now, region) for region in regions)))


def unknown(config: Config, region: str, now: float, error: str) -> Probe:
    """A probe that could not be made."""
    return Probe(vantage=config.vantage, kind=config.kind, region=region, at=now, ok=None, error=error)


async def _probe(config: Config, context: ssl.SSLContext | None, now: float, region: Region) -> Probe:
    loop = asyncio.get_running_loop()
    allowed, started = float(config.policy.health.timeout_seconds), loop.time()
    connection: Connection | None = None
    ok: bool | None
    try:
        async with asyncio.timeout(min(allowed, config.deadline_seconds)):
            host = f"api.{config.policy.domain}"
            connection = await connect(region.endpoint, config.port, context, host)
            reply = await connection.ask(host, config.policy.health.path, close=True)
        error = fault(reply, config.body)
        ok, days = not error, certificate_days(reply.not_after, now)
    except (OSError, WireError, ValueError) as failed:
        (ok, error), days = reason(failed), None
        if isinstance(failed, TimeoutError) and loop.time() - started < allowed * 0.99:
            ok, error = None, "the observation's deadline came first"
    finally:
        if connection:
            connection.drop()
    return Probe(
        vantage=config.vantage, kind=config.kind, region=region.name, at=now, ok=ok, seconds=loop.time() - started,
        error=error, certificate_days=days,
    )  # fmt: skip
