# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications that the modules of the local provider share."""

from __future__ import annotations

from typing import Any

INSTANCE: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "name": {"type": "str", "required": True},
        "prefix": {"type": "str", "required": True},
        "state_dir": {"type": "path", "required": True},
        "cache_dir": {"type": "path", "required": True},
    },
}

FILE: dict[str, Any] = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str"},
    "source": {"type": "path"},
    "mode": {"type": "str", "default": "0644"},
}

COPY: dict[str, Any] = {
    "from": {"type": "path", "required": True},
    "to": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
}

SERVICE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "command": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "check": {"type": "str", "default": ""},
    "reload": {"type": "str", "default": ""},
    "ready": {"type": "str", "default": ""},
    "log_megabytes": {"type": "int", "default": 1},
    "log_files": {"type": "int", "default": 5},
    "log_times": {"type": "bool", "default": True},
}

NODE_ARGUMENTS: dict[str, Any] = {
    "instance": INSTANCE,
    "name": {"type": "str", "required": True},
    "owner": {"type": "str", "default": "node"},
    "tree": {"type": "path"},
    "subnet": {"type": "int"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "resolver": {"type": "str", "default": ""},
    "binds": {"type": "dict", "default": {}},
    "sysctls": {"type": "dict", "default": {}},
    "cpu_shares": {"type": "int", "default": 4096},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
    "copies": {"type": "list", "elements": "dict", "default": [], "options": COPY},
    "services": {"type": "list", "elements": "dict", "default": [], "options": SERVICE},
    "serving": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "timeout": {"type": "int", "default": 60},
}
