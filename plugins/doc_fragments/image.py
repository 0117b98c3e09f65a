# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the image modules; ``ACCESS`` are those of a registry alone."""

    ACCESS = r"""
options:
  registry:
    description:
      - The registry that the other options are for, as C(host), C(host:port). Images of another one are asked for with
        TLS and without a user.
    type: str
    default: ""
  registry_insecure:
    description: Whether the registry speaks plain HTTP.
    type: bool
    default: false
  registry_ca_file:
    description: The certificates that the registry's own must come from, instead of the system's.
    type: path
  registry_username:
    description: Who asks and pushes; empty for nobody.
    type: str
    default: ""
  registry_password:
    description: The password of O(registry_username).
    type: str
    default: ""
  registry_timeout:
    description: Seconds to wait for an answer of the registry.
    type: int
    default: 10
"""

    DOCUMENTATION = r"""
options:
  image_ref:
    description:
      - An image that exists, as C(registry/name:tag) or C(registry/name@sha256:…). It is only resolved to its digest;
        nothing is built.
    type: str
    default: ""
  registry:
    description: The registry that holds what is built, as C(host), C(host:port). Needed unless O(image_ref) is given.
    type: str
    default: ""
  registry_insecure:
    description: Whether the registry speaks plain HTTP.
    type: bool
    default: false
  registry_ca_file:
    description: The certificates that the registry's own must come from, instead of the system's.
    type: path
  registry_username:
    description: Who asks and pushes; empty for nobody.
    type: str
    default: ""
  registry_password:
    description: The password of O(registry_username).
    type: str
    default: ""
  registry_timeout:
    description: Seconds to wait for an answer of the registry.
    type: int
    default: 10
  name:
    description: The image's name in the registry.
    type: str
    default: llm-verifier
  context:
    description: The folder to build. Needed unless O(image_ref) is given.
    type: path
  containerfile:
    description: The Containerfile in O(context). Empty for C(Containerfile), else C(Dockerfile).
    type: str
    default: ""
  build_args:
    description: Build arguments. C(BASE) is always given besides them and names the base image.
    type: dict
    default: {}
  platforms:
    description: What to build for, of C(linux/amd64) and C(linux/arm64). Empty for this machine's architecture.
    type: list
    elements: str
    default: []
  base_image:
    description: The base image. Empty for one that is made of Debian packages.
    type: str
    default: ""
  base_suite:
    description: The Debian release of the base that is made of packages.
    type: str
    default: bookworm
  base_packages:
    description: The packages of that base, besides what they depend on.
    type: list
    elements: str
    default: [base-files, busybox, ca-certificates, dash, haproxy, libpython3-stdlib, python3-minimal]
  base_mirror:
    description: The Debian mirror to take them from. Empty for Debian's own, security updates included.
    type: str
    default: ""
  base_serial:
    description: Any text. Another text makes the base anew, with the packages of the day.
    type: str
    default: ""
"""
