# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Global Accelerator. Its API answers in us-west-2 alone, in the partition `aws` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..owner import owned
from ..session import Access, AwsError, Client, wait_until
from . import shapes

SERVICE, HOME = "globalaccelerator", "us-west-2"
MISSING = {
    "Accelerator": ("AcceleratorNotFoundException",),
    "Listener": ("ListenerNotFoundException",),
    "EndpointGroup": ("EndpointGroupNotFoundException",),
}
POLL_SECONDS = 5.0
"""Between two looks at an accelerator that is being deployed."""


def accelerator_of(arn: str) -> str:
    """The ARN of the accelerator that a listener or endpoint group belongs to."""
    return arn.split("/listener/", maxsplit=1)[0]


class Api:
    """What the account holds."""

    def __init__(self, access: Access) -> None:
        self.client = Client(SERVICE, HOME, access)

    def accelerators(self) -> list[dict[str, Any]]:
        """All accelerators, as AWS tells them."""
        return self.client.pages("list_accelerators", "Accelerators")

    def accelerator(self, arn: str) -> dict[str, Any] | None:
        """One accelerator, as AWS tells it."""
        found = self.client.found("describe_accelerator", MISSING["Accelerator"], AcceleratorArn=arn)
        return found["Accelerator"] if found else None

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of an accelerator."""
        found = self.client.call("list_tags_for_resource", ResourceArn=accelerator_of(arn))["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def attributes(self, arn: str) -> dict[str, Any]:
        """The flow logs of an accelerator."""
        found: dict[str, Any] = self.client.call("describe_accelerator_attributes", AcceleratorArn=arn)
        attributes: dict[str, Any] = found["AcceleratorAttributes"]
        return attributes

    def whole(self, found: Mapping[str, Any]) -> shapes.Plain:
        """An accelerator with its tags and flow logs, as plain data."""
        arn = found["AcceleratorArn"]
        return shapes.accelerator(found, self.tags(arn), self.attributes(arn))

    def listeners(self, arn: str) -> list[shapes.Plain]:
        """The listeners of an accelerator, as plain data."""
        return [shapes.listener(item) for item in self.client.pages("list_listeners", "Listeners", AcceleratorArn=arn)]

    def groups(self, arn: str) -> list[shapes.Plain]:
        """The endpoint groups of a listener, as plain data."""
        found = self.client.pages("list_endpoint_groups", "EndpointGroups", ListenerArn=arn)
        return [shapes.group(item) for item in found]

    def own(self, name: str, owner: str) -> dict[str, Any] | None:
        """This owner's accelerator of a name. Raises AwsError when there are several."""
        named = [item for item in self.accelerators() if item["Name"] == name]
        mine = [item for item in named if owned(self.tags(item["AcceleratorArn"]), owner)]
        if len(mine) > 1:
            arns = ", ".join(item["AcceleratorArn"] for item in mine)
            raise AwsError(SERVICE, "find", "Ambiguous", f"several accelerators {name!r} are {owner}'s: {arns}")
        return mine[0] if mine else None

    def wait_deployed(self, arn: str, seconds: float) -> None:
        """Wait until an accelerator is deployed everywhere. Raises AwsError when it isn't in time."""

        def deployed() -> bool:
            found = self.accelerator(arn)
            return found is None or found["Status"] == "DEPLOYED"

        wait_until(deployed, seconds, f"{arn} DEPLOYED", POLL_SECONDS)
