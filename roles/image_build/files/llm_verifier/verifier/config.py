# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says. Secrets are kept out of every repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REQUIRED = ("REGION", "CLUSTER_NAME", "JWT_SECRET")
DELAY_CAP_SECONDS = 60.0


class ConfigError(Exception):
    """The environment can't be used; the text names every variable at fault and no value."""


@dataclass(frozen=True)
class Faults:
    """Faults to inject; all off unless FAULT_INJECTION=1."""

    status: int = 0
    crash: bool = False
    not_ready: bool = False
    delay_seconds: float = 0.0
    path: str = "/api/"
    every: int = 1


@dataclass(frozen=True)
class Config:
    """Settings of one process; durations in seconds."""

    region: str
    cluster: str
    jwt_keys: tuple[bytes, ...] = field(repr=False)
    image_digest: str = ""
    bind: str = ""
    port: int = 8080
    metrics_port: int = 9090
    drain_seconds: float = 5.0
    shutdown_seconds: float = 65.0
    idle_seconds: float = 75.0
    header_seconds: float = 10.0
    max_connections: int = 512
    max_body_bytes: int = 65536
    zipkin_endpoint: str = ""
    sample_ratio: float = 1.0
    openai_base_url: str = ""
    openai_key: str = field(default="", repr=False)
    anthropic_base_url: str = ""
    anthropic_key: str = field(default="", repr=False)
    upstream_seconds: float = 20.0
    log_health: bool = False
    faults: Faults = Faults()


class _Reader:
    """Reads variables and gathers every problem."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def number(self, name: str, default: float, low: float, high: float) -> float:
        text = self.env.get(name, "")
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.problems.append(f"{name} must be a number from {low:g} to {high:g}")
            return default
        return value

    def flag(self, name: str) -> bool:
        return self.env.get(name, "").lower() in ("1", "true", "yes")


def load(env: Mapping[str, str]) -> Config:
    """Return the settings; raise ConfigError with all that is missing or wrong."""
    read = _Reader(env)
    read.problems += [f"{name} is required and missing" for name in REQUIRED if not env.get(name)]
    keys = tuple(env[name].encode() for name in ("JWT_SECRET", "JWT_SECRET_PREVIOUS") if env.get(name))
    config = Config(
        region=env.get("REGION", ""),
        cluster=env.get("CLUSTER_NAME", ""),
        jwt_keys=keys,
        image_digest=env.get("IMAGE_DIGEST", ""),
        bind=env.get("BIND", ""),
        port=int(read.number("PORT", 8080, 0, 65535)),
        metrics_port=int(read.number("METRICS_PORT", 9090, 0, 65535)),
        drain_seconds=read.number("DRAIN_SECONDS", 5, 0, 600),
        shutdown_seconds=read.number("SHUTDOWN_SECONDS", 65, 0, 600),
        idle_seconds=read.number("IDLE_SECONDS", 75, 1, 3600),
        header_seconds=read.number("HEADER_SECONDS", 10, 0.1, 600),
        max_connections=int(read.number("MAX_CONNECTIONS", 512, 1, 65536)),
        max_body_bytes=int(read.number("MAX_BODY_BYTES", 65536, 1, 1 << 26)),
        zipkin_endpoint=env.get("ZIPKIN_ENDPOINT", ""),
        sample_ratio=read.number("TRACE_SAMPLE_RATIO", 1, 0, 1),
        openai_base_url=env.get("OPENAI_BASE_URL", "").rstrip("/"),
        openai_key=env.get("OPENAI_API_KEY", ""),
        anthropic_base_url=env.get("ANTHROPIC_BASE_URL", "").rstrip("/"),
        anthropic_key=env.get("ANTHROPIC_API_KEY", ""),
        upstream_seconds=read.number("UPSTREAM_SECONDS", 20, 0.1, 600),
        log_health=read.flag("LOG_HEALTH"),
        faults=_faults(read),
    )
    if read.problems:
        raise ConfigError("; ".join(read.problems))
    return config


def _faults(read: _Reader) -> Faults:
    if not read.flag("FAULT_INJECTION"):
        return Faults()
    return Faults(
        status=int(read.number("FAULT_STATUS", 0, 0, 599)),
        crash=read.flag("FAULT_CRASH"),
        not_ready=read.flag("FAULT_NOT_READY"),
        delay_seconds=read.number("FAULT_DELAY_SECONDS", 0, 0, DELAY_CAP_SECONDS),
        path=read.env.get("FAULT_PATH") or "/api/",
        every=int(read.number("FAULT_EVERY", 1, 1, 1_000_000)),
    )
