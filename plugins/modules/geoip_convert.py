#!/usr/bin/python
# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: geoip_convert
short_description: Turn a country database into what the front door reads
version_added: 0.2.0
author: LLM Verifier DevOps (@llm-verifier)
description:
  - Reads a MaxMind database (C(.mmdb)) of countries or cities, GeoIP2's shape or flat with C(country_code), and writes
    a map of networks to countries for HAProxy (C(geoip.map)) and a GeoIP2 country database for gdnsd (C(country.mmdb)).
  - Both are of one reading, with the continents of the routing policy, so that both give an address the same geography.
  - Adjacent networks of one country become one. What has no ISO 3166-1 code is left out and gets the default geography.
  - Works once for each content of the database; only counts are returned, never the networks.
requirements: [maxminddb]
attributes:
  check_mode:
    description: Reads the first networks only, and writes nothing.
    support: full
  diff_mode:
    description: The files are too large to show.
    support: none
  idempotent:
    description: A database that was converted before is only read for its checksum.
    support: full
options:
  database:
    description: The database.
    type: path
    required: true
  folder:
    description: Where the files are written; it is made where it isn't there.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Convert the country database
  llm_verifier.multi_region.geoip_convert:
    database: /usr/share/GeoIP/GeoLite2-Country.mmdb
    folder: /var/lib/llm-verifier/llmv/geoip
"""

RETURN = r"""
sha256:
  description: Checksum of the database; empty in check mode where it would be converted.
  returned: success
  type: str
networks:
  description: Number of networks after merging; 0 in check mode where it would be converted.
  returned: success
  type: int
unknown:
  description: Codes that aren't ISO 3166-1's to their number of networks.
  returned: success
  type: dict
  sample: {XK: 246}
without:
  description: Number of networks whose record tells no country.
  returned: success
  type: int
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.llm_verifier.multi_region.plugins.module_utils.geoip.convert import GeoipError, convert


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={"database": {"type": "path", "required": True}, "folder": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    path, folder = Path(module.params["database"]), Path(module.params["folder"])
    try:
        changed, made = convert(path, folder, check=module.check_mode)
    except GeoipError as error:
        module.fail_json(msg=f"geoip2_database {path} {error}")
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{path} can't be converted below {folder}: {error}")
    module.exit_json(
        changed=changed, sha256=made.sha256 if made else "", networks=made.networks if made else 0,
        unknown=made.unknown if made else {}, without=made.without if made else 0,
    )


if __name__ == "__main__":
    main()
