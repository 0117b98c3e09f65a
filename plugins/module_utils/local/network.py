# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wide-area network: a router namespace, a link per node, one link to the host, and faults on the links."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .commands import run
from .instance import Instance

NETNS = Path("/run/netns")
FAULT_TABLE = "llm_verifier_faults"


def exists(namespace: str) -> bool:
    """Whether a network namespace of this name is there (and still mounted)."""
    path = NETNS / namespace
    return path.exists() and os.stat(path).st_dev != os.stat(NETNS).st_dev


def _add_namespace(namespace: str) -> None:
    if (NETNS / namespace).exists():
        run(["ip", "netns", "delete", namespace], check=False)
        (NETNS / namespace).unlink(missing_ok=True)
    run(["ip", "netns", "add", namespace])
    run(["ip", "-n", namespace, "link", "set", "lo", "up"])


def ensure_wan(instance: Instance, *, check: bool) -> bool:
    """Make the router and the host's link to it; returns whether anything was (or would be) made."""
    if exists(instance.wan) and Path("/sys/class/net", instance.host_link).exists():
        return False
    if check:
        return True
    run(["ip", "link", "delete", instance.host_link], check=False)
    if not exists(instance.wan):
        _add_namespace(instance.wan)
    run(["ip", "netns", "exec", instance.wan, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    run(["ip", "link", "add", instance.host_link, "type", "veth", "peer", "name", "host", "netns", instance.wan])
    run(["ip", "-n", instance.wan, "address", "add", f"{instance.prefix}.0.1/30", "dev", "host"])
    run(["ip", "-n", instance.wan, "link", "set", "host", "up"])
    run(["ip", "address", "add", f"{instance.prefix}.0.2/30", "dev", instance.host_link])
    run(["ip", "link", "set", instance.host_link, "up"])
    run(["ip", "route", "replace", f"{instance.prefix}.0.0/16", "via", f"{instance.prefix}.0.1"])
    return True


def ensure_link(instance: Instance, node: str, subnet: int, addresses: list[str], *, check: bool) -> bool:
    """Make a node's namespace and its link to the router: .1 the router's end, .2 and `addresses` the node's."""
    namespace = instance.namespace(node)
    wanted = [f"{instance.prefix}.{subnet}.2", *addresses]
    link_there = exists(namespace) and run(["ip", "-n", namespace, "link", "show", "eth0"], check=False).returncode == 0
    have = _addresses(namespace) if link_there else []
    if link_there and set(wanted) <= set(have):
        return False
    if check:
        return True
    if not exists(namespace):
        _add_namespace(namespace)
    if not link_there:
        _connect(instance, namespace, subnet)
    for address in wanted:
        if address not in have:
            run(["ip", "-n", namespace, "address", "add", f"{address}/24", "dev", "eth0"])
    run(["ip", "-n", namespace, "route", "replace", "default", "via", f"{instance.prefix}.{subnet}.1",
         "src", f"{instance.prefix}.{subnet}.2"])
    return True


def _connect(instance: Instance, namespace: str, subnet: int) -> None:
    link = f"n{subnet}"
    run(["ip", "-n", instance.wan, "link", "delete", link], check=False)
    run(["ip", "-n", instance.wan, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace])
    run(["ip", "-n", instance.wan, "address", "add", f"{instance.prefix}.{subnet}.1/24", "dev", link])
    run(["ip", "-n", instance.wan, "link", "set", link, "up"])
    run(["ip", "-n", namespace, "link", "set", "eth0", "up"])


def _addresses(namespace: str) -> list[str]:
    shown = run(["ip", "-n", namespace, "-json", "address", "show", "dev", "eth0"]).stdout
    return [entry["local"] for link in json.loads(shown or "[]") for entry in link.get("addr_info", [])]


def remove_link(instance: Instance, node: str) -> bool:
    """Remove a node's namespace; its link goes with it. Returns whether it was there."""
    namespace = instance.namespace(node)
    if not (NETNS / namespace).exists():
        return False
    run(["ip", "netns", "delete", namespace], check=False)
    (NETNS / namespace).unlink(missing_ok=True)
    return True


def remove_wan(instance: Instance) -> bool:
    """Remove the router and the host's link. Returns whether anything was there."""
    there = (NETNS / instance.wan).exists()
    run(["ip", "link", "delete", instance.host_link], check=False)
    if there:
        run(["ip", "netns", "delete", instance.wan], check=False)
        (NETNS / instance.wan).unlink(missing_ok=True)
    return there


def fault_rules(faults: list[dict[str, str]]) -> str:
    """The nftables table that drops every packet between the two networks of each fault, both ways.

    A fault is `{"from": network, "to": network}`; without `to` the network is cut off from everything.
    """
    lines = [f"table inet {FAULT_TABLE} {{", "  chain forward {", "    type filter hook forward priority 0;"]
    for fault in faults:
        near, far = fault["from"], fault.get("to")
        lines.append(f"    ip saddr {near} {f'ip daddr {far} ' if far else ''}drop")
        lines.append(f"    ip daddr {near} {f'ip saddr {far} ' if far else ''}drop")
    lines += ["  }", "}"]
    return "\n".join(lines) + "\n"


def apply_cuts(instance: Instance, tree: str, faults: list[dict[str, str]]) -> None:
    """Replace all cuts of this instance by these, in one transaction."""
    rules = f"table inet {FAULT_TABLE}\ndelete table inet {FAULT_TABLE}\n"
    rules += fault_rules(faults) if faults else ""
    run(["nsenter", f"--net={NETNS / instance.wan}", "chroot", tree, "nft", "-f", "-"], stdin=rules)


def slow_link(instance: Instance, node: str, subnet: int, kilobits: int | None) -> None:
    """Limit a node's link to so many kilobits a second in both directions; None takes the limit away."""
    for namespace, link in ((instance.wan, f"n{subnet}"), (instance.namespace(node), "eth0")):
        limit = ["rate", f"{kilobits}kbit", "burst", "4kb", "latency", "20s"]
        if kilobits is None:
            run(["tc", "-n", namespace, "qdisc", "delete", "dev", link, "root"], check=False)
        else:
            run(["tc", "-n", namespace, "qdisc", "replace", "dev", link, "root", "tbf", *limit])
