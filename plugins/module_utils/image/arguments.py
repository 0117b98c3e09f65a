# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specification that the image modules share; plugins/doc_fragments/image.py documents it."""

from __future__ import annotations

from typing import Any

BASE_PACKAGES = ["base-files", "busybox", "ca-certificates", "dash", "haproxy", "libpython3-stdlib", "python3-minimal"]

ACCESS: dict[str, Any] = {
    "registry": {"type": "str", "default": ""},
    "registry_insecure": {"type": "bool", "default": False},
    "registry_ca_file": {"type": "path"},
    "registry_username": {"type": "str", "default": ""},
    "registry_password": {"type": "str", "default": "", "no_log": True},
    "registry_timeout": {"type": "int", "default": 10},
}
IMAGE: dict[str, Any] = {
    **ACCESS,
    "image_ref": {"type": "str", "default": ""},
    "name": {"type": "str", "default": "llm-verifier"},
    "context": {"type": "path"},
    "containerfile": {"type": "str", "default": ""},
    "build_args": {"type": "dict", "default": {}},
    "platforms": {"type": "list", "elements": "str", "default": []},
    "base_image": {"type": "str", "default": ""},
    "base_suite": {"type": "str", "default": "bookworm"},
    "base_packages": {"type": "list", "elements": "str", "default": BASE_PACKAGES},
    "base_mirror": {"type": "str", "default": ""},
    "base_serial": {"type": "str", "default": ""},
}
