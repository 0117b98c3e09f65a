# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that call AWS."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of whose account is used; C(aws.owned) has the options of modules that make something."""

    DOCUMENTATION = r"""
requirements:
  - boto3 (C(pip install -r requirements-aws.txt))
options:
  profile:
    description:
      - A profile of the AWS configuration. Without it boto3's usual chain is used, which takes environment variables,
        SSO, roles of instances and pods, and OIDC.
    type: str
  access_key:
    description: An access key, where the usual chain has none.
    type: str
  secret_key:
    description: Its secret.
    type: str
  session_token:
    description: The token of a temporary key.
    type: str
  endpoint_url:
    description:
      - Where the service answers instead of at AWS, for tests. C(AWS_ENDPOINT_URL_GLOBAL_ACCELERATOR) does the same.
    type: str
notes:
  - The API of Global Accelerator answers in C(us-west-2) alone, whichever region is set, and in no other partition.
"""

    OWNED = r"""
options:
  owner:
    description:
      - Whose the accelerator is, its tag C(llm-verifier:owner). One that has another owner or none is never touched.
    type: str
    default: llm-verifier
  wait:
    description: Whether to wait until the accelerator is deployed everywhere.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
"""
