# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks an OpenAI- or Anthropic-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any

from .config import Config

if TYPE_CHECKING:
    import httpx

ANSWER_BYTES = 1 << 20


class UpstreamError(Exception):
    """The provider gave no usable answer; the text holds no secret."""


def providers(config: Config) -> dict[str, str]:
    """Return the providers that are set up and their addresses: those with a base URL."""
    urls = {"openai": config.openai_base_url, "anthropic": config.anthropic_base_url}
    return {name: url for name, url in urls.items() if url}


class Upstream:
    """Keeps connections to the providers."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client: httpx.AsyncClient | None = None
        if providers(config):
            import httpx  # 5 MiB that only a process with a provider needs

            # What is listed is asked, nothing that it names: the request holds the key.
            self._client = httpx.AsyncClient(timeout=config.upstream_seconds, verify=ssl.create_default_context(),
                                             follow_redirects=False)

    async def ask(self, provider: str, model: str, prompt: str, trace: dict[str, str]) -> str:
        """Return the model's answer; raise UpstreamError after ``upstream_seconds`` at most."""
        message = {"model": model, "max_tokens": 256, "messages": [{"role": "user", "content": prompt}]}
        url, headers = self._address(provider)
        try:
            async with asyncio.timeout(self._config.upstream_seconds):
                return _text(provider, json.loads(await self._post(url, message, {**trace, **headers})))
        except UpstreamError as error:
            raise UpstreamError(f"{provider} {error}") from None
        except Exception as error:  # of the network, TLS, HTTP or the answer's form
            raise UpstreamError(f"{provider} gave no usable answer ({type(error).__name__})") from None

    def _address(self, provider: str) -> tuple[str, dict[str, str]]:
        config = self._config
        if provider == "openai":
            return f"{config.openai_base_url}/v1/chat/completions", {"Authorization": f"Bearer {config.openai_key}"}
        return f"{config.anthropic_base_url}/v1/messages", {"x-api-key": config.anthropic_key,
                                                            "anthropic-version": "2023-06-01"}

    async def _post(self, url: str, message: Any, headers: dict[str, str]) -> bytes:
        assert self._client is not None
        async with self._client.stream("POST", url, json=message, headers=headers) as reply:
            if not reply.is_success:
                raise UpstreamError(f"answered {reply.status_code}")
            body = b""
            async for part in reply.aiter_bytes():
                body += part
                if len(body) > ANSWER_BYTES:
                    raise UpstreamError("answered too much")
            return body

    async def close(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.aclose()


def _text(provider: str, value: Any) -> str:
    return str(value["choices"][0]["message"]["content"] if provider == "openai" else value["content"][0]["text"])
