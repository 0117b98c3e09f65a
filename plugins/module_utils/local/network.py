# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wide-area network: a router namespace, a link per node, one link to the host, and faults on the links."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link as it must be.

    Attributes:
        namespace: where it is; empty for the host itself.
        addresses: each with the length of its network behind a slash.
        route: destination, gateway and source address (empty for any) of the route by it; none without a destination.
    """

    namespace: str
    name: str
    addresses: tuple[str, ...]
    route: tuple[str, str, str] = ("", "", "")


def ensure_wan(instance: Instance, *, check: bool) -> bool:
    """Make the router and the host's link to it, or mend them; returns whether anything was (or would be) done."""
    made = not exists(instance.wan)
    if made and check:
        return True
    if made:
        _add_namespace(instance.wan)
    forward = ["ip", "netns", "exec", instance.wan, "sh", "-c"]
    if run([*forward, "cat /proc/sys/net/ipv4/ip_forward"]).stdout.strip() != "1":
        made = True
        if not check:
            run([*forward, "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    prefix = instance.prefix
    router = End(instance.wan, "host", (f"{prefix}.0.1/30",))
    host = End("", instance.host_link, (f"{prefix}.0.2/30",), (f"{prefix}.0.0/16", f"{prefix}.0.1", ""))
    return _ensure_ends(router, host, check=check) or made


def ensure_link(instance: Instance, node: str, subnet: int, addresses: list[str], *, check: bool) -> bool:
    """Make or mend a node's namespace and link to the router: .1 is the router's end, .2 and `addresses` the node's."""
    namespace, network = instance.namespace(node), f"{instance.prefix}.{subnet}"
    made = not exists(namespace)
    if made and check:
        return True
    if made:
        _add_namespace(namespace)
    router = End(instance.wan, f"n{subnet}", (f"{network}.1/24",))
    wanted = tuple(f"{address}/24" for address in (f"{network}.2", *addresses))
    return _ensure_ends(router, End(namespace, "eth0", wanted, ("default", f"{network}.1", f"{network}.2")),
                        check=check) or made


def _ensure_ends(router: End, other: End, *, check: bool) -> bool:
    """Make a link of two ends, or mend what they lack; returns whether anything was (or would be) done."""
    lacking = [_mending(end) for end in (router, other)]
    missing = None in lacking
    if missing and not check:
        for end in (router, other):
            run(_ip(end, "link", "delete", end.name), check=False)
        run(_ip(other, "link", "add", other.name, "type", "veth", "peer", "name", router.name, "netns",
                router.namespace))
        lacking = [_mending(end) for end in (router, other)]
    commands = [command for found in lacking for command in found or ()]
    for command in () if check else commands:
        run(command)
    return missing or bool(commands)


def _mending(end: End) -> list[list[str]] | None:
    """The commands that make an end of a link what it must be; None when there is no such link."""
    shown = run(_ip(end, "-json", "address", "show", "dev", end.name), check=False)
    if shown.returncode:
        return None
    link = next(item for item in json.loads(shown.stdout) if item.get("ifname") == end.name)
    have = {f"{entry['local']}/{entry['prefixlen']}" for entry in link.get("addr_info", [])}
    commands = [_ip(end, "address", "add", item, "dev", end.name) for item in end.addresses if item not in have]
    if "UP" not in link["flags"]:
        commands.append(_ip(end, "link", "set", end.name, "up"))
    destination, gateway, source = end.route
    if destination:
        routes = json.loads(run(_ip(end, "-json", "-4", "route", "show", destination)).stdout or "[]")
        wanted = (end.name, gateway, source)
        if wanted not in [(item.get("dev"), item.get("gateway"), item.get("prefsrc", "")) for item in routes]:
            chosen = ["src", source] if source else []
            commands.append(_ip(end, "route", "replace", destination, "via", gateway, "dev", end.name, *chosen))
    return commands


def _ip(end: End, *words: str) -> list[str]:
    return ["ip", *(["-n", end.namespace] if end.namespace else []), *words]


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


def has_cuts(instance: Instance, tree: str) -> bool:
    """Whether the router drops packets for a fault."""
    if not exists(instance.wan):
        return False
    listed = ["nft", "list", "table", "inet", FAULT_TABLE]
    return run(["nsenter", f"--net={NETNS / instance.wan}", "chroot", tree, *listed], check=False).returncode == 0


def is_slow(instance: Instance, node: str) -> bool:
    """Whether a node's link is limited."""
    namespace = instance.namespace(node)
    return exists(namespace) and " tbf " in run(
        ["tc", "-n", namespace, "qdisc", "show", "dev", "eth0"], check=False).stdout


def slow_link(instance: Instance, node: str, subnet: int, kilobits: int | None) -> None:
    """Limit a node's link to so many kilobits a second in both directions; None takes the limit away."""
    for namespace, link in ((instance.wan, f"n{subnet}"), (instance.namespace(node), "eth0")):
        limit = ["rate", f"{kilobits}kbit", "burst", "4kb", "latency", "20s"]
        if kilobits is None:
            run(["tc", "-n", namespace, "qdisc", "delete", "dev", link, "root"], check=False)
        else:
            run(["tc", "-n", namespace, "qdisc", "replace", "dev", link, "root", "tbf", *limit])
