# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and, on SIGTERM, drains: unhealthy at once, serving for DRAIN_SECONDS, then finishing what is open."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from .app import App, log
from .auth import KEY_BYTES
from .config import Config, ConfigError, load
from .server import Door, listener, sockets


class _Lines(logging.Handler):
    """Writes what libraries have to say as lines of our log, without values of a request."""

    def __init__(self, config: Config) -> None:
        super().__init__(logging.ERROR)
        self._config = config

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log(self._config, "library", name=record.name, text=str(record.msg).strip()[:200], error=kind)


async def serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 1 when requests had to be cut off."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    api, metrics = sockets(config.bind, config.port), sockets(config.bind, config.metrics_port)
    port, metrics_port = (found[0].getsockname()[1] for found in (api, metrics))
    door = Door(config.max_connections, config.idle_seconds, config.header_seconds)
    app = App(config, metrics_port)
    app.metrics.watch(door, lambda: app.ready)
    server = listener(app, {port: door, metrics_port: Door(32)}, config.shutdown_seconds)
    serving = asyncio.create_task(server.serve([*api, *metrics]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0)
    log(config, "started", port=port, metrics_port=metrics_port, keys=len(config.jwt_keys),
        short_keys=sum(len(key) < KEY_BYTES for key in config.jwt_keys), image_digest=config.image_digest)
    await asyncio.wait([serving, waiting := asyncio.create_task(asked.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    app.draining = True
    log(config, "draining", seconds=config.drain_seconds)
    await asyncio.sleep(config.drain_seconds)
    server.should_exit = True
    await serving
    finished = not server.server_state.tasks
    await app.upstream.close()
    await asyncio.to_thread(app.tracer.close)
    log(config, "stopped", finished=finished)
    return 0 if finished else 1


def main() -> int:
    """Read the environment and serve."""
    try:
        config = load(os.environ)
    except ConfigError as error:
        print(f"llm-verifier can't start: {error}", file=sys.stderr)
        return 78
    if config.faults.crash:
        log(config, "injected crash")
        return 70
    logging.basicConfig(handlers=[_Lines(config)], level=logging.ERROR)
    try:
        return asyncio.run(serve(config))
    except OSError as error:
        print(f"llm-verifier can't listen: {error}", file=sys.stderr)
        return 71


if __name__ == "__main__":
    sys.exit(main())
