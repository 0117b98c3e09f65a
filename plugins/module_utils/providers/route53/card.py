# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Route 53 can do."""

from __future__ import annotations

from ...routing.records import Card

INTERVALS = (10, 30)
"""Seconds between health checks."""

CARD = Card(
    name="route53",
    layer="dns",
    ordered=True,
    shares=False,
    weights_runtime=True,
    native_checks=True,
    degraded_ttl=False,
    check_seconds=INTERVALS,
    # 4 s to connect and 2 s to answer.
    check_timeout_seconds=6,
    # A second for two objects, then one interval of the check that reads them.
    steer_seconds=1 + INTERVALS[0],
    # Checkers, calculated checks and name servers telling each other: AWS gives no figure, and no account measured it.
    publish_seconds=10,
    unsupported_countries=("BV", "CX", "EH", "HM"),
    source="Route 53 Developer Guide: values specific for geolocation records; how Route 53 chooses records when "
    "health checking is configured; values that you specify when you create health checks",
)

MAXIMUM_OF_A_NAME = 100
"""Geolocation records of one name and type (Route 53 quotas)."""

DISPUTED = (
    "AM", "AZ", "BV", "CC", "CX", "CY", "EG", "GE", "GS", "HM", "IO", "KZ", "RU", "TF", "TL", "TR", "UM",
)  # fmt: skip
"""Countries that GeoNames, UN M49 and Azure draw to different continents, or that lie in two.

Route 53 doesn't publish which continent it counts a country to, so these never depend on it: each has its own record.
"""

HEALTHY_RATIO = 0.18
"""An endpoint is healthy while more than this ratio of the health checkers see it so."""
