# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static disaster-recovery site: the last link of the chain, which answers the same names over TLS by itself."""

from __future__ import annotations

import json

from ...routing.model import Policy
from . import blocks
from .settings import Settings

CONFIGURATION = "etc/haproxy/haproxy.cfg"
PAGE = "etc/haproxy/page.html"
ANSWER = "etc/haproxy/answer.json"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>LLM Verifier is unavailable</title>
<style>
  body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em; color: #223; }}
  @media (prefers-color-scheme: dark) {{ body {{ background: #112; color: #dde; }} }}
</style>
<h1>LLM Verifier is unavailable</h1>
<p>None of our regions can serve requests at the moment. We know, and are working on it.
Your data is safe; please try again in a few minutes.</p>
<p>{domain}</p>
</html>
"""


def render(policy: Policy, settings: Settings, retry_after_seconds: int = 60) -> dict[str, str]:
    """The files of the static site below /node: a page for people, JSON for programs, 503 and Retry-After for both."""
    answer = f"hdr Retry-After {retry_after_seconds} hdr Cache-Control no-store hdr X-Region static"
    json_answer = f"http-request return status 503 content-type application/json file /node/{ANSWER} {answer}"
    page = f"http-request return status 503 content-type text/html;charset=utf-8 file /node/{PAGE} {answer}"
    api = "{ path_beg /api/ } || { req.hdr(accept) -m sub application/json }"
    frontend = blocks.section(
        "frontend static_site",
        [
            blocks.tls_bind(settings),
            *blocks.trust_rules(()),
            *blocks.proxy_protocol(settings),
            *blocks.connection_limits(settings),
            *blocks.access_log(),
            *blocks.source_rules(()),
            *blocks.request_limits(settings),
            *blocks.answer_headers(settings),
            f"{json_answer} if {api}",
            page,
        ],
    )
    parts = [
        blocks.header("Static disaster-recovery site"),
        blocks.global_section(settings),
        blocks.defaults_section(settings),
        blocks.limit_table(settings),
        frontend,
        blocks.plain_frontend(settings, [f"{json_answer} if {{ path {policy.health.path} }}"]),
        blocks.metrics_frontend(settings),
    ]
    body = {"error": "no region can serve this now", "status": 503, "retry_after_seconds": retry_after_seconds}
    return {
        CONFIGURATION: "".join(parts).rstrip("\n") + "\n",
        PAGE: _PAGE.format(domain=policy.domain),
        ANSWER: json.dumps(body) + "\n",
    }
