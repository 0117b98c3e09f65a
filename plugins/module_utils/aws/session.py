# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to boto3: clients, retries, and its errors as one of ours.

boto3 is looked up when a client is opened, so that everything else works without it: the routing agent carries these
files to hosts that have the standard library alone.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ATTEMPTS = 6
"""Tries of one call. botocore's mode "standard" waits between them by a random part of 1, 2, 4 … 20 seconds."""


class AwsError(Exception):
    """A call failed for good; `code` is AWS's own or botocore's class, the text names the call and says what to do."""

    def __init__(self, service: str, operation: str, code: str, text: str) -> None:
        self.code = code
        super().__init__(f"{service} {operation}: {code}: {text}{_MEND.get(code, '')}")


_MEND: Mapping[str, str] = {
    "NoCredentialsError": ": set AWS_PROFILE, log in by `aws sso login`, or run where a role is attached",
    "ExpiredTokenException": ": log in again; a rerun goes on where this run ended",
    "ExpiredToken": ": log in again; a rerun goes on where this run ended",
    "AccessDeniedException": ": docs/providers/aws-iam-policy.json lists what is needed",
    "AccessDenied": ": docs/providers/aws-iam-policy.json lists what is needed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whose account is used, and where it answers; what is empty comes from boto3's usual chain."""

    profile: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    endpoint_url: str = ""
    attempts: int = ATTEMPTS
    connect_seconds: float = 5.0
    read_seconds: float = 30.0


@lru_cache(maxsize=8)
def _session(access: Access) -> Any:
    """boto3's session, kept because it takes longer to make than a call takes. Nothing here prints what is in it."""
    given = {
        "profile_name": access.profile,
        "aws_access_key_id": access.access_key,
        "aws_secret_access_key": access.secret_key,
        "aws_session_token": access.session_token,
    }
    return importlib.import_module("boto3").Session(**{name: value for name, value in given.items() if value})


class Client:
    """One service in one location."""

    def __init__(self, service: str, region: str, access: Access = Access()) -> None:
        self.service, self.region = service, region
        try:
            config = importlib.import_module("botocore.config")
        except ImportError as error:
            raise AwsError(service, "open", "ImportError", f"{error}: pip install -r requirements-aws.txt") from None
        self._errors: Any = importlib.import_module("botocore.exceptions")
        settings = config.Config(
            retries={"mode": "standard", "total_max_attempts": access.attempts},
            connect_timeout=access.connect_seconds,
            read_timeout=access.read_seconds,
            s3={"addressing_style": "path"} if access.endpoint_url else None,
            user_agent_extra="llm_verifier.multi_region",
        )
        try:
            self._client: Any = _session(access).client(
                service, region_name=region, endpoint_url=access.endpoint_url or None, config=settings
            )
        except (self._errors.BotoCoreError, ValueError) as error:
            raise AwsError(service, "open", type(error).__name__, str(error)) from None

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Make one call, by its name in Python. Raises AwsError."""
        found: dict[str, Any] = self._do(operation, lambda: getattr(self._client, operation)(**given))
        return found

    def pages(self, operation: str, key: str, **given: Any) -> list[Any]:
        """Everything that a listing gives under a key, page by page. Raises AwsError."""
        pages = self._client.get_paginator(operation).paginate(**given)
        found: list[Any] = self._do(operation, lambda: [item for page in pages for item in page.get(key, [])])
        return found

    def found(self, operation: str, missing: Collection[str], **given: Any) -> dict[str, Any] | None:
        """Make one call; None when it fails with one of the codes `missing`. Raises AwsError for any other."""
        try:
            return self.call(operation, **given)
        except AwsError as error:
            if error.code in missing:
                return None
            raise

    def _do(self, operation: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except self._errors.ClientError as error:
            said = error.response.get("Error", {})
            code, text = str(said.get("Code", "")), str(said.get("Message", ""))
        except self._errors.BotoCoreError as error:
            code, text = type(error).__name__, str(error)
        raise AwsError(self.service, operation, code, text)


def wait_until(holds: Callable[[], bool], seconds: float, what: str, every: float = 5.0) -> None:
    """Ask until it holds. Raises AwsError (code `Timeout`) when it doesn't in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() + every > until:
            raise AwsError("wait", what, "Timeout", f"not after {seconds:g} s: run again, or raise the time-out")
        time.sleep(every)


def batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most `size`, in order."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
