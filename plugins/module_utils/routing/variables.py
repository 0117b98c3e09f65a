# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory variables that validation looks at, each with its rule."""

from __future__ import annotations

from typing import Any

from .countries import COUNTRIES
from .model import LABEL, LABEL_TEXT
from .rules import Rule

PROVIDERS = ("local", "aws", "gcp", "azure")
"""A provider's variables are in the group of the same name."""

ROLES = ("regions", "edge", "services", "static_site", "clients")
"""A host is in one of these groups at most."""

RESERVED = (
    "all",
    "api",
    "glb",
    "host",
    "localhost",
    "mail",
    "ns1",
    "ns2",
    "ns3",
    "ns4",
    "static",
    "ungrouped",
    "wan",
    "www",
)
"""Names that the zone, the wide-area network or Ansible take."""

JWT_SECRET = "jwt-secret"

SECRETS_ENVIRONMENT = {JWT_SECRET: "JWT_SECRET"}
"""Where the role `secrets` looks for the key when its variable says nothing."""

_LABEL_VALUE = Rule(
    "string",
    pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$",
    pattern_text="a Kubernetes label value: letters, digits, inner - _ and ., at most 63 characters",
)
_LABEL_KEY = Rule(
    "string",
    pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$",
    pattern_text="a Kubernetes label key",
)
_CONTEXT = Rule(
    "string", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@:/-]{0,252}$", pattern_text="a name of a kubeconfig context"
)
_PATH = Rule("string", pattern=r"^/[^\x00]*[^/\x00]$", pattern_text="an absolute path")
_COUNTRY = Rule("string", choices=tuple(COUNTRIES), choices_text="an ISO 3166-1 alpha-2 code in capitals, such as IE")

REGION: dict[str, Rule] = {
    "region_provider": Rule("string", choices=PROVIDERS),
    "region_geography": Rule("string", pattern=LABEL, pattern_text=LABEL_TEXT),
    "region_location": Rule("string"),
    "region_weight": Rule("number", minimum=0, maximum=1000000),
    "region_capacity_rps": Rule("number", exclusive_minimum=0, maximum=1000000000),
    "region_labels": Rule("object", keys=_LABEL_KEY, items=_LABEL_VALUE),
    "region_endpoint": Rule(
        "string", pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$", pattern_text="an address or a host name"
    ),
    "region_kubeconfig": Rule("string", pattern=r"^.*[^/]$", pattern_text="a path of a file"),
    "region_context_aliases": Rule("array", items=_CONTEXT, unique=True),
}
"""Variables of a region's host."""

REGION_REQUIRED = {
    "region_provider": "set region_provider for the region",
    "region_geography": "set region_geography for the region",
    "region_endpoint": "set region_endpoint to the address or name that the region's gateway answers at",
    "region_kubeconfig": "set region_kubeconfig to the path of a kubeconfig of the region's cluster",
}
"""What every region has, each with how to mend its lack. The group `local` has variables for all of them."""

NODE: dict[str, Rule] = {
    "node_subnet": Rule("integer", minimum=1, maximum=254),
    "client_country": _COUNTRY,
}
"""Variables of a host on the local provider; subnet 0 is the host's own link."""

CLUSTER_NETWORKS = {
    "region_cluster_pod_network": "10.244.0.0/16",
    "region_cluster_service_network": "10.96.0.0/16",
}
"""Variables of a region's host on the local provider, and what they are unless somebody sets them."""

RUN: dict[str, Rule] = {
    "cloud_provider": Rule("string", choices=("", *PROVIDERS), choices_text="one of " + ", ".join(PROVIDERS)),
    "registry": Rule(
        "string",
        pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?$",
        pattern_text="a registry such as registry.example.com:5000/team, without scheme, tag or digest",
    ),
    "skip_monitoring": Rule("boolean"),
    "skip_service_mesh": Rule("boolean"),
    "secrets_generate": Rule("boolean"),
    "certificates_source": Rule("string", choices=("acme", "files")),
    "local_instance_name": Rule(
        "string", pattern=r"^[a-z][a-z0-9]{0,9}$", pattern_text="1 to 10 of a-z and 0-9, a letter first"
    ),
    "local_network_prefix": Rule(
        "string",
        pattern=r"^(10\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|198\.1[89])$",
        pattern_text='the first two octets of a private /16 in quotes, such as "10.77"',
    ),
    "geoip2_database": Rule(
        "string", pattern=r"^(/[^\x00]*[^/\x00])?$", pattern_text="an absolute path, or empty for none"
    ),
    "local_state_dir": _PATH,
    "local_cache_dir": _PATH,
    "regional_deploy_wave_size": Rule("integer", minimum=1, maximum=1000),
    "regional_deploy_max_failed_regions": Rule("integer", minimum=0, maximum=1000),
    "regional_deploy_deadline_seconds": Rule("integer", minimum=1, maximum=86400),
}
"""Variables of the whole run: every host must see the same value."""

RUN_REQUIRED = ("local_state_dir", "local_cache_dir")

TEXT_BOOLEANS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
"""What `-e name=value` gives for booleans, in lower case."""


def as_boolean(value: Any) -> Any:
    """A text from the command line as the boolean that it means; anything else as it is."""
    return TEXT_BOOLEANS.get(value.lower(), value) if isinstance(value, str) else value


SELECTED = (*REGION, *NODE, *CLUSTER_NETWORKS, "node_address", "node_public_address", *RUN)
"""Every variable that the filter `routing_inputs` hands over for validation, each in the clear: none is a secret."""
