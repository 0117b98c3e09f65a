# Copyright (c) 2026 LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs: one of many, with every region's context under its own name and its aliases; the credentials of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def merge(
    regions: Mapping[str, Mapping[str, Any]], aliases: Mapping[str, Sequence[str]], current: str
) -> dict[str, Any]:
    """Merge the regions' kubeconfigs.

    Args:
        regions: region -> its kubeconfig, whose current context is taken.
        aliases: region -> further names of its context.
        current: the region whose context is the current one.

    Raises:
        ValueError: a kubeconfig lacks its current context, or two contexts have one name.
    """
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": current}
    merged.update({"clusters": [], "users": [], "contexts": []})
    names: set[str] = set()
    for region, config in regions.items():
        try:
            context = _named(config, "contexts", config["current-context"])["context"]
            cluster = _named(config, "clusters", context["cluster"])["cluster"]
            user = current_user(config)
        except (KeyError, TypeError) as error:
            raise ValueError(f"the kubeconfig of region {region} lacks {error}") from error
        merged["clusters"].append({"name": region, "cluster": cluster})
        merged["users"].append({"name": region, "user": user})
        for name in (region, *aliases.get(region, ())):
            if name in names:
                raise ValueError(f"two contexts are named {name}: mend region_context_aliases of region {region}")
            names.add(name)
            merged["contexts"].append({"name": name, "context": {"cluster": region, "user": region}})
    return merged


def current_user(config: Mapping[str, Any]) -> dict[str, Any]:
    """The credentials of the current context. Raises KeyError and TypeError where there are none."""
    context = _named(config, "contexts", config["current-context"])["context"]
    return dict(_named(config, "users", context["user"])["user"])


def _named(config: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    for entry in config[kind]:
        if entry["name"] == name:
            return dict(entry)
    raise KeyError(f"{kind}: {name}")
