# Copyright (c) 2026 LLM Verifier DevOps
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mixed fleet: one of the regions is somebody else's cluster, of which only kubeconfig and endpoint are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, Site, changes

REGION = "us-west-2"
LOCAL = ROOT / "inventories/local"


def mixed(folder: Path, site: Site) -> Path:
    """The local inventory with one region in the group `aws`: no node, no address of one."""
    hosts = yaml.safe_load((LOCAL / "hosts.yml").read_text())
    groups = hosts["all"]["children"]
    facts = groups["local"]["hosts"].pop(REGION)
    subnet = f"{site.instance.prefix}.{facts.pop('node_subnet')}"
    groups["aws"] = {"hosts": {REGION: facts}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (folder / "group_vars/aws").mkdir(parents=True)
    for path in (LOCAL / "group_vars").iterdir():
        (folder / "group_vars" / path.name).symlink_to(path)
    own = {**yaml.safe_load((LOCAL / "group_vars/local/main.yml").read_text()),
           **yaml.safe_load((LOCAL / "group_vars/local/deploy.yml").read_text()), "region_provider": "aws",
           "region_kubeconfig": str(site.state / "kubeconfigs" / REGION), "region_endpoint": f"{subnet}.10",
           "regional_deploy_kubeconfig": "{{ region_kubeconfig }}", "regional_deploy_dns_networks": [f"{subnet}.2/32"],
           "regional_deploy_span_collector": f"{subnet}.2:9411", "regional_deploy_tracing_networks": [f"{subnet}.2/32"]}
    del own["monitoring_url"]
    (folder / "group_vars/aws/main.yml").write_text(yaml.safe_dump(own))
    return folder


@pytest.mark.long
def test_a_given_cluster_is_deployed_to_and_nothing_else_of_it_is_touched(site: Site, tmp_path: Path) -> None:
    stages = ["10_validate", "40_clusters", "70_secrets", "80_deploy"]
    before = set((site.state / "runs").glob("deploy-*.json"))
    inventory = str(mixed(tmp_path, site))
    limit = ("--limit", f"{REGION},localhost")
    said = [site.play(f"playbooks/{name}.yml", *limit, inventory=inventory) for name in stages]
    output = "\n".join(said)
    assert not any(changes(text).get(REGION, 0) for text in said), "it has what it had as a local region"
    assert "Run the region's control plane" not in output
    (record,) = set((site.state / "runs").glob("deploy-*.json")) - before
    assert {region: item["state"] for region, item in json.loads(record.read_text())["regions"].items()} == {
        REGION: "passed"}  # fmt: skip
