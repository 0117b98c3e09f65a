# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What botocore ships of a service, as a check of requests and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "float": (int, float), "timestamp": (int, float),
    "list": (list,), "structure": (dict,),
}  # fmt: skip


class Refused(Exception):
    """An error of the model."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@cache
def _loaded(service: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = Loader().load_service_model(service, "service-2")
    return found


class Model:
    """A service as botocore ships it."""

    def __init__(self, service: str) -> None:
        found = _loaded(service)
        self.shapes: Mapping[str, Any] = found["shapes"]
        self.operations: Mapping[str, Any] = found["operations"]
        self.prefix: str = found["metadata"]["targetPrefix"]

    def faults(self, name: str, value: Any, where: str = "") -> Iterator[str]:
        """Everything that is wrong with a value of a shape."""
        shape = self.shapes[name]
        kinds = _TYPES[shape["type"]]
        if type(value) not in kinds:
            yield f"{where or name} is no {shape['type']}"
            return
        if "enum" in shape and value not in shape["enum"]:
            yield f"{where} {value!r} is none of {', '.join(shape['enum'])}"
        size = value if shape["type"] in ("integer", "float", "boolean", "timestamp") else len(value)
        if size < shape.get("min", size) or size > shape.get("max", size):
            yield f"{where} {size} is not within {shape.get('min', '')}..{shape.get('max', '')}"
        if "pattern" in shape and not re.search(shape["pattern"], value):
            yield f"{where} {value!r} is not like {shape['pattern']}"
        if shape["type"] == "list":
            for place, item in enumerate(value):
                yield from self.faults(shape["member"]["shape"], item, f"{where}[{place}]")
        if shape["type"] == "structure":
            yield from self._members(shape, value, where)

    def _members(self, shape: Mapping[str, Any], value: Mapping[str, Any], where: str) -> Iterator[str]:
        for key in shape.get("required", ()):
            if key not in value:
                yield f"{where}.{key} is missing"
        for key, item in value.items():
            if key not in shape["members"]:
                yield f"{where}.{key} is unknown"
            elif item is not None:
                yield from self.faults(shape["members"][key]["shape"], item, f"{where}.{key}")
